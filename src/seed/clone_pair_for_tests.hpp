// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/failure.hpp"
#include "sandbox/test_server.hpp"
#include "seed/clone_seed.hpp"

namespace reseal::seed {

using mysql::Session;
using mysql::Side;

/// The tables of the donor, with what is seldom: names, partitions, a tablespace of their own, full text.
inline const std::vector<std::string> odd_tables = {"shop.orders", "shop.parts", "shop.shared", "shop.words",
                                                    "`we``ird @#%-é`.`a'b\"c/d.e \\ #p#x`"};

/// A plain donor and an encrypted, empty recipient. The test's thread starts the servers.
struct ClonePair {
  explicit ClonePair(sandbox::ServerOptions donor_options = sandbox::ServerOptions::plain_source(),
                     sandbox::ServerOptions recipient_options = sandbox::ServerOptions::encrypted_target())
      : donor(std::move(donor_options)), recipient(std::move(recipient_options)) {
    auto session = donor.connect(Side::source);
    session.execute("CREATE DATABASE reseal");
    session.execute("CREATE TABLE reseal.marker (id INT PRIMARY KEY, token VARCHAR(200), writes BIGINT)");
    session.execute("INSERT INTO reseal.marker VALUES (1, 'clone-of-run-1', 1)");
  }

  /// `canary` stands in rows that stay, in rows that were changed and in rows that are gone.
  void fill(const std::string& canary) {
    auto session = donor.connect(Side::source);
    session.execute("CREATE DATABASE shop");
    session.execute("CREATE DATABASE `we``ird @#%-é`");
    session.execute("CREATE TABLESPACE `odd ``space` ADD DATAFILE 'odd.ibd'");
    const std::string columns = " (id INT PRIMARY KEY AUTO_INCREMENT, note VARCHAR(200)";
    session.execute("CREATE TABLE shop.orders" + columns + ") COMMENT 'not in TABLESPACE `x`'");
    session.execute("CREATE TABLE shop.parts" + columns + ") PARTITION BY HASH (id) PARTITIONS 3");
    session.execute("CREATE TABLE shop.shared" + columns + ") TABLESPACE `odd ``space`");
    session.execute("CREATE TABLE shop.words" + columns + ", FULLTEXT KEY (note))");
    session.execute("CREATE TABLE " + odd_tables.back() + columns + ")");
    for (const auto& table : odd_tables) {
      session.execute("INSERT INTO " + table + " (note) SELECT CONCAT('" + canary +
                      " ', HELP_KEYWORD_ID) FROM mysql.help_keyword LIMIT 300");
      session.execute("UPDATE " + table + " SET note=CONCAT('" + canary + " changed ', id) WHERE id%2=0");
      session.execute("UPDATE " + table + " SET note=CONCAT('" + canary + " again ', id) WHERE id%4=0");
      session.execute("DELETE FROM " + table + " WHERE id%5=0");
    }
    session.execute(
        "CREATE EVENT shop.tick ON SCHEDULE EVERY 1 SECOND DO INSERT INTO shop.orders (note) VALUES ('tick')");
    session.execute("SET GLOBAL event_scheduler=OFF");
  }

  CloneOptions options() {
    return {"clone-of-run-1", [this] { start_recipient_again(); }, std::chrono::minutes(5)};
  }
  CloneSeed seed() { return {donor.endpoint(), recipient.endpoint(), options(), progress, log}; }
  CloneSeed seed(CloneOptions own) { return {donor.endpoint(), recipient.endpoint(), std::move(own), progress, log}; }

  /// As a supervisor does: once the server has ended by itself.
  void start_recipient_again() {
    while (recipient.running()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    recipient.stop();
    recipient.start_again();
    ++starts;
  }

  KeptAccount clone_and_put_back() {
    auto cloning = seed();
    const auto account = cloning.account_to_keep();
    cloning.clone({});
    cloning.put_back(account);
    return account;
  }

  /// Makes a clone slow enough to be met on its way.
  void slow_down_clones() {
    auto session = recipient.connect(Side::target);
    session.execute("INSTALL PLUGIN clone SONAME 'mysql_clone.so'");
    session.execute("SET GLOBAL clone_autotune_concurrency=OFF");
    session.execute("SET GLOBAL clone_max_concurrency=1");
    session.execute("SET GLOBAL clone_max_data_bandwidth=1");
  }

  sandbox::TestServer donor;
  sandbox::TestServer recipient;
  CloneProgress progress;
  base::Log log{base::Log::Level::quiet};
  int starts = 0;
};

inline std::string checksum(Session& session, const std::string& table) {
  return session.query("CHECKSUM TABLE " + table).at(0).at(1).value_or("none");
}

/// Files below `folder` that hold `text`.
inline std::vector<std::string> files_with(const std::filesystem::path& folder, const std::string& text) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (bytes.find(text) != std::string::npos) found.push_back(entry.path().filename().string());
  }
  return found;
}

inline void run_all(const sandbox::TestServer& server, const std::vector<std::string>& statements) {
  auto session = server.connect(Side::target);
  for (const auto& statement : statements) session.execute(statement);
}

template <typename Action>
base::Failure failure_of(const Action& action) {
  try {
    action();
  } catch (const base::Failure& failure) {
    return failure;
  }
  ADD_FAILURE() << "no failure came";
  return {base::FailureKind::local, ""};
}

template <typename Condition>
void wait_for(const Condition& condition) {
  for (int i = 0; i < 6000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_TRUE(condition());
}

}  // namespace reseal::seed

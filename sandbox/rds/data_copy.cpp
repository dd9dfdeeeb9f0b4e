// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <stop_token>
#include <thread>

#include "base/failure.hpp"
#include "sandbox/rds/instance_server.hpp"
#include "sql/quote.hpp"

namespace reseal::sandbox::rds {
namespace {

namespace fs = std::filesystem;
using base::Failure;
using base::FailureKind;
using sql::quote_name;
using sql::quote_text;

// Tells of a clone as performance_schema.clone_progress has it, until it is destroyed.
class CloneWatch {
 public:
  CloneWatch(mysql::Session session, const Progress& progress)
      : session_(std::move(session)), progress_(&progress), thread_([this](const std::stop_token& stop) {
          std::unique_lock lock(mutex_);
          while (!stop.stop_requested()) {
            look();
            wake_.wait_for(lock, stop, std::chrono::milliseconds(200), [] { return false; });
          }
        }) {}

 private:
  void look() noexcept {
    try {
      const auto percent = session_.scalar(
          "SELECT CAST(COALESCE(FLOOR(100 * SUM(data) / NULLIF(SUM(estimate), 0)), 0) AS CHAR) "
          "FROM performance_schema.clone_progress");
      (*progress_)(std::min(99, std::atoi(percent.value_or("0").c_str())));
    } catch (const std::exception&) {
      // It is for the eye only; the clone itself tells what fails.
    }
  }

  mysql::Session session_;
  const Progress* progress_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

// What is beside the tablespaces: certificates, and the keyring of an encrypted server.
void copy_keys(const ServerFolder& from, const ServerFolder& to) {
  for (const auto& entry : fs::directory_iterator(from.data()))
    if (entry.path().extension() == ".pem")
      fs::copy_file(entry.path(), to.data() / entry.path().filename(), fs::copy_options::overwrite_existing);
  if (!fs::exists(from.keyring())) return;
  write_keyring_configuration(to);
  fs::copy_file(from.keyring(), to.keyring(), fs::copy_options::overwrite_existing);
}

void make_root(const ServerFolder& folder) {
  fs::create_directories(folder.root);
  fs::permissions(folder.root, fs::perms::owner_all);
}

std::uintmax_t size_of(const fs::path& folder) {
  std::uintmax_t size = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) size += entry.file_size();
  return size;
}

void alter_each(mysql::Session& session, const std::string& kind, const std::string& names) {
  for (const auto& row : session.query(names))
    session.execute("ALTER " + kind + " " + quote_name(row[0].value_or("")) + " ENCRYPTION = 'Y'");
}

}  // namespace

void encrypt_tablespaces(mysql::Session& session, const Progress& progress) {
  session.execute("SET SESSION foreign_key_checks = 0, sql_mode = ''");
  session.execute("ALTER TABLESPACE mysql ENCRYPTION = 'Y'");
  alter_each(session, "SCHEMA",
             "SELECT schema_name FROM information_schema.SCHEMATA "
             "WHERE schema_name NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')");
  alter_each(session, "TABLESPACE",
             "SELECT name FROM information_schema.INNODB_TABLESPACES "
             "WHERE space_type = 'General' AND encryption = 'N' AND name <> 'mysql'");
  const auto tables = session.query(
      "SELECT table_schema, table_name FROM information_schema.TABLES "
      "WHERE table_type = 'BASE TABLE' AND engine = 'InnoDB' AND create_options NOT LIKE '%ENCRYPTION=''Y''%' "
      "AND (table_schema NOT IN ('mysql', 'information_schema', 'performance_schema') "
      "OR (table_schema = 'mysql' AND table_name LIKE 'rds\\_%'))");
  std::size_t done = 0;
  for (const auto& row : tables) {
    const auto name = quote_name(row[0].value_or(""), row[1].value_or(""));
    // A table within a general tablespace is encrypted with it, and has no encryption of its own.
    const auto text = session.query("SHOW CREATE TABLE " + name).at(0).at(1).value_or("");
    if (text.find(" TABLESPACE `") == std::string::npos) session.execute("ALTER TABLE " + name + " ENCRYPTION = 'Y'");
    progress(static_cast<int>(50 + 49 * ++done / tables.size()));
  }
}

void clone_server(const AdminAccounts& accounts, const ServerFolder& from, const ServerFolder& to,
                  const Progress& progress) {
  make_root(to);
  {
    const CloneWatch watch(admin_session(accounts, from, std::chrono::seconds(10)), progress);
    auto session = admin_session(accounts, from);
    session.execute("CLONE LOCAL DATA DIRECTORY = " + quote_text(to.data().string()));
  }
  copy_keys(from, to);
}

void copy_folder(const ServerFolder& from, const ServerFolder& to, const Progress& progress) {
  make_root(to);
  const auto all = std::max<std::uintmax_t>(size_of(from.data()), 1);
  std::uintmax_t done = 0;
  for (const auto& entry : fs::recursive_directory_iterator(from.data())) {
    const auto place = to.data() / fs::relative(entry.path(), from.data());
    fs::create_directories(entry.is_directory() ? place : place.parent_path());
    if (!entry.is_regular_file()) continue;
    fs::copy_file(entry.path(), place);
    done += entry.file_size();
    progress(static_cast<int>(std::min<std::uintmax_t>(99, 100 * done / all)));
  }
  fs::remove(to.data() / "auto.cnf");  // holds the server uuid: each copy gets its own
  copy_keys(from, to);
}

void require_encrypted(mysql::Session& session) {
  const auto plain = session.query(
      "SELECT name FROM information_schema.INNODB_TABLESPACES WHERE encryption = 'N' "
      "AND space_type IN ('Single', 'General')");
  if (!plain.empty())
    throw Failure(FailureKind::refused, "not every tablespace is encrypted: " + plain[0][0].value_or("") + " is plain");
}

void encrypt_folder(ServerHost& host, const AdminAccounts& accounts, const ServerFolder& folder,
                    const Progress& progress) {
  write_keyring_configuration(folder);
  auto options = ServerOptions::encrypted_target();
  options.extra = {"--skip-log-bin", "--skip-replica-start", "--event-scheduler=OFF", "--innodb-fast-shutdown=0",
                   "--partial-revokes=ON"};
  host.start(folder, 0, options);
  {
    auto session = admin_session(accounts, folder);
    encrypt_tablespaces(session, progress);
    require_encrypted(session);
  }
  host.stop(folder);
}

}  // namespace reseal::sandbox::rds

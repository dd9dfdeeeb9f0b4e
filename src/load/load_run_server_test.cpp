// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "load/audit.hpp"
#include "load/audit_test_support.hpp"
#include "load/prepare.hpp"
#include "load/run.hpp"
#include "sandbox/test_server.hpp"

namespace reseal::load {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

void write_option_file(const fs::path& path, const mysql::Endpoint& server) {
  std::ofstream(path) << "[client]\nhost=" << server.host << "\nport=" << server.port << "\nuser=" << server.user
                      << "\npassword=\"" << server.password.reveal() << "\"\nssl-mode=REQUIRED\n";
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
}

void replace_file(const fs::path& path, const std::string& content) {
  const auto fresh = path.string() + ".new";
  std::ofstream(fresh) << content << "\n";
  fs::rename(fresh, path);
}

class RunOverAFence : public testing::Test {
 protected:
  RunOverAFence() {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    base::Log log(base::Log::Level::quiet);
    PrepareOptions shop;
    shop.endpoint = server_.endpoint();
    shop.scale = 0.02;
    prepare(shop, log);
    run_.endpoint = server_.endpoint();
    run_.log_folder = folder_ / "logs";
    run_.clients = 4;
    run_.seconds = std::chrono::seconds(0);
  }
  ~RunOverAFence() override { fs::remove_all(folder_); }

  /// Until the clients did `more` operations more on `server`.
  static void wait_for_operations(const sandbox::TestServer& server, unsigned more) {
    auto session = open_shop(server.endpoint(), "shop");
    const auto count = [&] { return std::stoull(*session.scalar("SELECT COUNT(*) FROM ledger")); };
    const auto start = count();
    while (count() < start + more) session.execute("DO SLEEP(0.05)");
  }

  AuditReport report() const {
    AuditOptions options;
    options.log_folders = {folder_ / "logs"};
    options.serving = server_.endpoint();
    return audit(options);
  }

  fs::path folder_ = scratch() / "fence";
  sandbox::TestServer server_;
  RunOptions run_;
};

TEST_F(RunOverAFence, clients_wait_while_writes_are_refused_and_lose_nothing) {
  std::stop_source stop;
  RunReport ran;
  base::Log log(base::Log::Level::quiet);
  std::jthread load([&] { ran = run_load(run_, stop.get_token(), log); });
  wait_for_operations(server_, 50);
  auto admin = server_.connect(mysql::Side::source);
  admin.execute("SET GLOBAL super_read_only = ON");
  admin.execute("DO SLEEP(0.5)");
  admin.execute("SET GLOBAL super_read_only = OFF, GLOBAL read_only = OFF");
  wait_for_operations(server_, 50);
  stop.request_stop();
  load.join();
  EXPECT_GE(ran.totals.longest_stall_ms, 400U);
  EXPECT_GT(ran.totals.errors_by_code["1290"], 0U);
  EXPECT_GE(ran.totals.unexpected_errors(), ran.totals.errors_by_code["1290"]);
  EXPECT_EQ(ran.totals.writes_refused, ran.totals.errors_by_code["1290"]);
  EXPECT_EQ(ran.totals.connections_lost, 0U);
  EXPECT_THAT(lines_of(report()), IsEmpty());
}

TEST_F(RunOverAFence, clients_survive_killed_connections_and_a_crash_and_know_what_became_of_each_operation) {
  std::stop_source stop;
  RunReport ran;
  base::Log log(base::Log::Level::quiet);
  std::jthread load([&] { ran = run_load(run_, stop.get_token(), log); });
  for (int round = 0; round < 20; ++round) {
    wait_for_operations(server_, 10);
    auto admin = server_.connect(mysql::Side::source);
    for (const auto& row : admin.query("SELECT id FROM performance_schema.processlist WHERE db = 'shop'")) try {
        admin.execute("KILL " + *row[0]);
      } catch (const base::Failure& gone) {
        EXPECT_EQ(gone.server_errno(), 1094U);
      }
  }
  server_.kill_hard();
  server_.start_again();
  wait_for_operations(server_, 50);
  stop.request_stop();
  load.join();
  const auto audited = report();
  EXPECT_THAT(lines_of(audited), IsEmpty());
  EXPECT_EQ(audited.unknown_applied + audited.unknown_absent, ran.totals.ops_unknown);
}

TEST_F(RunOverAFence, clients_follow_the_where_file_to_another_address) {
  write_option_file(folder_ / "first.cnf", server_.endpoint());
  auto nowhere = server_.endpoint();
  nowhere.port = 1;
  write_option_file(folder_ / "nowhere.cnf", nowhere);
  run_.serving = folder_ / "where";
  replace_file(run_.serving, (folder_ / "first.cnf").string());
  std::stop_source stop;
  RunReport ran;
  base::Log log(base::Log::Level::quiet);
  std::jthread load([&] { ran = run_load(run_, stop.get_token(), log); });
  wait_for_operations(server_, 20);
  auto admin = server_.connect(mysql::Side::source);
  replace_file(run_.serving, (folder_ / "nowhere.cnf").string());
  admin.execute("SET GLOBAL super_read_only = ON");
  admin.execute("DO SLEEP(0.3)");
  admin.execute("SET GLOBAL super_read_only = OFF, GLOBAL read_only = OFF");
  admin.execute("DO SLEEP(0.3)");
  replace_file(run_.serving, (folder_ / "first.cnf").string());
  wait_for_operations(server_, 20);
  stop.request_stop();
  load.join();
  EXPECT_GT(ran.totals.connects_failed, 0U);
  EXPECT_THAT(lines_of(report()), IsEmpty());
}

TEST_F(RunOverAFence, runs_can_follow_each_other_in_one_folder) {
  base::Log log(base::Log::Level::quiet);
  run_.seconds = std::chrono::seconds(1);
  const auto first = run_load(run_, {}, log);
  run_.rate = 20;
  const auto second = run_load(run_, {}, log);
  EXPECT_NE(first.run, second.run);
  EXPECT_LE(second.totals.ops_ok, 60U);
  const auto audited = report();
  EXPECT_THAT(lines_of(audited), IsEmpty());
  EXPECT_EQ(audited.operations,
            first.totals.ops_ok + first.totals.ops_error + second.totals.ops_ok + second.totals.ops_error);
}

}  // namespace
}  // namespace reseal::load

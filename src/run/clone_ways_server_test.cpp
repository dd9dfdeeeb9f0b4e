// SPDX-License-Identifier: Apache-2.0
// The ways whose copy is physical, on real servers: cloned, encrypted in place, followed by MySQL's own replication or
// made under the fence.
#include <atomic>
#include <thread>

#include "run/fenced_copy.hpp"
#include "run/moves_fixture_for_tests.hpp"

namespace reseal::run {
namespace {

constexpr const char* small_shop =
    "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, u VARCHAR(30) UNIQUE, j JSON);\n"
    "CREATE TABLE log (id INT PRIMARY KEY AUTO_INCREMENT, what VARCHAR(30));\n"
    "INSERT INTO t (u, j) VALUES ('one', JSON_OBJECT('dec', CAST('1.10' AS DECIMAL(10,2)))), ('two', NULL),"
    " ('three', '[1.0, {}]');\n"
    "CREATE TRIGGER tr AFTER INSERT ON t FOR EACH ROW INSERT INTO log (what) VALUES (NEW.u);\n"
    "CREATE EVENT ev ON SCHEDULE EVERY 1 SECOND DO INSERT INTO log (what) VALUES (CONCAT('event on ', @@port));\n";

/// An encrypted server that is started again whenever it has ended, as a service manager does. It lives as long as the
/// thread that starts it.
class SupervisedServer {
 public:
  explicit SupervisedServer(ServerOptions options)
      : thread_([this, options](std::stop_token stop) {
          TestServer server(options);
          endpoint_ = server.endpoint();
          up_ = true;
          up_.notify_all();
          while (!stop.stop_requested()) {
            if (!server.running()) server.start_again();
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
          }
        }) {
    up_.wait(false);
  }
  const mysql::Endpoint& endpoint() const { return endpoint_; }

 private:
  std::atomic<bool> up_ = false;
  mysql::Endpoint endpoint_;
  std::jthread thread_;
};

class CloneWays : public ::testing::Test {
 protected:
  void begin(bool gtid = true) {
    auto plain = ServerOptions::plain_source();
    plain.gtid = gtid;
    plain.extra.emplace_back("--event-scheduler=ON");
    auto encrypted = ServerOptions::encrypted_target();
    encrypted.gtid = gtid;
    source_server_.emplace(plain);
    target_server_.emplace(encrypted);
    source_.emplace(source_server_->endpoint(), mysql::Side::source);
    sql("CREATE DATABASE app");
    sql("USE app");
    const std::string statements = small_shop;
    std::size_t from = 0;
    for (auto at = statements.find(";\n"); at != std::string::npos; from = at + 2, at = statements.find(";\n", from))
      sql(statements.substr(from, at - from));
  }
  void TearDown() override {
    run_.reset();
    std::filesystem::remove_all(state_);
  }

  void sql(const std::string& statement) { source_->execute(statement); }
  mysql::Session target() { return mysql::Session(target_server_->endpoint(), mysql::Side::target); }

  run::Run& open(Way way) {
    RunOptions options;
    options.source = source_server_->endpoint();
    options.target = target_server_->endpoint();
    options.state_folder = state_;
    options.way = way;
    run_.emplace(std::move(options), log_);
    return *run_;
  }

  void expect_moved() {
    auto session = target();
    for (const auto* query :
         {"SELECT id, u, CAST(j AS CHAR), JSON_TYPE(JSON_EXTRACT(j,'$.dec')) FROM app.t ORDER BY id",
          "SELECT id, what FROM app.log WHERE what NOT LIKE 'event%' ORDER BY id"}) {
      const auto here = source_->query(query);
      EXPECT_FALSE(here.empty()) << query;
      EXPECT_EQ(here, session.query(query)) << query;
    }
    EXPECT_EQ(session.scalar("SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA='app'"), "1");
    EXPECT_EQ(session.scalar("SELECT STATUS FROM information_schema.EVENTS WHERE EVENT_SCHEMA='app'"), "ENABLED");
    EXPECT_EQ(session.scalar("SELECT @@GLOBAL.event_scheduler"), "ON");
    EXPECT_EQ(session.scalar("SELECT COUNT(*) FROM performance_schema.replication_connection_configuration"), "0");
    EXPECT_EQ(session.scalar("SELECT COUNT(*) FROM information_schema.INNODB_TABLESPACES WHERE ENCRYPTION<>'Y'"
                             " AND NAME NOT IN ('innodb_temporary')"),
              "0");
  }

  std::optional<TestServer> source_server_;
  std::optional<SupervisedServer> target_server_;
  std::optional<mysql::Session> source_;
  std::filesystem::path state_ =
      std::filesystem::temp_directory_path() / ("reseal-clone-ways-" + std::to_string(::getpid()));
  base::Log log_{base::Log::Level::quiet};
  std::optional<run::Run> run_;
};

TEST_F(CloneWays, a_replica_follows_by_itself_switches_and_is_led_back) {
  begin();
  open(Way::replica).advance(Until::provisioned, {});
  sql("INSERT INTO t (u) VALUES ('after the clone')");
  run_.reset();
  // A new process goes on from there: what came since is not in the clone, and is followed.
  auto& run = open(Way::replica);
  EXPECT_EQ(target().scalar("SELECT COUNT(*) FROM app.t"), "3");
  run.advance(Until::verified, {});
  sql("UPDATE t SET u = 'ONE' WHERE id = 1");
  const auto report = cut_over(run, {}, {});
  ASSERT_TRUE(report.switched) << report.given_up_because;
  expect_moved();
  target().execute("INSERT INTO app.t (u) VALUES ('on the target')");
  run.make_ready_for_rollback({});
  const auto back = SwitchOver(run, {}).execute({});
  ASSERT_TRUE(back.switched) << back.given_up_because;
  EXPECT_EQ(source_->scalar("SELECT COUNT(*) FROM app.t WHERE u='on the target'"), "1");
  EXPECT_EQ(source_->scalar("SELECT COUNT(*) FROM app.log WHERE what='on the target'"), "1");
}

TEST_F(CloneWays, a_replica_is_followed_by_file_and_position_too) {
  begin(false);
  auto& run = open(Way::replica);
  run.advance(Until::verified, {});
  sql("INSERT INTO t (u) VALUES ('more')");
  const auto report = cut_over(run, {}, {});
  ASSERT_TRUE(report.switched) << report.given_up_because;
  expect_moved();
}

TEST_F(CloneWays, a_replica_that_lost_a_row_is_no_way_to_switch) {
  begin();
  auto& run = open(Way::replica);
  run.advance(Until::verified, {});
  {
    auto session = target();
    session.execute("SET SESSION sql_log_bin=0");
    session.execute("DELETE FROM app.t WHERE id = 2");
  }
  sql("UPDATE t SET u = 'changed' WHERE id = 2");
  EXPECT_THROW(cut_over(run, {}, {}), Failure);
  EXPECT_EQ(source_->scalar("SELECT @@GLOBAL.super_read_only"), "0");
  EXPECT_EQ(target().scalar("SELECT @@GLOBAL.read_only"), "1");
}

TEST_F(CloneWays, a_snapshot_moves_under_the_fence_and_the_source_follows_afterwards) {
  begin();
  auto& run = open(Way::snapshot);
  run.advance(Until::checked, {});
  EXPECT_EQ(source_->scalar("SELECT @@GLOBAL.super_read_only"), "0");
  sql("INSERT INTO t (u) VALUES ('late')");
  const auto report = cut_over(run, {}, {});
  ASSERT_TRUE(report.switched) << report.given_up_because;
  EXPECT_GT(report.downtime, report.stall);
  EXPECT_EQ(source_->scalar("SELECT @@GLOBAL.super_read_only"), "1");
  expect_moved();
  target().execute("INSERT INTO app.t (u) VALUES ('on the target')");
  run.make_ready_for_rollback({});
  const auto back = SwitchOver(run, {}).execute({});
  ASSERT_TRUE(back.switched) << back.given_up_because;
  EXPECT_EQ(source_->scalar("SELECT COUNT(*) FROM app.t WHERE u='on the target'"), "1");
}

TEST_F(CloneWays, a_snapshot_that_is_stale_is_made_anew) {
  begin();
  FencedCopy(open(Way::snapshot), {}).execute({});
  FencedCopy(*run_, {}).back_out();
  run_.reset();
  sql("INSERT INTO t (u) VALUES ('added meanwhile')");
  const auto report = cut_over(open(Way::snapshot), {}, {});
  ASSERT_TRUE(report.switched) << report.given_up_because;
  expect_moved();
}

}  // namespace
}  // namespace reseal::run

// SPDX-License-Identifier: Apache-2.0
// The switch on real servers: there, back, given up, and with differences planted just before it.
#include <stop_token>

#include "run/changed_rows.hpp"
#include "run/moves_fixture_for_tests.hpp"

namespace reseal::run {
namespace {

TEST_F(Moves, the_switch_moves_writes_and_keeps_the_source_fenced_through_its_restart) {
  begin(source_server(),
        "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v INT);\nINSERT INTO t (v) VALUES (1),(2),(3);\n"
        "DELETE FROM t WHERE id = 3;\n"
        "CREATE TRIGGER doubles BEFORE INSERT ON t FOR EACH ROW SET NEW.v = NEW.v * 2;\n");
  auto& run = open();
  run.advance(Until::verified, {});
  const auto report = SwitchOver(run, {}).execute({});
  EXPECT_TRUE(report.switched) << report.given_up_because;
  EXPECT_EQ(run.phase(), Phase::switched);
  mysql::Session target(target_server().endpoint(), mysql::Side::target);
  target.execute("INSERT INTO app.t (v) VALUES (10)");
  EXPECT_EQ(target.scalar("SELECT CONCAT(id,':',v) FROM app.t ORDER BY id DESC LIMIT 1"), "4:20");
  EXPECT_THROW(sql("INSERT INTO t (v) VALUES (5)"), Failure);
  source_.reset();
  server_->kill_hard();
  server_->start_again();
  source_.emplace(server_->endpoint(), mysql::Side::source);
  EXPECT_THROW(sql("INSERT INTO app.t (v) VALUES (5)"), Failure);
  run_.reset();
  EXPECT_EQ(open().phase(), Phase::switched);
}

TEST_F(Moves, an_open_transaction_at_the_switch_is_never_committed_and_lost) {
  begin(source_server(), "CREATE TABLE t (id INT PRIMARY KEY);\n");
  auto& run = open();
  run.advance(Until::verified, {});
  mysql::Session client(server_->endpoint(), mysql::Side::source);
  client.execute("START TRANSACTION");
  client.execute("INSERT INTO app.t VALUES (1)");
  SwitchOptions limits;
  limits.drain = std::chrono::milliseconds(100);
  EXPECT_TRUE(SwitchOver(run, limits).execute({}).switched);
  EXPECT_THROW(client.execute("COMMIT"), Failure);
  mysql::Session target(target_server().endpoint(), mysql::Side::target);
  EXPECT_EQ(target.scalar("SELECT COUNT(*) FROM app.t"), "0");
}

TEST_F(Moves, a_switch_that_cannot_fence_in_time_is_given_up_and_the_source_serves) {
  begin(source_server(), "CREATE TABLE t (id INT PRIMARY KEY);\n");
  auto& run = open();
  run.advance(Until::verified, {});
  mysql::Session blocker(server_->endpoint(), mysql::Side::source);
  blocker.execute("LOCK TABLES app.t WRITE");
  SwitchOptions limits;
  limits.timeout = std::chrono::milliseconds(2000);
  const auto report = SwitchOver(run, limits).execute({});
  EXPECT_FALSE(report.switched);
  const auto attempt = cutover::latest_attempt(run.target());
  ASSERT_TRUE(attempt);
  EXPECT_TRUE(cutover::closed(run.target(), attempt->epoch)) << "a proxy that starts would wait for it";
  blocker.execute("UNLOCK TABLES");
  sql("INSERT INTO t VALUES (1)");
  EXPECT_TRUE(SwitchOver(run, {}).execute({}).switched);
  expect_same("SELECT id FROM app.t");
}

// The steps of a switch ask a server again and again until it is back.
TEST_F(Moves, a_server_that_is_away_is_a_failure_that_may_be_tried_again) {
  begin(source_server(), "CREATE TABLE t (id INT PRIMARY KEY);\n");
  auto& run = open();
  run.advance(Until::verified, {});
  source_.reset();
  server_->kill_hard();
  for (int tries = 0; tries < 2; ++tries) {
    try {
      run.source().scalar("SELECT 1");
      ADD_FAILURE() << "the server is gone";
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.kind(), FailureKind::transient) << failure.what();
    }
    EXPECT_THROW(run.reconnect(), Failure);
  }
  server_->start_again();
  source_.emplace(server_->endpoint(), mysql::Side::source);
  run.reconnect();
  EXPECT_EQ(run.source().scalar("SELECT 1"), "1");
}

/// The application's writes go to whoever serves.
class ThereAndBack : public Moves {
 protected:
  void begin_shop(TestServer& source) {
    begin(source,
          "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, u VARCHAR(20) UNIQUE, v INT, j JSON);\n"
          "CREATE TABLE log (id INT PRIMARY KEY AUTO_INCREMENT, what VARCHAR(20));\n"
          "CREATE TABLE heap (a INT, b VARCHAR(20));\n"
          "INSERT INTO t (u,v,j) VALUES ('a',1,'{\"k\": 1}'),('b',2,NULL),('c',3,'[1.5]');\n"
          "INSERT INTO heap VALUES (1,'x'),(1,'x');\n"
          "CREATE TRIGGER noted AFTER INSERT ON t FOR EACH ROW INSERT INTO log (what) VALUES (NEW.u);\n"
          "CREATE USER IF NOT EXISTS rogue IDENTIFIED BY 'only-for-this-test';\n"
          "GRANT ALL ON app.* TO rogue;\n"
          "CREATE EVENT far ON SCHEDULE EVERY 1 YEAR STARTS '2090-01-01 00:00:00' DO DELETE FROM log;\n");
  }
  void write(mysql::Session& session, const std::string& name) {
    session.execute("USE app");
    session.execute("INSERT INTO t (u,v,j) VALUES ('" + name +
                    "',10,JSON_OBJECT('d', CAST('1.10' AS DECIMAL(10,2)), 't', TIMESTAMP'2024-02-29 12:34:56.5'))");
    session.execute("UPDATE t SET v = v + 1");
    session.execute("UPDATE t SET id = id + 100 WHERE u = '" + name + "'");
    session.execute("UPDATE t SET u = NULL WHERE u = 'a'");
    session.execute("INSERT INTO heap VALUES (2,'" + name + "')");
    session.execute("DELETE FROM heap WHERE a = 1 LIMIT 1");
  }
  /// An ordinary account that writes where it should not.
  static void rogue(mysql::Endpoint endpoint) {
    endpoint.user = "rogue";
    endpoint.password = base::Secret("only-for-this-test");
    mysql::Session(endpoint, mysql::Side::source).execute("INSERT INTO app.t (u) VALUES ('rogue')");
  }
  void write_on_target(const std::string& name) {
    mysql::Session target(target_server().endpoint(), mysql::Side::target);
    write(target, name);
  }
  void expect_all_the_same() {
    expect_same("SELECT id, u, v, CAST(j AS CHAR), JSON_TYPE(JSON_EXTRACT(j,'$.d')) FROM t ORDER BY id");
    expect_same("SELECT what FROM log ORDER BY id");
    expect_same("SELECT COUNT(*), SUM(a), GROUP_CONCAT(b ORDER BY b) FROM heap");
  }
  static std::string triggers_and_events(mysql::Session& session) {
    return session
        .scalar(
            "SELECT CONCAT((SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA='app'),"
            "(SELECT GROUP_CONCAT(STATUS) FROM information_schema.EVENTS WHERE EVENT_SCHEMA='app'))")
        .value_or("none");
  }
};

TEST_F(ThereAndBack, what_was_written_on_the_target_comes_back_and_goes_there_again) {
  begin_shop(source_server());
  auto& run = open();
  run.advance(Until::armed, {});
  ASSERT_TRUE(SwitchOver(run, {}).execute({}).switched);
  write_on_target("there");

  run.make_ready_for_rollback({});
  EXPECT_EQ(triggers_and_events(*source_), "none") << "they must not fire under the follow";
  EXPECT_THROW(rogue(server_->endpoint()), Failure) << "the old source takes no writes but the follow's";
  auto report = SwitchOver(run, {}).execute({});
  ASSERT_TRUE(report.switched) << report.given_up_because;
  EXPECT_EQ(report.serves, cutover::Serves::source);
  expect_all_the_same();
  EXPECT_EQ(triggers_and_events(*source_), "1ENABLED");
  write(*source_, "back");
  EXPECT_THROW(rogue(target_server().endpoint()), Failure);

  run.advance(Until::armed, {});
  report = SwitchOver(run, {}).execute({});
  ASSERT_TRUE(report.switched) << report.given_up_because;
  expect_all_the_same();
  write_on_target("there again");
}

TEST_F(ThereAndBack, by_other_processes_and_after_restarts_of_both_servers) {
  begin_shop(source_server());
  open().advance(Until::armed, {});
  ASSERT_TRUE(SwitchOver(*run_, {}).execute({}).switched);
  run_.reset();
  source_.reset();
  for (auto* server : {server_, &target_server()}) {
    server->kill_hard();
    server->start_again();
  }
  source_.emplace(server_->endpoint(), mysql::Side::source);
  sql("USE app");
  write_on_target("there");
  EXPECT_EQ(open().serves(), cutover::Serves::target);
  run_->follow_back();
  write_on_target("more");
  run_->wait_followed({});
  run_.reset();
  write_on_target("unseen");
  open().make_ready_for_rollback({});
  ASSERT_TRUE(SwitchOver(*run_, {}).execute({}).switched);
  run_.reset();
  EXPECT_EQ(open().serves(), cutover::Serves::source);
  EXPECT_FALSE(SwitchOver(*run_, {}).recover().switched) << "nothing is left to finish";
  expect_all_the_same();
  write(*source_, "back");
}

TEST_F(ThereAndBack, a_difference_on_the_old_source_is_found_before_it_serves_again) {
  begin_shop(source_server());
  auto& run = open();
  run.advance(Until::armed, {});
  ASSERT_TRUE(SwitchOver(run, {}).execute({}).switched);
  run.make_ready_for_rollback({});
  write_on_target("there");
  run.wait_followed({});
  sql("UPDATE t SET v = v + 1 WHERE u = 'there'");  // our account passes read_only
  const auto report = SwitchOver(run, {}).execute({});
  EXPECT_FALSE(report.switched);
  EXPECT_NE(report.given_up_because.find("differ"), std::string::npos) << report.given_up_because;
  write_on_target("still");
}

/// Plants one statement on the target after the comparison; the switch must see what it did and leave the source
/// serving.
class PlantedAtTheSwitch : public Moves {
 protected:
  void expect_seen(const std::string& planted) {
    {
      mysql::Session target(target_server().endpoint(), mysql::Side::target);
      target.execute(planted);
    }
    const auto report = SwitchOver(*run_, {}).execute({});
    EXPECT_FALSE(report.switched) << planted;
    EXPECT_NE(report.given_up_because.find("differ"), std::string::npos) << report.given_up_because;
    EXPECT_TRUE(run_->poisoned().has_value());
    sql("UPDATE t SET v = v + 1 WHERE id = 1");  // the source serves
  }
  /// Changes rows at the source, and returns when the follow has applied them.
  void change(const std::string& statement) {
    sql(statement);
    run_->wait_followed({});
  }
};

TEST_F(PlantedAtTheSwitch, in_one_of_the_rows_that_changed_since_the_comparison) {
  begin(source_server(), "CREATE TABLE t (id INT PRIMARY KEY, v INT);\nINSERT INTO t VALUES (1,1),(2,2),(3,3);\n");
  open().advance(Until::verified, {});
  change("UPDATE t SET v = v + 10");
  expect_seen("UPDATE app.t SET v = v + 1 WHERE id = 2");
}

TEST_F(PlantedAtTheSwitch, in_one_of_many_changed_rows_that_are_compared_ahead) {
  begin(source_server(), "CREATE TABLE t (id INT PRIMARY KEY, v INT);\n");
  sql("SET SESSION cte_max_recursion_depth=100000");
  sql("INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<3000) SELECT i, i FROM n");
  open().advance(Until::verified, {});
  change("UPDATE t SET v = v + 10");
  EXPECT_EQ(run_->changed_keys().size(), 3000U);
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_THROW(narrow_changed_rows(*run_, stopped.get_token()), Failure);
  EXPECT_EQ(run_->changed_keys().size(), 3000U) << "what was taken and not compared is lost";
  narrow_changed_rows(*run_, {});
  EXPECT_EQ(run_->changed_keys().size(), 0U) << "rows at rest and equal are not compared again";
  change("UPDATE t SET v = v + 10");
  expect_seen("DELETE FROM app.t WHERE id = 1234");
}

TEST_F(PlantedAtTheSwitch, in_a_table_without_a_key) {
  begin(source_server(),
        "CREATE TABLE t (id INT PRIMARY KEY, v INT);\nINSERT INTO t VALUES (1,1);\n"
        "CREATE TABLE heap (a INT, b VARCHAR(20));\nINSERT INTO heap VALUES (1,'x'),(1,'x');\n");
  open().advance(Until::verified, {});
  change("INSERT INTO heap VALUES (2,'y')");
  expect_seen("UPDATE app.heap SET b = 'X' WHERE a = 1 LIMIT 1");
}

TEST_F(PlantedAtTheSwitch, in_a_row_that_the_comparison_could_not_judge) {
  begin(source_server(), "CREATE TABLE t (id INT PRIMARY KEY, v INT);\nINSERT INTO t VALUES (1,1),(2,2);\n");
  open().advance(Until::verified, {});
  run_->changed_keys().put_back({"app", "t"}, {{"2"}});
  expect_seen("UPDATE app.t SET v = 3 WHERE id = 2");
}

}  // namespace
}  // namespace reseal::run

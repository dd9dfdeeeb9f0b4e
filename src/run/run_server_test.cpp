// SPDX-License-Identifier: Apache-2.0
// The phases on real servers with what breaks such tools. Each test moves one small schema and compares it exactly.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "base/failure.hpp"
#include "fence/source_fence.hpp"
#include "run/changed_rows.hpp"
#include "run/run.hpp"
#include "run/switch_over.hpp"
#include "sandbox/test_server.hpp"

namespace reseal::run {
namespace {

using base::Failure;
using base::FailureKind;
using sandbox::ServerOptions;
using sandbox::TestServer;

/// One source per setting and one target for all; each test has a state folder and leaves both servers empty.
class Moves : public ::testing::Test {
 protected:
  static TestServer& target_server() {
    static TestServer server(ServerOptions::encrypted_target());
    return server;
  }
  static TestServer& source_server() {
    static TestServer server(ServerOptions::plain_source());
    return server;
  }

  void begin(TestServer& source, const std::string& schema_statements) {
    server_ = &source;
    source_.emplace(source.endpoint(), mysql::Side::source);
    sql("CREATE DATABASE app");
    sql("USE app");
    for (const auto& statement : split(schema_statements)) sql(statement);
    state_ = std::filesystem::temp_directory_path() / ("reseal-run-test-" + std::to_string(::getpid()));
  }

  void TearDown() override { finish(); }

  /// Leaves both servers empty; a test with a source of its own calls it before that one goes.
  void finish() {
    if (!source_) return;
    run_.reset();
    fence::SourceFence(*source_).lower();
    mysql::Session target(target_server().endpoint(), mysql::Side::target);
    fence::open_standby(target);
    for (const auto* drop : {"DROP DATABASE IF EXISTS app", "DROP DATABASE IF EXISTS reseal"}) {
      sql(drop);
      target.execute(drop);
    }
    std::filesystem::remove_all(state_);
    source_.reset();
  }

  static std::vector<std::string> split(const std::string& statements) {
    std::vector<std::string> out;
    std::size_t from = 0;
    for (auto at = statements.find(";\n"); at != std::string::npos; from = at + 2, at = statements.find(";\n", from))
      out.push_back(statements.substr(from, at - from));
    return out;
  }

  void sql(const std::string& statement) { source_->execute(statement); }

  run::Run& open() {
    RunOptions options;
    options.source = server_->endpoint();
    options.target = target_server().endpoint();
    options.state_folder = state_;
    options.bytes_per_chunk = 1 << 16;
    run_.emplace(options, log_);
    return *run_;
  }

  /// The same query on both servers.
  void expect_same(const std::string& query) {
    mysql::Session target(target_server().endpoint(), mysql::Side::target);
    target.execute("USE app");
    const auto on_source = source_->query(query);
    EXPECT_FALSE(on_source.empty()) << query;
    EXPECT_EQ(on_source, target.query(query)) << query;
  }

  TestServer* server_ = nullptr;
  std::optional<mysql::Session> source_;
  std::filesystem::path state_;
  base::Log log_{base::Log::Level::quiet};
  std::optional<run::Run> run_;
};

constexpr const char* typed_documents =
    "CREATE TABLE d (id INT PRIMARY KEY, j JSON);\n"
    "INSERT INTO d VALUES (1, JSON_OBJECT('dec', CAST('1.10' AS DECIMAL(10,2)), 'dt', TIMESTAMP'2024-02-29 "
    "12:34:56.789',"
    " 't', TIME'-01:02:03.5', 'd', DATE'2024-02-29', 'b', x'CAFE00', 'r', 1e25, 'u', CAST(7 AS UNSIGNED), 'n', "
    "NULL));\n"
    "INSERT INTO d VALUES (2, '[1.0, 5000000000, \"2024-02-29\", {}, [], \"\"]'), (3, NULL), (4, 'null'),"
    " (5, JSON_ARRAY(5000000000, 12345678901234567890123456789012345678901234567890.123));\n";

constexpr const char* every_type =
    "SELECT id, CAST(j AS CHAR), JSON_TYPE(j), (SELECT GROUP_CONCAT(CONCAT(IFNULL(JSON_TYPE(v),'~'),'=',IFNULL(v,'~'))"
    " ORDER BY o) FROM JSON_TABLE(j,'$.*' COLUMNS(o FOR ORDINALITY, v JSON PATH '$')) p), (SELECT"
    " GROUP_CONCAT(CONCAT(IFNULL(JSON_TYPE(v),'~'),'=',IFNULL(v,'~')) ORDER BY o) FROM JSON_TABLE(j,'$[*]' COLUMNS(o "
    "FOR"
    " ORDINALITY, v JSON PATH '$')) p) FROM d ORDER BY id";

TEST_F(Moves, json_keeps_types_and_bytes_through_copy_and_follow) {
  begin(source_server(), typed_documents);
  auto& run = open();
  run.advance(Until::caught_up, {});
  expect_same(every_type);
  sql("INSERT INTO d SELECT id + 10, j FROM d");
  sql("UPDATE d SET j = JSON_SET(j, '$.dec', CAST('2.50' AS DECIMAL(10,2)), '$.more', TIME'10:00:00') WHERE id = 11");
  run.advance(Until::verified, {});
  expect_same(every_type);
}

TEST_F(Moves, changes_of_every_shape_follow_exactly) {
  begin(source_server(),
        "CREATE TABLE t (id INT PRIMARY KEY, u VARCHAR(30) UNIQUE, v INT, b VARBINARY(20), f FLOAT, e ENUM('a','b'),"
        " s SET('x','y','z'), bits BIT(40), ts TIMESTAMP(3) NULL, g INT AS (v + 1), KEY (v));\n"
        "CREATE TABLE pair (a VARCHAR(20) COLLATE utf8mb4_0900_ai_ci, b ENUM('p','q'), n INT, PRIMARY KEY (a, b));\n"
        "CREATE TABLE heap (a INT, b VARCHAR(20));\n"
        "INSERT INTO t (id,u,v,b,f,e,s,bits,ts) VALUES (1,'one',1,x'00FF00',0.1,'a','x,z',b'101','2024-01-01 "
        "00:00:00.5'),"
        "(2,'two',2,x'',16777217,'b','',b'0',NULL),(3,'three',3,NULL,-0.0,NULL,NULL,NULL,'1970-01-01 00:00:01');\n"
        "INSERT INTO pair VALUES ('A','p',1),('b','q',2);\n"
        "INSERT INTO heap VALUES (1,'x'),(1,'x'),(1,'X'),(NULL,NULL);\n");
  auto& run = open();
  run.advance(Until::caught_up, {});
  sql("START TRANSACTION");
  sql("UPDATE t SET u = NULL WHERE id = 1");
  sql("UPDATE t SET u = 'one' WHERE id = 2");
  sql("UPDATE t SET u = 'two' WHERE id = 1");
  sql("UPDATE t SET id = 99 WHERE id = 3");
  sql("COMMIT");
  sql("UPDATE pair SET a = 'a' WHERE a = 'A'");
  sql("UPDATE pair SET b = 'p', n = 3 WHERE a = 'b'");
  sql("DELETE FROM heap WHERE a = 1 LIMIT 1");
  sql("UPDATE heap SET b = 'y' WHERE BINARY b = 'X'");
  sql("REPLACE INTO t (id,u,v) VALUES (1,'one',7)");
  sql("INSERT INTO t (id,u,v) VALUES (2,'four',1) ON DUPLICATE KEY UPDATE v = 5");
  run.advance(Until::verified, {});
  expect_same("SELECT id,u,v,HEX(b),CAST(f AS DOUBLE),e+0,s+0,bits+0,ts,g FROM t ORDER BY id");
  expect_same("SELECT HEX(a), b+0, n FROM pair ORDER BY 1");
  expect_same("SELECT a, HEX(b), COUNT(*) FROM heap GROUP BY 1,2 ORDER BY 1,2");
}

TEST_F(Moves, a_transaction_larger_than_memory_bounds_is_applied_whole) {
  begin(source_server(), "CREATE TABLE big (id INT PRIMARY KEY, p VARCHAR(500));\nINSERT INTO big VALUES (0,'');\n");
  auto& run = open();
  run.advance(Until::caught_up, {});
  sql("SET SESSION cte_max_recursion_depth=1000000");
  sql("START TRANSACTION");
  sql("INSERT INTO big WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<60000)"
      " SELECT i, REPEAT('x', 400) FROM n");
  sql("UPDATE big SET id = id + 1000000 WHERE id % 3 = 0");
  sql("DELETE FROM big WHERE id % 5 = 0");
  sql("COMMIT");
  run.advance(Until::verified, {});
  expect_same("SELECT COUNT(*), SUM(id), SUM(CRC32(p)) FROM big");
}

TEST_F(Moves, a_divergence_poisons_the_run_and_it_never_arms_again) {
  begin(source_server(), "CREATE TABLE t (id INT PRIMARY KEY, v INT);\nINSERT INTO t VALUES (1,1),(2,2);\n");
  open().advance(Until::caught_up, {});
  {
    mysql::Session target(target_server().endpoint(), mysql::Side::target);
    target.execute("DELETE FROM app.t WHERE id = 2");
  }
  sql("UPDATE t SET v = 3 WHERE id = 2");
  try {
    run_->advance(Until::verified, {});
    FAIL() << "the missing row was not seen";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.kind(), FailureKind::divergence) << failure.what();
  }
  run_.reset();
  EXPECT_THROW(open().advance(Until::verified, {}), Failure);
}

TEST_F(Moves, a_row_that_only_the_comparison_can_see_is_found_and_a_clean_pass_lifts_the_poison) {
  begin(source_server(), "CREATE TABLE t (id INT PRIMARY KEY, v INT);\nINSERT INTO t VALUES (1,1),(2,2);\n");
  open().advance(Until::caught_up, {});
  mysql::Session target(target_server().endpoint(), mysql::Side::target);
  target.execute("UPDATE app.t SET v = 9 WHERE id = 2");
  EXPECT_THROW(run_->advance(Until::verified, {}), Failure);
  EXPECT_TRUE(run_->poisoned().has_value());
  target.execute("UPDATE app.t SET v = 2 WHERE id = 2");
  run_->verify({});
  EXPECT_FALSE(run_->poisoned().has_value());
}

TEST_F(Moves, a_schema_change_stops_the_run_with_a_clear_message) {
  begin(source_server(), "CREATE TABLE t (id INT PRIMARY KEY, v INT);\n");
  open().advance(Until::caught_up, {});
  sql("ALTER TABLE t ADD w INT");
  try {
    run_->advance(Until::verified, {});
    FAIL() << "the schema change was not seen";
  } catch (const Failure& failure) {
    EXPECT_NE(std::string(failure.what()).find("ALTER TABLE"), std::string::npos) << failure.what();
  }
  run_.reset();
  EXPECT_THROW(open(), Failure) << "another schema than the run began with";
}

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
  blocker.execute("UNLOCK TABLES");
  sql("INSERT INTO t VALUES (1)");
  EXPECT_TRUE(SwitchOver(run, {}).execute({}).switched);
  expect_same("SELECT id FROM app.t");
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

class OtherSources : public Moves {
 protected:
  /// Runs the statements again and again, `?` being a number from 0 to 199, until the returned thread is stopped.
  std::jthread write_all_the_time(std::vector<std::string> statements) {
    return std::jthread([this, statements = std::move(statements)](std::stop_token stop) {
      mysql::Session session(server_->endpoint(), mysql::Side::source);
      session.execute("USE app");
      for (unsigned n = 0; !stop.stop_requested(); n = (n * 37 + 11) % 200, ++written_) {
        for (auto statement : statements) {
          for (auto at = statement.find('?'); at != std::string::npos; at = statement.find('?'))
            statement.replace(at, 1, std::to_string(n));
          session.execute(statement);
        }
      }
    });
  }
  /// Copies and follows while the statements run; then they end, and everything must be equal.
  void move_under(std::vector<std::string> statements) {
    auto writer = write_all_the_time(std::move(statements));
    auto& run = open();
    run.advance(Until::seeded, {});
    const auto during_the_copy = written_.load();
    run.advance(Until::caught_up, {});
    writer.request_stop();
    writer.join();
    EXPECT_GT(during_the_copy, 0U) << "nothing was written during the copy: this proves nothing";
    run.advance(Until::verified, {});
  }

  std::atomic<unsigned> written_ = 0;
};

constexpr const char* two_hundred_documents =
    "CREATE TABLE w (id INT PRIMARY KEY, u INT UNIQUE, v INT DEFAULT 5, j JSON, pad VARCHAR(2000));\n"
    "INSERT INTO w WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i<199) SELECT i, i, i,"
    " JSON_OBJECT('a', i, 'd', CAST('1.10' AS DECIMAL(10,2)), 'text', REPEAT('x', 300)), REPEAT('p', 2000) FROM n;\n";

const std::vector<std::string> writes_of_every_shape = {
    "UPDATE w SET v = v + 1 WHERE id = ?",
    "UPDATE w SET j = JSON_SET(j, '$.a', ? + v, '$.d', CAST('2.50' AS DECIMAL(10,2))) WHERE id = ?",
    "UPDATE w SET u = NULL WHERE id = (? + 1) % 200",
    "UPDATE w SET u = (? + 1) % 200 WHERE id = (? + 1) % 200",
    "DELETE FROM w WHERE id = (? + 7) % 200",
    "INSERT INTO w (id, u, j) VALUES ((? + 7) % 200, (? + 7) % 200, JSON_ARRAY(?))"};
constexpr const char* every_column =
    "SELECT id, u, v, CAST(j AS CHAR), JSON_TYPE(JSON_EXTRACT(j, '$.d')), SHA2(pad, 256) FROM w ORDER BY id";

TEST_F(OtherSources, minimal_images_while_the_copy_runs) {
  auto options = ServerOptions::plain_source();
  options.row_image = "MINIMAL";
  TestServer source(options);
  begin(source, two_hundred_documents);
  move_under(writes_of_every_shape);
  expect_same(every_column);
  finish();
}

TEST_F(OtherSources, partial_json_and_moving_keys_while_the_copy_runs) {
  auto options = ServerOptions::plain_source();
  options.partial_json = true;
  TestServer source(options);
  begin(source, two_hundred_documents);
  auto writes = writes_of_every_shape;
  writes.emplace_back("UPDATE w SET id = id + 1000 WHERE id = (? + 9) % 200");
  writes.emplace_back("UPDATE w SET id = id - 1000 WHERE id > 999");
  move_under(writes);
  expect_same(every_column);
  finish();
}

TEST_F(OtherSources, minimal_images_and_file_positions) {
  auto options = ServerOptions::plain_source();
  options.gtid = false;
  options.row_image = "MINIMAL";
  TestServer source(options);
  begin(source,
        "CREATE TABLE t (id INT PRIMARY KEY, u INT UNIQUE, v INT DEFAULT 5, j JSON);\n"
        "INSERT INTO t VALUES (1,1,1,'{\"a\": 1}'),(2,2,2,NULL);\n");
  auto& run = open();
  run.advance(Until::caught_up, {});
  sql("UPDATE t SET v = 10 WHERE id = 1");
  sql("INSERT INTO t (id, u) VALUES (3, 3)");
  sql("UPDATE t SET id = 20 WHERE id = 2");
  sql("UPDATE t SET j = JSON_SET(j, '$.b', 2) WHERE id = 1");
  sql("START TRANSACTION");
  sql("UPDATE t SET u = NULL WHERE id = 1");
  sql("UPDATE t SET u = 1 WHERE id = 3");
  sql("COMMIT");
  sql("FLUSH BINARY LOGS");
  sql("DELETE FROM t WHERE id = 20");
  run.advance(Until::verified, {});
  expect_same("SELECT * FROM t ORDER BY id");
  EXPECT_TRUE(SwitchOver(run, {}).execute({}).switched);
  finish();
}

TEST_F(OtherSources, compressed_transactions_and_partial_json) {
  auto options = ServerOptions::plain_source();
  options.compress_transactions = true;
  options.partial_json = true;
  TestServer source(options);
  begin(source, typed_documents);
  auto& run = open();
  run.advance(Until::caught_up, {});
  sql("UPDATE d SET j = JSON_SET(j, '$.dec', CAST('2.50' AS DECIMAL(10,2)), '$.more', TIME'10:00:00') WHERE id = 1");
  sql("UPDATE d SET j = JSON_ARRAY_APPEND(j, '$', DATE'2020-01-01') WHERE id = 2");
  sql("UPDATE d SET j = JSON_REMOVE(j, '$[1]') WHERE id = 2");
  run.advance(Until::verified, {});
  expect_same(every_type);
  finish();
}

TEST_F(OtherSources, commits_that_stall_between_log_and_engine_lose_no_row) {
  auto options = ServerOptions::plain_source();
  options.semi_sync = true;
  TestServer source(options);
  begin(source, "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v INT);\nINSERT INTO t (v) VALUES (1),(2),(3);\n");
  sql("SET GLOBAL rpl_semi_sync_source_wait_point='AFTER_SYNC'");
  sql("SET GLOBAL rpl_semi_sync_source_wait_for_replica_count=1");
  sql("SET GLOBAL rpl_semi_sync_source_timeout=200");
  // Nobody acknowledges: each commit stalls for the time-out, its event in the log and its row invisible; then the
  // server gives semi-synchronous replication up, and the writer turns it on again.
  std::jthread writer([&](std::stop_token stop) {
    mysql::Session session(source.endpoint(), mysql::Side::source);
    while (!stop.stop_requested()) {
      session.execute("SET GLOBAL rpl_semi_sync_source_enabled=OFF");
      session.execute("SET GLOBAL rpl_semi_sync_source_enabled=ON");
      session.execute("INSERT INTO app.t (v) VALUES (4),(5)");
    }
  });
  auto& run = open();
  run.advance(Until::verified, {});
  writer.request_stop();
  writer.join();
  EXPECT_NE(source_->scalar("SELECT VARIABLE_VALUE FROM performance_schema.global_status WHERE"
                            " VARIABLE_NAME='Rpl_semi_sync_source_no_tx'"),
            "0")
      << "no commit stalled: this proves nothing";
  EXPECT_TRUE(SwitchOver(run, {}).execute({}).switched);
  expect_same("SELECT COUNT(*), SUM(id), SUM(v) FROM t");
  finish();
}

}  // namespace
}  // namespace reseal::run

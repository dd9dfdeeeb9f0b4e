// SPDX-License-Identifier: Apache-2.0
// The phases on real servers with what breaks such tools. Each test moves one small schema and compares it exactly.
#include <atomic>
#include <thread>

#include "run/moves_fixture_for_tests.hpp"

namespace reseal::run {
namespace {

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

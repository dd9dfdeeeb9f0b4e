// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "base/failure.hpp"
#include "binlog/binlog_file_for_tests.hpp"
#include "binlog/transaction_assembler.hpp"
#include "mysql/binlog_stream.hpp"
#include "mysql/schema_reader.hpp"
#include "sandbox/test_server.hpp"

namespace reseal::binlog {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Notes what it is told, one short line each; numbers of rows instead of rows.
class Notes final : public TransactionSink {
 public:
  void begin(const Begin& begin) override {
    lines.emplace_back(begin.gtid && !begin.gtid->tag.empty() ? "begin " + begin.gtid->tag : "begin");
    EXPECT_GT(begin.immediate_commit_us, 1700000000000000U);
    last_begin = begin;
  }
  void rows(Rows rows) override {
    RowChange row;
    std::size_t count = 0;
    while (rows.rows.next(row).value()) ++count;
    lines.push_back("rows " + rows.table->name.name + " " + std::to_string(count) +
                    (rows.last_of_statement ? "." : ""));
  }
  void statement(const Statement& statement) override {
    lines.push_back((statement.standalone ? "statement " : "inner statement ") + statement.kind +
                    std::string(statement.query.schema) + ": " + std::string(statement.query.text));
  }
  void savepoint(const std::string& name) override { lines.push_back("savepoint " + name); }
  void rollback_to(const std::string& name) override { lines.push_back("rollback to " + name); }
  void commit(const End& end) override {
    lines.emplace_back("commit");
    last_end = end;
  }
  void rollback(const End& end) override {
    lines.emplace_back("rollback");
    last_end = end;
  }
  void heartbeat(const sql::BinlogPosition& position) override { last_heartbeat = position; }
  void rotate(const sql::BinlogPosition& position) override { rotations.push_back(position.text()); }

  std::vector<std::string> lines;
  std::vector<std::string> rotations;
  Begin last_begin;
  End last_end;
  sql::BinlogPosition last_heartbeat;
};

class Transactions : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = std::make_unique<sandbox::TestServer>(sandbox::ServerOptions{});
    session_ = std::make_unique<mysql::Session>(server_->connect(mysql::Side::source));
    session_->execute("CREATE DATABASE d");
    session_->execute("USE d");
    session_->execute("CREATE TABLE t (id INT PRIMARY KEY, v INT)");
    session_->execute("CREATE TABLE old (id INT PRIMARY KEY) ENGINE=MyISAM");
  }
  static void TearDownTestSuite() {
    session_.reset();
    server_.reset();
  }
  /// Every test reads a file of its own.
  void SetUp() override {
    session_->execute("SET SESSION binlog_format = 'ROW', binlog_transaction_compression = OFF");
    session_->execute("TRUNCATE t");
    session_->execute("FLUSH BINARY LOGS");
  }

  static std::string file() { return mysql::binlog_end(*session_, mysql::server_facts(*session_)).binlog.file; }
  static std::vector<EventBytes> events() { return events_of_file(server_->data_folder() / file()); }

  static std::string feed_all(Notes& notes) {
    TransactionAssembler assembler({.start = {file(), 4}});
    for (const auto& event : events()) {
      const auto fed = assembler.feed(event, notes);
      if (!fed.ok()) return fed.error();
    }
    EXPECT_EQ(assembler.position(), mysql::binlog_end(*session_, mysql::server_facts(*session_)).binlog);
    return assembler.in_transaction() ? "ends inside a transaction" : "";
  }

  static std::unique_ptr<sandbox::TestServer> server_;
  static std::unique_ptr<mysql::Session> session_;
};

std::unique_ptr<sandbox::TestServer> Transactions::server_;
std::unique_ptr<mysql::Session> Transactions::session_;

TEST_F(Transactions, of_rows_begin_and_commit) {
  session_->execute("BEGIN");
  session_->execute("INSERT INTO t VALUES (1, 1), (2, 2)");
  session_->execute("UPDATE t SET v = 3");
  session_->execute("COMMIT");
  Notes notes;
  EXPECT_EQ(feed_all(notes), "");
  EXPECT_THAT(notes.lines, ElementsAre("begin", "rows t 2.", "rows t 2.", "commit"));
  EXPECT_EQ(notes.last_begin.gtid->text(), notes.last_end.gtid->text());
  EXPECT_EQ(notes.last_end.position.offset, notes.last_begin.start.offset + notes.last_begin.transaction_length);
}

TEST_F(Transactions, of_ddl_are_one_statement) {
  session_->execute("CREATE TABLE `x y` (id INT PRIMARY KEY)");
  session_->execute("DROP TABLE `x y`");
  Notes notes;
  EXPECT_EQ(feed_all(notes), "");
  EXPECT_THAT(notes.lines, ElementsAre("begin", "statement d: CREATE TABLE `x y` (id INT PRIMARY KEY)", "commit",
                                       "begin", HasSubstr("statement d: DROP TABLE `x y`"), "commit"));
}

TEST_F(Transactions, of_create_select_hold_the_table_and_its_rows) {
  session_->execute("CREATE TABLE made (id INT PRIMARY KEY) SELECT 1 AS id UNION SELECT 2");
  session_->execute("DROP TABLE made");
  Notes notes;
  EXPECT_EQ(feed_all(notes), "");
  ASSERT_GE(notes.lines.size(), 4U);
  EXPECT_EQ(notes.lines[0], "begin");
  EXPECT_THAT(notes.lines[1], HasSubstr("inner statement d: CREATE TABLE `made`"));
  EXPECT_EQ(notes.lines[2], "rows made 2.");
  EXPECT_EQ(notes.lines[3], "commit");
}

TEST_F(Transactions, in_statement_format_are_told_as_such) {
  session_->execute("SET SESSION binlog_format = 'STATEMENT'");
  session_->execute("SET @a = 5");
  session_->execute("INSERT INTO t VALUES (@a, RAND())");
  Notes notes;
  EXPECT_EQ(feed_all(notes), "");
  EXPECT_THAT(notes.lines, ElementsAre("begin", "inner statement RAND: ", "inner statement USER_VAR: ",
                                       "inner statement d: INSERT INTO t VALUES (@a, RAND())", "commit"));
}

TEST_F(Transactions, with_tags_and_compression) {
  session_->execute("SET SESSION binlog_transaction_compression = ON");
  session_->execute("SET gtid_next = 'AUTOMATIC:tag_1'");
  session_->execute("INSERT INTO t VALUES (1, 1)");
  session_->execute("SET gtid_next = 'AUTOMATIC'");
  session_->execute(
      "INSERT INTO t SELECT n + 10, 1 FROM (WITH RECURSIVE s AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM s "
      "WHERE n < 900) SELECT n FROM s) x");
  Notes notes;
  EXPECT_EQ(feed_all(notes), "");
  EXPECT_EQ(notes.lines.front(), "begin tag_1");
  EXPECT_EQ(notes.lines.back(), "commit");
  bool compressed = false;
  for (const auto& event : events())
    compressed |= parse_event_header(*event).value().type == EventType::transaction_payload;
  EXPECT_TRUE(compressed);
}

TEST_F(Transactions, with_savepoints) {
  session_->execute("BEGIN");
  session_->execute("INSERT INTO t VALUES (1, 1)");
  session_->execute("SAVEPOINT `a``b`");
  session_->execute("INSERT INTO t VALUES (2, 1)");
  session_->execute("ROLLBACK TO `a``b`");
  session_->execute("COMMIT");
  Notes notes;
  EXPECT_EQ(feed_all(notes), "");
  EXPECT_EQ(notes.lines.front(), "begin");
  EXPECT_THAT(notes.lines, testing::Contains("savepoint a`b"));
  EXPECT_EQ(notes.lines.back(), "commit");
}

TEST_F(Transactions, that_are_empty_still_move_the_gtid) {
  const auto uuid = *session_->scalar("SELECT UUID()");
  session_->execute("SET gtid_next = '" + uuid + ":7'");
  session_->execute("BEGIN");
  session_->execute("COMMIT");
  session_->execute("SET gtid_next = 'AUTOMATIC'");
  Notes notes;
  EXPECT_EQ(feed_all(notes), "");
  EXPECT_THAT(notes.lines, ElementsAre("begin", "commit"));
  EXPECT_EQ(notes.last_end.gtid->text(), uuid + ":7");
}

TEST_F(Transactions, of_xa_in_one_phase_commit) {
  session_->execute("XA START 'x''y', 'branch'");
  session_->execute("INSERT INTO t VALUES (1, 1)");
  session_->execute("XA END 'x''y', 'branch'");
  session_->execute("XA COMMIT 'x''y', 'branch' ONE PHASE");
  Notes notes;
  EXPECT_EQ(feed_all(notes), "");
  EXPECT_THAT(notes.lines, ElementsAre("begin", "rows t 1.", "commit"));
}

TEST_F(Transactions, of_xa_in_two_phases_are_refused) {
  session_->execute("XA START 'two'");
  session_->execute("INSERT INTO t VALUES (1, 1)");
  session_->execute("XA END 'two'");
  session_->execute("XA PREPARE 'two'");
  session_->execute("XA ROLLBACK 'two'");
  Notes notes;
  EXPECT_THAT(feed_all(notes), HasSubstr("two-phase XA transactions are not supported yet"));
}

TEST_F(Transactions, come_over_a_live_stream_with_positions_and_heartbeats) {
  const auto facts = mysql::server_facts(*session_);
  const auto start = mysql::binlog_end(*session_, facts);
  mysql::BinlogStreamOptions options;
  options.server_id = 4711;
  options.heartbeat = std::chrono::milliseconds(100);
  for (const bool by_gtid : {false, true}) {
    session_->execute("INSERT INTO t VALUES (" + std::to_string(by_gtid) + ", 1)");
    session_->execute("FLUSH BINARY LOGS");
    session_->execute("INSERT INTO t VALUES (" + std::to_string(10 + by_gtid) + ", 1)");
    const auto end = mysql::binlog_end(*session_, facts);
    mysql::BinlogStream stream(server_->endpoint(), start, by_gtid, options);
    TransactionAssembler assembler({.start = start.binlog});
    Notes notes;
    while (notes.last_heartbeat != end.binlog) {
      const auto event = stream.next({});
      ASSERT_TRUE(event);
      const auto fed = assembler.feed(*event, notes);
      ASSERT_TRUE(fed.ok()) << fed.error();
    }
    EXPECT_EQ(notes.last_end.position, end.binlog);
    EXPECT_EQ(notes.lines.back(), "commit");
    EXPECT_GE(notes.rotations.size(), 1U);
  }
}

}  // namespace
}  // namespace reseal::binlog

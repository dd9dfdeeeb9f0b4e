// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <memory>

#include "base/failure.hpp"
#include "binlog/binlog_file_for_tests.hpp"
#include "binlog/column_corpus_for_tests.hpp"
#include "binlog/mirror_for_tests.hpp"
#include "binlog/transaction_assembler.hpp"
#include "mysql/schema_reader.hpp"
#include "sandbox/test_server.hpp"

namespace reseal::binlog {
namespace {

struct Setting {
  std::string name;
  std::string row_image = "FULL";
  std::string row_metadata = "MINIMAL";
  bool compress = false;
  bool partial_json = false;
};

std::ostream& operator<<(std::ostream& out, const Setting& setting) { return out << setting.name; }

/// What the server wrote is decoded from its files and replayed as literals into a copy; then the server compares.
class EveryColumnType : public testing::TestWithParam<Setting> {
 protected:
  void SetUp() override {
    sandbox::ServerOptions options;
    options.row_image = GetParam().row_image;
    options.row_metadata = GetParam().row_metadata;
    options.compress_transactions = GetParam().compress;
    options.partial_json = GetParam().partial_json;
    options.extra = {"--sync-binlog=0", "--innodb-flush-log-at-trx-commit=0"};
    server_ = std::make_unique<sandbox::TestServer>(options);
    session_ = std::make_unique<mysql::Session>(server_->connect(mysql::Side::source));
    session_->execute("SET SESSION sql_mode = '', time_zone = '+00:00', sql_log_bin = 0");
    session_->execute("CREATE DATABASE `from`");
    session_->execute("CREATE DATABASE `to`");
    session_->execute("SET SESSION sql_log_bin = 1");
  }

  std::string new_table(const std::string& definition) {
    const auto name = "t" + std::to_string(++tables_);
    session_->execute("CREATE TABLE `from`." + name + " " + definition);
    session_->execute("CREATE TABLE `to`." + name + " " + definition);
    return "`from`." + name;
  }

  /// A row per value, each then updated to the next value, the first then deleted.
  void write(const ColumnCase& column) {
    const auto table = new_table("(id INT PRIMARY KEY, v " + column.type + ")");
    const auto& values = column.values;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto set = " (id, v) VALUES (" + std::to_string(i) + ", ";
      session_->execute("INSERT INTO " + table + set + values[i] + ")");
      const auto next = values[(i + 1) % values.size()];
      session_->execute("INSERT INTO " + table + " (id, v) VALUES (" + std::to_string(i + 1000) + ", " + values[i] +
                        ")");
      session_->execute("UPDATE " + table + " SET v = " + next + " WHERE id = " + std::to_string(i + 1000));
    }
    session_->execute("DELETE FROM " + table + " WHERE id = 0");
  }

  void write_character_sets() {
    std::string bytes;
    for (int c = 0; c < 256; ++c) bytes += "0123456789abcdef"[c / 16], bytes += "0123456789abcdef"[c % 16];
    for (const auto& row :
         session_->query("SELECT CHARACTER_SET_NAME, MAXLEN FROM information_schema.CHARACTER_SETS")) {
      const auto& name = *row[0];
      if (name == "binary") continue;
      const auto table = new_table("(id INT PRIMARY KEY, c CHAR(60) CHARACTER SET " + name +
                                   ", v VARCHAR(300) CHARACTER SET " + name + ", t TEXT CHARACTER SET " + name + ")");
      session_->execute("INSERT INTO " + table + " VALUES (1, 'átesting ', 'ÿ🍻\\'\\\\', 'a\\0b'), (2, '', ' ', 'x  ')");
      if (*row[1] == "1")
        session_->execute("INSERT IGNORE INTO " + table + " VALUES (3, '', _" + name + " x'" + bytes + "', _" + name +
                          " x'" + bytes + "')");
    }
    const auto table = new_table(
        "(id INT PRIMARY KEY, g VARCHAR(9) CHARACTER SET gbk, s CHAR(9) CHARACTER SET sjis, b "
        "VARCHAR(9) CHARACTER SET big5)");
    session_->execute("INSERT INTO " + table + " VALUES (1, _gbk x'bf5c', _sjis x'835c', _big5 x'a55c')");
  }

  void write_documents() {
    const auto table = new_table("(id INT PRIMARY KEY, n INT, a JSON, x VARCHAR(20), b JSON NOT NULL, t TEXT, e JSON)");
    session_->execute(
        "INSERT INTO " + table +
        " VALUES (1, 1, JSON_OBJECT('k', JSON_ARRAY(1, 2, 3), 's', REPEAT('x', 900), "
        "'it\\'s \"q\"', 1.10), 'x', JSON_ARRAY(1, JSON_OBJECT('d', CAST('2015-01-15' AS DATE)), REPEAT('y', "
        "900)), REPEAT('t', 500), NULL)");
    // No value for a NOT NULL document outside strict mode: an empty one is stored.
    session_->execute("INSERT INTO " + table + " (id, n) VALUES (2, 2)");
    for (const char* change :
         {"a = JSON_SET(a, '$.k[1]', 2.50)", "a = JSON_REPLACE(a, '$.k[0]', 'longer than before')",
          "a = JSON_REMOVE(a, '$.k[0]'), n = 5", "b = JSON_SET(b, '$[1].d', CAST('2016-01-01 01:02:03' AS DATETIME))",
          "a = JSON_SET(a, '$.new', CAST(7 AS UNSIGNED)), b = JSON_REMOVE(b, '$[0]')",
          "a = JSON_SET(a, '$.\"it\\'s \\\\\"q\\\\\"\"', x'cafe'), x = 'changed'", "a = JSON_SET(a, '$.k[9]', 1)",
          "b = JSON_SET(b, '$[0].deep', CAST('{\"a\": {\"b\": [1, 2]}}' AS JSON)), t = 'short'",
          "b = JSON_SET(b, '$[0].deep.a.b[1]', 1e25)", "e = JSON_OBJECT('a', 1)", "e = JSON_SET(e, '$.a', 2)",
          "e = NULL", "a = JSON_SET(a, '$.k[0]', 1, '$.k[1]', 2, '$.s', 'now short')", "t = NULL", "a = '[1]'",
          "n = n + 1"})
      session_->execute("UPDATE " + table + " SET " + change + " WHERE id = 1");
  }

  static std::string compared(const sql::Column& column) {
    const auto name = sql::quote_name(column.name);
    switch (column.family) {
      case sql::ColumnFamily::json:
        return "CAST(" + name + " AS CHAR), JSON_TYPE(" + name + ")";
      case sql::ColumnFamily::real32:
      case sql::ColumnFamily::real64:
        return "CAST(" + name + " AS DOUBLE), " + name;
      case sql::ColumnFamily::enumeration:
      case sql::ColumnFamily::set:
      case sql::ColumnFamily::bit:
        return name + " + 0, " + name;
      default:
        return "HEX(" + name + ")";
    }
  }

  /// The definitions of the tables whose copies are not the same.
  std::string differing_tables() {
    std::string different;
    for (const auto& table : mysql::read_tables(*session_, {"from"})) {
      const auto copy = "`to`." + sql::quote_name(table.name.name);
      std::string values = "id";
      for (const auto& column : table.columns) values += ", " + compared(column);
      const auto select = [&](const std::string& from) {
        return session_->query("SELECT " + values + " FROM " + from + " ORDER BY id");
      };
      const auto sums = session_->query("CHECKSUM TABLE " + table.name.quoted() + ", " + copy);
      if (select(copy) != select(table.name.quoted()) || sums[0][1] != sums[1][1]) different += table.create_statement;
    }
    return different;
  }

  std::unique_ptr<Mirror> replay() {
    const auto end = mysql::binlog_end(*session_, mysql::server_facts(*session_));
    session_->execute("SET SESSION sql_log_bin = 0");
    auto mirror = std::make_unique<Mirror>(*session_, mysql::read_tables(*session_, {"from"}), "from", "to");
    TransactionAssembler assembler({.start = {"", 4}});
    for (const auto& row : session_->query("SHOW BINARY LOGS")) {
      assembler = TransactionAssembler({.start = {*row[0], 4}});
      for (const auto& event : events_of_file(server_->data_folder() / *row[0])) {
        const auto fed = assembler.feed(event, *mirror);
        EXPECT_TRUE(fed.ok()) << fed.error();
        if (!fed.ok()) return mirror;
      }
    }
    EXPECT_FALSE(assembler.in_transaction());
    EXPECT_EQ(assembler.position(), end.binlog);
    EXPECT_TRUE(mirror->last_end.gtid && end.gtids.contains(*mirror->last_end.gtid));
    EXPECT_EQ(mirror->last_end.position, end.binlog);
    return mirror;
  }

  std::unique_ptr<sandbox::TestServer> server_;
  std::unique_ptr<mysql::Session> session_;
  int tables_ = 0;
};

TEST_P(EveryColumnType, arrives_exactly) {
  for (const auto& cases : {number_cases(), temporal_cases(), string_cases(), vector_cases(), json_cases()})
    for (const auto& column : cases) write(column);
  write_character_sets();
  write_documents();
  const auto mirror = replay();
  EXPECT_GT(mirror->changes, 1000U);
  if (GetParam().partial_json) {
    EXPECT_GT(mirror->json_diffs, 5U);
  }
  EXPECT_EQ(differing_tables(), "");
}

class ChangedCopy : public EveryColumnType {};

TEST_P(ChangedCopy, is_found) {
  write({"DOUBLE", {"0.1", "2e0"}});
  replay();
  EXPECT_EQ(differing_tables(), "");
  session_->execute("UPDATE `to`.t1 SET v = 0.10000000000000002 WHERE v = 0.1");
  EXPECT_NE(differing_tables(), "");
}

INSTANTIATE_TEST_SUITE_P(settings, EveryColumnType,
                         testing::Values(Setting{"full"}, Setting{"minimal_image", "MINIMAL", "FULL"},
                                         Setting{"noblob_image", "NOBLOB", "FULL", true},
                                         Setting{"compressed", "FULL", "FULL", true},
                                         Setting{"partial_json", "FULL", "MINIMAL", false, true},
                                         Setting{"partial_json_minimal", "MINIMAL", "FULL", true, true}),
                         [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(settings, ChangedCopy, testing::Values(Setting{"full"}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace reseal::binlog

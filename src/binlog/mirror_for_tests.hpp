// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "binlog/json_binary.hpp"
#include "binlog/json_diff.hpp"
#include "binlog/literal.hpp"
#include "binlog/transaction_sink.hpp"
#include "mysql/session.hpp"
#include "sql/quote.hpp"

namespace reseal::binlog {

/// Replays the row changes of one schema into another on the same server, one statement per row, found by the first
/// column. Keeps the JSON documents it has seen, so that changes of documents can be applied when the before image
/// does not hold them.
class Mirror final : public TransactionSink {
 public:
  Mirror(mysql::Session& session, const std::vector<sql::Table>& tables, std::string from, std::string to)
      : session_(session), from_(std::move(from)), to_(std::move(to)) {
    for (const auto& table : tables) tables_[table.name] = table;
  }

  void begin(const Begin& begin) override { last_begin = begin; }
  void rows(Rows rows) override {
    if (rows.table->name.schema != from_) return;
    RowChange row;
    while (true) {
      const auto more = rows.rows.next(row);
      ASSERT_TRUE(more.ok()) << more.error();
      if (!more.value()) break;
      replay(*rows.table, row);
    }
  }
  void statement(const Statement&) override {}
  void savepoint(const std::string&) override {}
  void rollback_to(const std::string&) override {}
  void commit(const End& end) override { last_end = end; }
  void rollback(const End& end) override { last_end = end; }
  void heartbeat(const sql::BinlogPosition&) override {}
  void rotate(const sql::BinlogPosition&) override {}

  Begin last_begin;
  End last_end;
  std::size_t changes = 0;
  std::size_t json_diffs = 0;

 private:
  void replay(const TableMap& map, const RowChange& row) {
    ++changes;
    const auto& table = tables_.at(map.name);
    ASSERT_EQ(table.columns.size(), map.columns.size());
    const auto name = sql::quote_name(to_, map.name.name);
    std::string statement;
    switch (row.kind) {
      case RowChange::Kind::insert: {
        std::string names;
        std::string values;
        for (std::size_t i = 0; i < table.columns.size(); ++i) {
          if (row.after.fields[i].state == Field::State::absent) continue;
          names += (names.empty() ? "" : ", ") + sql::quote_name(table.columns[i].name);
          values += values.empty() ? "" : ", ";
          append_value(values, map, table, row, i);
        }
        statement = "INSERT INTO " + name + " (" + names + ") VALUES (" + values + ")";
        break;
      }
      case RowChange::Kind::update: {
        std::string sets;
        for (std::size_t i = 0; i < table.columns.size(); ++i) {
          if (row.after.fields[i].state == Field::State::absent) continue;
          sets += (sets.empty() ? "" : ", ") + sql::quote_name(table.columns[i].name) + " = ";
          append_value(sets, map, table, row, i);
        }
        statement = "UPDATE " + name + " SET " + sets + " WHERE " + key(map, table, row.before);
        break;
      }
      case RowChange::Kind::remove:
        statement = "DELETE FROM " + name + " WHERE " + key(map, table, row.before);
    }
    const auto effect = session_.execute(statement);
    EXPECT_EQ(effect.affected_rows, 1U) << statement.substr(0, 300);
    // No literal stores an ENUM's error value without a warning.
    const bool has_enum = map.columns.back().type == FieldType::enumeration;
    // Nor does the server like a NOT NULL document left out, here or at the source.
    const bool left_out = row.kind == RowChange::Kind::insert && row.after.fields.back().state == Field::State::absent;
    EXPECT_TRUE(effect.warnings == 0 || has_enum || left_out) << statement.substr(0, 300);
  }

  static std::string key(const TableMap& map, const sql::Table& table, const RowImage& image) {
    std::string out = sql::quote_name(table.columns[0].name) + " = ";
    const auto appended = append_literal(out, map.columns[0], image.fields[0], table.columns[0]);
    EXPECT_TRUE(appended.ok()) << appended.error();
    return out;
  }

  void append_value(std::string& out, const TableMap& map, const sql::Table& table, const RowChange& row,
                    std::size_t i) {
    const auto& field = row.after.fields[i];
    if (map.columns[i].type == FieldType::json && field.state != Field::State::null) {
      auto& document = documents_[{map.name.name, row_id(row), i}];
      document = field.state == Field::State::json_diff ? patched(row, i, document) : document_of(field.raw);
      if (field.state == Field::State::json_diff) {
        sql::append_json_expression(out, document);
        return;
      }
    }
    const auto appended = append_literal(out, map.columns[i], field, table.columns[i]);
    EXPECT_TRUE(appended.ok()) << appended.error();
  }

  static std::string row_id(const RowChange& row) {
    const auto& image = row.kind == RowChange::Kind::insert ? row.after : row.before;
    return std::string(image.fields[0].raw);
  }

  static sql::JsonValue document_of(std::string_view raw) {
    auto document = parse_json_binary(raw);
    EXPECT_TRUE(document.ok()) << document.error();
    return document.ok() ? std::move(document).value() : sql::JsonValue();
  }

  sql::JsonValue patched(const RowChange& row, std::size_t i, const sql::JsonValue& known) {
    ++json_diffs;
    const auto& before = row.before.fields[i];
    if (before.state == Field::State::present) {
      EXPECT_EQ(document_of(before.raw), known);
    }
    const auto diffs = parse_json_diffs(row.after.fields[i].raw);
    EXPECT_TRUE(diffs.ok()) << diffs.error();
    auto after = apply_json_diffs(known, diffs.value());
    EXPECT_TRUE(after.ok()) << after.error();
    return after.ok() ? std::move(after).value() : sql::JsonValue();
  }

  mysql::Session& session_;
  std::string from_;
  std::string to_;
  std::map<sql::TableName, sql::Table> tables_;
  std::map<std::tuple<std::string, std::string, std::size_t>, sql::JsonValue> documents_;
};

}  // namespace reseal::binlog

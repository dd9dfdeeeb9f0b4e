// SPDX-License-Identifier: Apache-2.0
#include "seed/chunk_copy.hpp"

#include "base/failure.hpp"
#include "seed/exotic_json.hpp"
#include "seed/load_encoder.hpp"
#include "sql/quote.hpp"

namespace reseal::seed {
namespace {

using base::Failure;
using base::FailureKind;
using sql::ColumnFamily;

constexpr std::size_t rebuilt_bytes = 1 << 20;

/// Rows whose JSON must be rebuilt by expressions go in by INSERT; they wait here while a LOAD DATA runs.
class RebuiltRows {
 public:
  RebuiltRows(const sql::Table& table, const TransferPlan& plan) : table_(table), plan_(plan) {
    for (const auto column : plan.columns)
      head_ += (head_.empty() ? "" : ",") + sql::quote_name(table.columns[column].name);
    head_ = "INSERT INTO " + table.name.quoted() + " (" + head_ + ") VALUES ";
  }

  /// True when the row was taken: one of its documents would not survive as text.
  bool take(const mysql::RowView& row) {
    bool suspicious = false;
    for (std::size_t j = 0; j < plan_.json_columns.size(); ++j)
      suspicious = suspicious || may_lose_by_text(row[plan_.json_columns[j]], row[plan_.columns.size() + j]);
    if (!suspicious) return false;
    std::vector<std::string> documents;
    bool lost = false;
    for (std::size_t j = 0; j < plan_.json_columns.size(); ++j) {
      const auto at = plan_.json_columns[j];
      documents.push_back(row.null(at) ? "" : rebuild_expression(row[at], row[plan_.columns.size() + j]));
      lost = lost || !documents.back().empty();
    }
    if (!lost) return false;
    append(row, documents);
    return true;
  }

  bool full() const { return text_.size() > rebuilt_bytes; }
  void flush(mysql::Session& target) {
    if (text_.empty()) return;
    const auto effect = target.execute(text_);
    if (effect.warnings != 0)
      throw Failure(FailureKind::target, "rows of " + table_.name.text() +
                                             " were taken with a warning, which would"
                                             " change data");
    text_ = std::string();
  }

 private:
  void append(const mysql::RowView& row, const std::vector<std::string>& documents) {
    text_ += text_.empty() ? head_ : ",";
    text_ += '(';
    std::size_t document = 0;
    for (std::size_t i = 0; i < plan_.columns.size(); ++i) {
      if (i > 0) text_ += ',';
      const auto family = table_.columns[plan_.columns[i]].family;
      if (family == ColumnFamily::json)
        append_document(row, i, documents[document++]);
      else
        append_value(row, i, family);
    }
    text_ += ')';
  }

  void append_document(const mysql::RowView& row, std::size_t i, const std::string& expression) {
    if (row.null(i)) {
      text_ += "NULL";
    } else if (expression.empty()) {
      text_ += "CONVERT(";
      sql::append_binary_literal(text_, row[i]);
      text_ += " USING utf8mb4)";
    } else {
      text_ += expression;
    }
  }

  void append_value(const mysql::RowView& row, std::size_t i, ColumnFamily family) {
    if (row.null(i)) {
      text_ += "NULL";
      return;
    }
    switch (family) {
      case ColumnFamily::integer:
      case ColumnFamily::decimal:
      case ColumnFamily::bit:
      case ColumnFamily::enumeration:
      case ColumnFamily::set:
        text_ += row[i];
        return;
      case ColumnFamily::real32:
      case ColumnFamily::real64:
        text_ += row[i];
        if (row[i].find('e') == std::string_view::npos) text_ += "e0";  // a double, not a decimal
        return;
      default:
        sql::append_binary_literal(text_, row[i]);
    }
  }

  const sql::Table& table_;
  const TransferPlan& plan_;
  std::string head_;
  std::string text_;
};

/// Pulls rows from the source as the target's LOAD DATA asks for bytes.
class RowFeed {
 public:
  RowFeed(mysql::RowReader reader, std::size_t columns, RebuiltRows& rebuilt, Throttle& throttle, std::stop_token stop)
      : reader_(std::move(reader)), columns_(columns), rebuilt_(rebuilt), throttle_(throttle), stop_(std::move(stop)) {}

  bool at_end() const { return at_end_; }
  std::uint64_t rows() const { return rows_; }

  std::size_t fill(char* buffer, std::size_t size) {
    std::size_t written = 0;
    while (written < size && more()) written += encoder_.write(buffer + written, size - written);
    throttle_.spend(written, stop_);
    return written;
  }

 private:
  /// Makes sure that the encoder has bytes to give; false at the end, or when rebuilt rows have piled up.
  bool more() {
    while (encoder_.row_done()) {
      if (rebuilt_.full()) return false;
      if (stop_.stop_requested()) throw Failure(FailureKind::interrupted, "stopped while copying");
      const auto row = reader_.next();
      if (!row) {
        at_end_ = true;
        return false;
      }
      ++rows_;
      if (rebuilt_.take(*row))
        throttle_.spend((*row)[0].size(), stop_);
      else
        encoder_.begin(*row, columns_);
    }
    return true;
  }

  mysql::RowReader reader_;
  std::size_t columns_;
  RebuiltRows& rebuilt_;
  Throttle& throttle_;
  std::stop_token stop_;
  LoadEncoder encoder_;
  std::uint64_t rows_ = 0;
  bool at_end_ = false;
};

}  // namespace

std::string chunk_select(const sql::Table& table, const TransferPlan& plan, const Chunk& chunk) {
  auto select = "SELECT " + plan.select_list + " FROM " + table.name.quoted();
  const auto* key = table.row_key();
  if (key == nullptr) return select;
  return select + sql::key_index_hint(*key) + " WHERE " +
         sql::key_range_condition(table, *key, chunk.lower, chunk.upper);
}

std::uint64_t copy_rows(mysql::Session& source, mysql::Session& target, const sql::Table& table,
                        const TransferPlan& plan, const std::string& select, Throttle& throttle, std::stop_token stop) {
  RebuiltRows rebuilt(table, plan);
  RowFeed feed(source.read(select), plan.columns.size(), rebuilt, throttle, std::move(stop));
  const auto statement = load_statement(table, plan);
  while (!feed.at_end()) {
    target.load(statement, [&](char* buffer, std::size_t size) { return feed.fill(buffer, size); });
    rebuilt.flush(target);
  }
  return feed.rows();
}

}  // namespace reseal::seed

// SPDX-License-Identifier: Apache-2.0
#include "follow/lane_apply.hpp"

#include <algorithm>

#include "base/failure.hpp"
#include "binlog/json_binary.hpp"
#include "binlog/json_diff.hpp"
#include "binlog/literal.hpp"
#include "sql/json.hpp"
#include "sql/quote.hpp"

namespace reseal::follow {
namespace {

using base::Failure;
using base::FailureKind;
using binlog::Field;
using binlog::RowChange;
using State = Field::State;

constexpr std::size_t statement_bytes = 1 << 20;
constexpr std::size_t statement_rows = 1000;
constexpr unsigned duplicate_entry = 1062;  // ER_DUP_ENTRY

[[noreturn]] void diverged(const TableBinding& table, const std::string& what) {
  throw Failure(FailureKind::divergence, "the target's " + table.table->name.text() +
                                             " is not what the source's log says: " + what +
                                             ". The run is poisoned: it cannot reach the switch");
}

/// The changed document: the before image's with the changes applied.
void append_changed_document(std::string& out, const RowChange& change, std::size_t column, const TableBinding& table) {
  const auto& name = table.table->columns[column].name;
  if (change.before.fields[column].state != State::present)
    throw Failure(FailureKind::unsupported,
                  "column " + name + " of " + table.table->name.text() +
                      " came as a partial JSON change without its document: set binlog_row_image=FULL on the source");
  auto document = base::value_or_fail(binlog::parse_json_binary(change.before.fields[column].raw), name);
  const auto diffs = base::value_or_fail(binlog::parse_json_diffs(change.after.fields[column].raw), name);
  sql::append_json_expression(out, base::value_or_fail(binlog::apply_json_diffs(std::move(document), diffs), name));
}

void append_value(std::string& out, const RowChange& change, std::size_t column, const TableBinding& table) {
  const auto& field = change.after.fields[column];
  if (field.state == State::json_diff) return append_changed_document(out, change, column, table);
  base::value_or_fail(binlog::append_literal(out, table.map->columns[column], field, table.table->columns[column]),
                      table.table->name.text() + "." + table.table->columns[column].name);
}

mysql::Effect run(mysql::Session& target, const std::string& statement, const TableBinding& table) {
  try {
    auto effect = target.execute(statement);
    if (effect.warnings == 0) return effect;
    for (const auto& row : target.query("SHOW WARNINGS"))
      if (row[0] != "Note")
        throw Failure(FailureKind::target, "the target took rows of " + table.table->name.text() + " with warning " +
                                               row[1].value_or("?") + ", which would change data");
    return effect;
  } catch (const Failure& failure) {
    throw failure.within(table.table->name.text());
  }
}

/// Collects rows into statements of bounded size.
class Statements {
 public:
  Statements(mysql::Session& target, const TableBinding& table, std::string head, std::string tail)
      : target_(target), table_(table), head_(std::move(head)), tail_(std::move(tail)) {}

  /// The buffer to append one more item to.
  std::string& next() {
    if (text_.size() > statement_bytes || rows_ == statement_rows) flush();
    text_ += rows_ == 0 ? head_ : ",";
    ++rows_;
    return text_;
  }
  void flush() {
    if (rows_ == 0) return;
    text_ += tail_;
    affected_ += run(target_, text_, table_).affected_rows;
    if (text_.capacity() > 2 * statement_bytes) text_ = std::string();
    text_.clear();
    rows_ = 0;
  }
  std::uint64_t affected() const { return affected_; }

 private:
  mysql::Session& target_;
  const TableBinding& table_;
  std::string head_;
  std::string tail_;
  std::string text_;
  std::size_t rows_ = 0;
  std::uint64_t affected_ = 0;
};

std::string insert_head(const TableBinding& table, const std::vector<std::size_t>& columns) {
  std::string head = "INSERT INTO " + table.table->name.quoted() + " (";
  for (std::size_t i = 0; i < columns.size(); ++i)
    head += (i == 0 ? "" : ",") + sql::quote_name(table.table->columns[columns[i]].name);
  return head + ") VALUES ";
}

/// Whether the server finds rows of this key by `(a,b) IN ((…),(…))`: with ENUM, SET and BIT it finds none (seen
/// on 9.7).
bool found_by_list(const TableBinding& table) {
  return std::none_of(table.key.begin(), table.key.end(), [&](std::size_t column) {
    const auto family = table.table->columns[column].family;
    return family == sql::ColumnFamily::enumeration || family == sql::ColumnFamily::set ||
           family == sql::ColumnFamily::bit;
  });
}

/// The same deletes for such keys, by conditions.
std::uint64_t delete_by_condition(mysql::Session& target, const TableBinding& table,
                                  const std::vector<sql::KeyValues>& keys) {
  constexpr std::size_t keys_at_once = 200;
  std::uint64_t affected = 0;
  for (std::size_t start = 0; start < keys.size(); start += keys_at_once) {
    const auto end = std::min(start + keys_at_once, keys.size());
    const std::vector<sql::KeyValues> some(keys.begin() + static_cast<std::ptrdiff_t>(start),
                                           keys.begin() + static_cast<std::ptrdiff_t>(end));
    affected += run(target,
                    "DELETE FROM " + table.table->name.quoted() + " WHERE " +
                        sql::key_list_condition(*table.table, *table.table->row_key(), some),
                    table)
                    .affected_rows;
  }
  return affected;
}

template <typename Rows>
void delete_net_rows(mysql::Session& target, const TableBinding& table, const Rows& rows, Strictness strictness) {
  Statements statements(target, table,
                        "DELETE FROM " + table.table->name.quoted() + " WHERE " + table.key_names() + " IN (", ")");
  const bool by_list = found_by_list(table);
  std::vector<sql::KeyValues> keys;
  std::uint64_t expected = 0;
  for (const NetRow* row : rows) {
    if (strictness == Strictness::strict && !row->existed) continue;
    if (by_list)
      statements.next() += row->key_literal;
    else
      keys.push_back(row->key);
    ++expected;
  }
  statements.flush();
  const auto affected = by_list ? statements.affected() : delete_by_condition(target, table, keys);
  if (strictness == Strictness::strict && affected != expected)
    diverged(table, std::to_string(expected) + " rows should be there to change, " + std::to_string(affected) + " are");
}

template <typename Rows>
void insert_net_rows(mysql::Session& target, const TableBinding& table, const Rows& rows) {
  Statements statements(target, table, insert_head(table, table.writable), "");
  for (const NetRow* row : rows) {
    if (!row->last) continue;
    auto& out = statements.next();
    out += '(';
    for (std::size_t i = 0; i < table.writable.size(); ++i) {
      if (i > 0) out += ',';
      append_value(out, *row->last, table.writable[i], table);
    }
    out += ')';
  }
  statements.flush();
}

template <typename Rows>
void apply_net(mysql::Session& target, const TableBinding& table, const Rows& rows, Strictness strictness) {
  delete_net_rows(target, table, rows, strictness);
  try {
    insert_net_rows(target, table, rows);
  } catch (const Failure& failure) {
    if (failure.server_errno() == duplicate_entry) diverged(table, "a row to insert is there already");
    throw;
  }
}

/// Changes one by one: for images that leave columns out, and tables without a key.
class OrderedApply {
 public:
  OrderedApply(mysql::Session& target, const TableBinding& table, Strictness strictness)
      : target_(target), table_(table), strict_(strictness == Strictness::strict || table.key.empty()) {}

  void apply(const RowChange& change) {
    switch (change.kind) {
      case RowChange::Kind::insert:
        return insert(change);
      case RowChange::Kind::remove:
        return remove(change);
      case RowChange::Kind::update:
        return update(change);
    }
  }

 private:
  void insert(const RowChange& change) {
    if (!strict_) execute("DELETE FROM " + name() + " WHERE " + where(change.after));
    std::vector<std::size_t> columns;
    for (const auto column : table_.writable)
      if (change.after.fields[column].state != State::absent) columns.push_back(column);
    auto statement = insert_head(table_, columns) + "(";
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (i > 0) statement += ',';
      append_value(statement, change, columns[i], table_);
    }
    try {
      execute(statement + ")");
    } catch (const Failure& failure) {
      if (failure.server_errno() == duplicate_entry) diverged(table_, "a row to insert is there already");
      throw;
    }
  }

  void remove(const RowChange& change) {
    expect_one(execute("DELETE FROM " + name() + " WHERE " + where(change.before) + one()));
  }

  void update(const RowChange& change) {
    if (!strict_ && table_.key_values(change.before) != table_.key_values(change.after, &change.before))
      throw Failure(FailureKind::unsupported, "a row of " + table_.table->name.text() +
                                                  " moved to another key while the copy was under way, and the log does"
                                                  " not hold the whole row: set binlog_row_image=FULL on the source and"
                                                  " start again");
    std::string set;
    for (const auto column : table_.writable) {
      const auto& field = change.after.fields[column];
      // A partial JSON change that changes nothing says that the document stays.
      if (field.state == State::absent || (field.state == State::json_diff && field.raw.empty())) continue;
      set += (set.empty() ? "" : ",") + sql::quote_name(table_.table->columns[column].name) + "=";
      append_value(set, change, column, table_);
    }
    if (set.empty()) return;
    expect_one(execute("UPDATE " + name() + " SET " + set + " WHERE " + where(change.before) + one()));
  }

  std::string name() const { return table_.table->name.quoted(); }
  std::string one() const { return table_.key.empty() ? " LIMIT 1" : ""; }
  std::uint64_t execute(const std::string& statement) { return run(target_, statement, table_).affected_rows; }
  void expect_one(std::uint64_t affected) const {
    if (strict_ && affected != 1)
      diverged(table_, "a row to change is " + std::string(affected == 0 ? "missing" : "not alone"));
  }

  std::string where(const binlog::RowImage& image) const {
    if (!table_.key.empty())
      return sql::key_list_condition(*table_.table, *table_.table->row_key(), {table_.key_values(image)});
    // No key: the whole image names the row, text by its bytes, so that 'a' never finds 'A'.
    std::string condition;
    for (const auto column : table_.writable) {
      const auto& field = image.fields[column];
      if (field.state == State::absent)
        throw Failure(FailureKind::unsupported, "a change of " + table_.table->name.text() +
                                                    ", which has no key, came without all its columns: set"
                                                    " binlog_row_image=FULL on the source");
      const auto& definition = table_.table->columns[column];
      const auto quoted = sql::quote_name(definition.name);
      condition += condition.empty() ? "" : " AND ";
      condition += definition.family == sql::ColumnFamily::text ? "CAST(" + quoted + " AS BINARY)" : quoted;
      condition += "<=>";
      base::value_or_fail(binlog::append_literal(condition, table_.map->columns[column], field, definition),
                          table_.table->name.text());
    }
    return condition;
  }

  mysql::Session& target_;
  const TableBinding& table_;
  bool strict_;
};

void apply_segment(mysql::Session& target, const TableBinding& table, const NetChanges& changes,
                   Strictness strictness) {
  std::vector<const NetRow*> rows;
  rows.reserve(changes.rows().size());
  for (const auto& row : changes.rows()) rows.push_back(&row);
  apply_net(target, table, rows, strictness);
}

void apply_segment(mysql::Session& target, const TableBinding& table, const OrderedChanges& changes,
                   Strictness strictness) {
  OrderedApply apply(target, table, strictness);
  for (const auto& change : changes) apply.apply(change);
}

}  // namespace

void apply_lane(mysql::Session& target, const LaneWork& work, Strictness strictness) {
  for (const auto& part : work) {
    const auto& table = *part.changes->table;
    if (!part.whole) {
      apply_net(target, table, part.rows, strictness);
      continue;
    }
    for (const auto& segment : part.changes->segments)
      std::visit([&](const auto& changes) { apply_segment(target, table, changes, strictness); }, segment);
  }
}

}  // namespace reseal::follow

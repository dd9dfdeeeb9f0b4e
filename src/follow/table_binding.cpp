// SPDX-License-Identifier: Apache-2.0
#include "follow/table_binding.hpp"

#include <algorithm>

#include "base/failure.hpp"
#include "binlog/literal.hpp"
#include "sql/quote.hpp"

namespace reseal::follow {

using base::Failure;
using base::FailureKind;
using State = binlog::Field::State;

std::uint64_t stable_hash(std::string_view bytes, std::uint64_t seed) {
  std::uint64_t hash = 0xCBF29CE484222325ULL ^ (seed * 0x9E3779B97F4A7C15ULL);
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  hash ^= hash >> 33;
  hash *= 0xFF51AFD7ED558CCDULL;
  return hash ^ hash >> 33;
}

namespace {

/// A key field as the bytes that sql::key_columns would make the server send.
std::string key_value(const binlog::ColumnType& type, const binlog::Field& field, const sql::Column& column) {
  if (column.family == sql::ColumnFamily::text) return std::string(field.raw);
  if (column.family == sql::ColumnFamily::bytes) {
    std::string bytes(field.raw);
    // The binary log leaves out the trailing zeros of BINARY(n), which are part of the value.
    if (column.data_type == "binary" && bytes.size() < type.length) bytes.resize(type.length, '\0');
    return bytes;
  }
  std::string text;
  base::value_or_fail(binlog::append_literal(text, type, field, column), "key column " + column.name);
  if (text.size() >= 2 && text.front() == '\'') return text.substr(1, text.size() - 2);
  return text;
}

bool same_shape(const std::vector<binlog::ColumnType>& a, const std::vector<binlog::ColumnType>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.type == y.type && x.metadata == y.metadata && x.nullable == y.nullable;
  });
}

}  // namespace

sql::KeyValues TableBinding::key_values(const binlog::RowImage& image, const binlog::RowImage* other) const {
  sql::KeyValues values;
  for (const auto column : key) {
    const auto* field = &image.fields[column];
    if (field->state == State::absent && other != nullptr) field = &other->fields[column];
    if (field->state != State::present)
      throw Failure(FailureKind::unsupported, "a change of " + table->name.text() + " came without its key column " +
                                                  table->columns[column].name);
    values.push_back(key_value(map->columns[column], *field, table->columns[column]));
  }
  return values;
}

std::string TableBinding::key_literal(const sql::KeyValues& values) const {
  std::string literal;
  for (std::size_t i = 0; i < key.size(); ++i)
    literal += (i == 0 ? "" : ",") + sql::key_literal(table->columns[key[i]], values[i]);
  return key.size() == 1 ? literal : "(" + literal + ")";
}

std::string TableBinding::key_names() const {
  std::string names;
  for (const auto column : key) names += (names.empty() ? "" : ",") + sql::quote_name(table->columns[column].name);
  return key.size() == 1 ? names : "(" + names + ")";
}

void TableBinding::add_conflict_tokens(const binlog::RowImage& image, std::vector<std::uint64_t>& tokens) const {
  for (std::size_t k = 0; k < table->keys.size(); ++k) {
    const auto& unique = table->keys[k];
    if (!unique.unique) continue;
    std::string bytes;
    bool conflicts = true;
    for (const auto& part : unique.parts) {
      // A functional or prefix part says less than the column: it adds nothing, so more rows share the number.
      if (part.functional || part.prefix) continue;
      const auto& field = image.fields[part.column];
      if (field.state != State::present) {
        conflicts = false;
        break;
      }
      binlog::append_conflict_bytes(bytes, field, table->columns[part.column]);
    }
    if (conflicts) tokens.push_back(stable_hash(bytes, stable_hash(table->name.text(), k + 1)));
  }
}

TableBindings::TableBindings(const std::vector<sql::Table>& tables) {
  for (const auto& table : tables) tables_.emplace(table.name, &table);
}

std::shared_ptr<const TableBinding> TableBindings::find(const std::shared_ptr<const binlog::TableMap>& map) {
  const auto table = tables_.find(map->name);
  if (table == tables_.end()) return nullptr;
  auto& bound = bound_[map->name];
  if (bound && (bound->map == map || same_shape(bound->map->columns, map->columns))) return bound;
  if (bound)
    throw Failure(FailureKind::unsupported, "the definition of " + map->name.text() +
                                                " changed since the run began. Cancel the run and start again");
  if (map->columns.size() != table->second->columns.size())
    throw Failure(FailureKind::unsupported,
                  "the source writes " + map->name.text() + " with " + std::to_string(map->columns.size()) +
                      " columns, and it had " + std::to_string(table->second->columns.size()) +
                      " when the run began: its definition changed. Cancel the run and start again");
  auto binding = std::make_shared<TableBinding>();
  binding->table = table->second;
  binding->map = map;
  binding->writable = table->second->writable_columns();
  if (const auto* key = table->second->row_key())
    for (const auto& part : key->parts) binding->key.push_back(part.column);
  if (map->named())
    for (std::size_t i = 0; i < map->columns.size(); ++i)
      if (map->columns[i].name != table->second->columns[i].name)
        throw Failure(FailureKind::unsupported, "a column of " + map->name.text() +
                                                    " was renamed since the run began. Cancel the run and start again");
  bound = binding;
  return bound;
}

}  // namespace reseal::follow

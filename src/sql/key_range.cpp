// SPDX-License-Identifier: Apache-2.0
#include "sql/key_range.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/failure.hpp"
#include "sql/quote.hpp"

namespace reseal::sql {
namespace {

using base::Failure;
using base::FailureKind;

[[noreturn]] void refuse(const Column& column, std::string_view why) {
  throw Failure(FailureKind::unsupported, "key column " + column.name + ": " + std::string(why));
}

const Column& column_of(const Table& table, const KeyPart& part) {
  if (part.functional || part.prefix)
    throw Failure(FailureKind::unsupported,
                  table.name.text() + ": a key with a functional or prefix part cannot bound a range");
  RESEAL_CHECK(part.column < table.columns.size());
  return table.columns[part.column];
}

bool is_decimal_text(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  const auto digits =
      static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }));
  const auto points = static_cast<std::size_t>(std::count(text.begin(), text.end(), '.'));
  return digits > 0 && points <= 1 && digits + points == text.size();
}

bool is_temporal_text(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789-:. ") == std::string_view::npos;
}

std::string hexadecimal(std::string_view bytes) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out = "X'";
  out.reserve(bytes.size() * 2 + 3);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out += '\'';
}

std::string key_expression(const Column& column) {
  const auto name = quote_name(column.name);
  switch (column.family) {
    case ColumnFamily::integer:
    case ColumnFamily::decimal:
    case ColumnFamily::temporal:
    case ColumnFamily::bytes:
      return name;
    case ColumnFamily::text:
      return "CAST(" + name + " AS BINARY)";
    case ColumnFamily::bit:
    case ColumnFamily::enumeration:
    case ColumnFamily::set:
      return "CAST(" + name + " AS UNSIGNED)";
    case ColumnFamily::real32:
    case ColumnFamily::real64:
      refuse(column, "FLOAT and DOUBLE cannot bound a range exactly");
    case ColumnFamily::json:
    case ColumnFamily::geometry:
    case ColumnFamily::vector:
      break;
  }
  refuse(column, "a " + column.data_type + " column cannot bound a range");
}

/// Members of an ENUM, by its full type: enum('a','b,''c') has 2.
std::uint64_t member_count(const std::string& column_type) {
  std::uint64_t members = 0;
  bool quoted = false;
  for (const char c : column_type) {
    if (c == '\'') quoted = !quoted;
    if (!quoted && c == ',') ++members;
  }
  return members + 1;
}

/// `column` `comparison` value. The server uses an index on an ENUM for equality only (MySQL source,
/// sql/range_optimizer, "enum/set fields"), and would scan the table for every chunk; so a range of a small ENUM is
/// written as the list of its numbers.
std::string compare(const Column& column, std::string_view comparison, const std::string& value) {
  constexpr std::uint64_t small = 255;
  const auto name = quote_name(column.name);
  const auto literal = key_literal(column, value);
  if (column.family != ColumnFamily::enumeration || comparison == "=" || member_count(column.column_type) > small)
    return name + std::string(comparison) + literal;
  const auto number = std::stoull(literal);
  const bool inclusive = comparison.ends_with('=');
  const bool upwards = comparison.starts_with('>');
  const auto first = upwards ? number + (inclusive ? 0 : 1) : 0;
  const auto end = upwards ? member_count(column.column_type) + 1 : number + (inclusive ? 1 : 0);
  if (first >= end) return "FALSE";
  std::string list;
  for (auto i = first; i < end; ++i) list += (list.empty() ? "" : ",") + std::to_string(i);
  return name + " IN (" + list + ")";
}

/// Row-wise comparison as nested ORs, from the last part to the first:
///   a > x OR (a = x AND (b > y OR (b = y AND c > z)))
std::string beyond(const Table& table, const Key& key, const KeyValues& values, std::string_view strict,
                   std::string_view last) {
  RESEAL_CHECK(values.size() == key.parts.size());
  std::string condition;
  for (std::size_t i = key.parts.size(); i-- > 0;) {
    const auto& column = column_of(table, key.parts[i]);
    if (condition.empty()) {
      condition = compare(column, last, values[i]);
    } else {
      condition = fmt::format("{} OR ({} AND ({}))", compare(column, strict, values[i]),
                              compare(column, "=", values[i]), condition);
    }
  }
  if (key.parts.size() == 1) return condition;
  return compare(column_of(table, key.parts[0]), std::string(strict) + "=", values[0]) + " AND (" + condition + ")";
}

}  // namespace

std::string key_columns(const Table& table, const Key& key) {
  std::string list;
  for (const auto& part : key.parts) {
    if (!list.empty()) list += ", ";
    list += key_expression(column_of(table, part));
  }
  return list;
}

std::string key_literal(const Column& column, std::string_view value) {
  switch (column.family) {
    case ColumnFamily::integer:
    case ColumnFamily::decimal:
    case ColumnFamily::bit:
    case ColumnFamily::enumeration:
    case ColumnFamily::set:
      if (!is_decimal_text(value)) refuse(column, "its value is not a number");
      return std::string(value);
    case ColumnFamily::temporal:
      if (!is_temporal_text(value)) refuse(column, "its value is not a date or time");
      return "'" + std::string(value) + "'";
    case ColumnFamily::text:
      if (column.character_set.empty()) refuse(column, "its character set is not known");
      return "_" + column.character_set + " " + hexadecimal(value);
    case ColumnFamily::bytes:
      return hexadecimal(value);
    case ColumnFamily::real32:
    case ColumnFamily::real64:
    case ColumnFamily::json:
    case ColumnFamily::geometry:
    case ColumnFamily::vector:
      break;
  }
  refuse(column, "a " + column.data_type + " column cannot bound a range");
}

std::string key_order(const Table& table, const Key& key) {
  std::string list;
  for (const auto& part : key.parts) {
    if (!list.empty()) list += ", ";
    list += quote_name(column_of(table, part).name);
  }
  return list;
}

std::string key_range_condition(const Table& table, const Key& key, const std::optional<KeyValues>& lower,
                                const std::optional<KeyValues>& upper) {
  if (!lower && !upper) return "TRUE";
  std::string condition = "(";
  if (lower) condition += "(" + beyond(table, key, *lower, ">", ">") + ")";
  if (lower && upper) condition += " AND ";
  if (upper) condition += "(" + beyond(table, key, *upper, "<", "<=") + ")";
  return condition += ")";
}

std::string key_list_condition(const Table& table, const Key& key, const std::vector<KeyValues>& keys) {
  if (keys.empty()) return "FALSE";
  std::string condition = "(";
  if (key.parts.size() == 1) {
    const auto& column = column_of(table, key.parts[0]);
    condition += quote_name(column.name) + " IN (";
    for (std::size_t row = 0; row < keys.size(); ++row)
      condition += (row > 0 ? "," : "") + key_literal(column, keys[row].at(0));
    return condition += "))";
  }
  // Not (a,b) IN ((1,2),…): with an ENUM or SET among the columns and more than one row of values, the server compares
  // them as text and finds nothing (seen on 9.7).
  for (std::size_t row = 0; row < keys.size(); ++row) {
    RESEAL_CHECK(keys[row].size() == key.parts.size());
    if (row > 0) condition += " OR ";
    for (std::size_t i = 0; i < key.parts.size(); ++i) {
      const auto& column = column_of(table, key.parts[i]);
      condition += (i > 0 ? " AND " : "(") + quote_name(column.name) + "=" + key_literal(column, keys[row][i]);
    }
    condition += ")";
  }
  return condition += ")";
}

std::string boundary_query(const Table& table, const Key& key, const std::optional<KeyValues>& lower,
                           std::uint64_t rows_per_chunk) {
  RESEAL_CHECK(rows_per_chunk > 0);
  return "SELECT " + key_columns(table, key) + " FROM " + table.name.quoted() + key_index_hint(key) + " WHERE " +
         key_range_condition(table, key, lower, std::nullopt) + " ORDER BY " + key_order(table, key) +
         " LIMIT 1 OFFSET " + std::to_string(rows_per_chunk - 1);
}

std::string key_index_hint(const Key& key) { return key.primary() ? " FORCE INDEX (PRIMARY)" : ""; }

}  // namespace reseal::sql

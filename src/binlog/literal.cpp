// SPDX-License-Identifier: Apache-2.0
#include "binlog/literal.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>

#include "base/byte_cursor.hpp"
#include "binlog/json_binary.hpp"
#include "binlog/packed_decimal.hpp"
#include "binlog/temporal_literal.hpp"
#include "sql/json.hpp"
#include "sql/quote.hpp"

namespace reseal::binlog {
namespace {

using base::BadInput;
using base::ByteCursor;
using base::Result;

Result<Done> append_integer(std::string& out, std::string_view raw, bool is_unsigned) {
  ByteCursor cursor(raw);
  const auto width = static_cast<unsigned>(raw.size());
  out += is_unsigned ? std::to_string(cursor.uint_le(width)) : std::to_string(cursor.int_le(width));
  return Done{};
}

Result<Done> append_real(std::string& out, double value) {
  if (!std::isfinite(value)) return BadInput{"a floating-point value is not finite"};
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  out.append(buffer.data(), end.ptr);
  return Done{};
}

/// Every float is exactly a double, and the server rounds the double back to the same float.
Result<Done> append_real32(std::string& out, std::string_view raw) {
  return append_real(out, static_cast<double>(std::bit_cast<float>(ByteCursor(raw).u32())));
}

Result<Done> append_real64(std::string& out, std::string_view raw) {
  return append_real(out, std::bit_cast<double>(ByteCursor(raw).u64()));
}

Result<Done> append_text(std::string& out, Result<std::string> text) {
  if (!text.ok()) return text.bad();
  out += text.value();
  return Done{};
}

Result<Done> append_year(std::string& out, std::string_view raw) {
  const unsigned value = ByteCursor(raw).u8();
  out += value == 0 ? "0" : std::to_string(1900 + value);
  return Done{};
}

/// The binlog drops the trailing zeros of BINARY(n).
Result<Done> append_bytes(std::string& out, const ColumnType& type, std::string_view raw, const sql::Column& column) {
  if (type.type != FieldType::string || column.family != sql::ColumnFamily::bytes || raw.size() >= type.length) {
    sql::append_binary_literal(out, raw);
    return Done{};
  }
  std::string padded(raw);
  padded.resize(type.length, '\0');
  sql::append_binary_literal(out, padded);
  return Done{};
}

Result<Done> append_json(std::string& out, std::string_view raw) {
  const auto document = parse_json_binary(raw);
  if (!document.ok()) return document.bad();
  sql::append_json_expression(out, document.value());
  return Done{};
}

Result<Done> append_value(std::string& out, const ColumnType& type, std::string_view raw, const sql::Column& column) {
  switch (type.type) {
    case FieldType::tiny:
    case FieldType::int16:
    case FieldType::int24:
    case FieldType::int32:
    case FieldType::int64:
      return append_integer(out, raw, column.is_unsigned);
    case FieldType::enumeration:
    case FieldType::set:
      return append_integer(out, raw, true);
    case FieldType::bit:
      return append_text(out, std::to_string(ByteCursor(raw).uint_be(unsigned(raw.size()))));
    case FieldType::year:
      return append_year(out, raw);
    case FieldType::new_decimal:
      return append_text(out, packed_decimal_text(raw, type.precision, type.scale));
    case FieldType::real32:
      return append_real32(out, raw);
    case FieldType::real64:
      return append_real64(out, raw);
    case FieldType::date:
    case FieldType::newdate:
    case FieldType::time:
    case FieldType::datetime:
    case FieldType::timestamp:
    case FieldType::time2:
    case FieldType::datetime2:
    case FieldType::timestamp2:
      return append_temporal_literal(out, type, raw);
    case FieldType::varchar:
    case FieldType::var_string:
    case FieldType::string:
    case FieldType::tiny_blob:
    case FieldType::medium_blob:
    case FieldType::long_blob:
    case FieldType::blob:
    case FieldType::geometry:
    case FieldType::vector:
      return append_bytes(out, type, raw, column);
    case FieldType::json:
      return append_json(out, raw);
    case FieldType::null:
      out += "NULL";
      return Done{};
    case FieldType::decimal:
      break;
  }
  return BadInput{"unknown column type"};
}

}  // namespace

Result<Done> append_literal(std::string& out, const ColumnType& type, const Field& field, const sql::Column& column) {
  const auto length = out.size();
  switch (field.state) {
    case Field::State::null:
      out += "NULL";
      return Done{};
    case Field::State::absent:
      return BadInput{"column " + column.name + " is not in the row image"};
    case Field::State::json_diff:
      return BadInput{"column " + column.name + " holds changes of a JSON document, no value"};
    case Field::State::present:
      break;
  }
  auto appended = append_value(out, type, field.raw, column);
  if (appended.ok()) return appended;
  out.resize(length);
  return BadInput{"column " + column.name + ": " + appended.error()};
}

}  // namespace reseal::binlog

// SPDX-License-Identifier: Apache-2.0
#include "binlog/temporal_literal.hpp"

#include "base/byte_cursor.hpp"
#include "binlog/temporal_text.hpp"

namespace reseal::binlog {
namespace {

using base::BadInput;
using base::ByteCursor;
using base::Result;

/// Bytes of a fraction of `scale` digits, and what one unit of it is in microseconds.
unsigned fraction_bytes(unsigned scale) { return (scale + 1) / 2; }
std::int64_t fraction_unit(unsigned scale) { return scale <= 2 ? 10000 : scale <= 4 ? 100 : 1; }

/// The parts of TIME2: stored as one big-endian number with the sign bit inverted (mysql-server mysys/my_time.cc,
/// my_time_packed_from_binary). Seconds and fraction are one two's complement number, so that they borrow together.
Result<std::string> time2_text(std::string_view raw, unsigned scale) {
  ByteCursor cursor(raw);
  const auto width = 3 + fraction_bytes(scale);
  const auto sign = std::int64_t{1} << (8 * width - 1);
  const auto value = static_cast<std::int64_t>(cursor.uint_be(width)) - sign;
  const auto fraction_bits = 8 * fraction_bytes(scale);
  const bool negative = value < 0;
  const auto magnitude = negative ? -value : value;
  const auto fraction = magnitude & ((std::int64_t{1} << fraction_bits) - 1);
  const auto packed = ((magnitude >> fraction_bits) << 24) + fraction * fraction_unit(scale);
  return time_text(negative ? -packed : packed, scale);
}

Result<std::string> datetime2_text(std::string_view raw, unsigned scale) {
  ByteCursor cursor(raw);
  const auto whole = static_cast<std::int64_t>(cursor.uint_be(5)) - 0x8000000000LL;
  const auto width = fraction_bytes(scale);
  const auto fraction = width == 0 ? 0 : static_cast<std::int64_t>(cursor.uint_be(width)) * fraction_unit(scale);
  if (whole < 0 || fraction >= 1000000) return BadInput{"DATETIME out of range"};
  return datetime_text((whole << 24) + fraction, scale);
}

Result<std::string> timestamp2_text(std::string_view raw, unsigned scale) {
  ByteCursor cursor(raw);
  const auto seconds = cursor.uint_be(4);
  const auto width = fraction_bytes(scale);
  const auto fraction = width == 0 ? 0 : cursor.uint_be(width) * static_cast<std::uint64_t>(fraction_unit(scale));
  return timestamp_text(seconds, static_cast<std::uint32_t>(fraction), scale);
}

/// Three bytes: 5 bits day, 4 bits month, 15 bits year.
Result<std::string> stored_date_text(std::string_view raw) {
  const auto value = static_cast<unsigned>(ByteCursor(raw).uint_le(3));
  return date_text(value >> 9, value >> 5 & 15, value & 31);
}

/// Before 5.6: the decimal number hhmmss, signed.
Result<std::string> old_time_text(std::string_view raw) {
  const auto value = ByteCursor(raw).int_le(3);
  const auto digits = static_cast<std::uint64_t>(value < 0 ? -value : value);
  const auto minute = digits / 100 % 100;
  const auto second = digits % 100;
  if (minute > 59 || second > 59) return BadInput{"TIME out of range"};
  const auto packed = static_cast<std::int64_t>((digits / 10000 << 12 | minute << 6 | second) << 24);
  return time_text(value < 0 ? -packed : packed, 0);
}

/// Before 5.6: the decimal number YYYYMMDDhhmmss.
Result<std::string> old_datetime_text(std::string_view raw) {
  const auto value = ByteCursor(raw).u64();
  const auto date = value / 1000000;
  const auto clock = value % 1000000;
  const auto hour = clock / 10000;
  const auto minute = clock / 100 % 100;
  const auto second = clock % 100;
  if (date > 99991231 || hour > 23 || minute > 59 || second > 59) return BadInput{"DATETIME out of range"};
  const auto month = date / 100 % 100;
  const auto day = date % 100;
  if (month > 12 || day > 31) return BadInput{"DATETIME out of range"};
  const auto days = (date / 10000 * 13 + month) << 5 | day;
  const auto packed = (days << 17 | hour << 12 | minute << 6 | second) << 24;
  return datetime_text(static_cast<std::int64_t>(packed), 0);
}

Result<std::string> stored_text(const ColumnType& type, std::string_view raw) {
  switch (type.type) {
    case FieldType::date:
    case FieldType::newdate:
      return stored_date_text(raw);
    case FieldType::time:
      return old_time_text(raw);
    case FieldType::datetime:
      return old_datetime_text(raw);
    case FieldType::timestamp:
      return timestamp_text(ByteCursor(raw).u32(), 0, 0);
    case FieldType::time2:
      return time2_text(raw, type.scale);
    case FieldType::datetime2:
      return datetime2_text(raw, type.scale);
    case FieldType::timestamp2:
      return timestamp2_text(raw, type.scale);
    default:
      return BadInput{"not a temporal type"};
  }
}

}  // namespace

Result<Done> append_temporal_literal(std::string& out, const ColumnType& type, std::string_view raw) {
  const auto text = stored_text(type, raw);
  if (!text.ok()) return text.bad();
  out += '\'';
  out += text.value();
  out += '\'';
  return Done{};
}

}  // namespace reseal::binlog

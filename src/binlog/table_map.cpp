// SPDX-License-Identifier: Apache-2.0
#include "binlog/table_map.hpp"

#include "base/byte_cursor.hpp"
#include "binlog/table_metadata.hpp"

namespace reseal::binlog {
namespace {

using base::BadInput;
using base::ByteCursor;
using base::Result;

// MAX_FIELDS of mysql-server include/my_base.h: a table has at most 4096 columns.
constexpr std::uint64_t max_columns = 4096;

/// Bytes of metadata that the event holds for a column of this wire type.
std::optional<unsigned> metadata_size(FieldType type) {
  switch (type) {
    case FieldType::tiny:
    case FieldType::int16:
    case FieldType::int24:
    case FieldType::int32:
    case FieldType::int64:
    case FieldType::null:
    case FieldType::timestamp:
    case FieldType::date:
    case FieldType::newdate:
    case FieldType::time:
    case FieldType::datetime:
    case FieldType::year:
      return 0;
    case FieldType::real32:
    case FieldType::real64:
    case FieldType::timestamp2:
    case FieldType::datetime2:
    case FieldType::time2:
    case FieldType::tiny_blob:
    case FieldType::medium_blob:
    case FieldType::long_blob:
    case FieldType::blob:
    case FieldType::json:
    case FieldType::vector:
    case FieldType::geometry:
      return 1;
    case FieldType::varchar:
    case FieldType::bit:
    case FieldType::new_decimal:
    case FieldType::enumeration:
    case FieldType::set:
    case FieldType::var_string:
    case FieldType::string:
      return 2;
    case FieldType::decimal:
      break;
  }
  return std::nullopt;
}

/// CHAR, ENUM and SET share the wire type STRING. The first byte is the real type and the second the length; a CHAR
/// over 255 bytes hides the two high bits of its length, inverted, in bits 4 and 5 of the type (mysql-server
/// sql/log_event.cc, log_event_print_value).
bool read_string_type(ColumnType& column) {
  const unsigned first = column.metadata & 0xFFU;
  unsigned length = column.metadata >> 8U;
  unsigned real = first;
  if ((first & 0x30U) != 0x30U) {
    length |= ((first & 0x30U) ^ 0x30U) << 4U;
    real |= 0x30U;
  }
  column.length = length;
  column.type = static_cast<FieldType>(real);
  switch (column.type) {
    case FieldType::enumeration:
      return length == 1 || length == 2;
    case FieldType::set:
      return length >= 1 && length <= 8;
    case FieldType::string:
      column.length_bytes = length > 255 ? 2 : 1;
      return true;
    default:
      return false;
  }
}

/// Fills the fields that follow from type and metadata. False when the metadata does not fit the type.
bool complete(ColumnType& column) {
  const auto low = static_cast<std::uint8_t>(column.metadata & 0xFF);
  const auto high = static_cast<std::uint8_t>(column.metadata >> 8);
  switch (column.type) {
    case FieldType::enumeration:
    case FieldType::set:
    case FieldType::string:
      return read_string_type(column);
    case FieldType::varchar:
    case FieldType::var_string:
      column.length = column.metadata;
      column.length_bytes = column.metadata > 255 ? 2 : 1;
      return true;
    case FieldType::tiny_blob:
    case FieldType::medium_blob:
    case FieldType::long_blob:
    case FieldType::blob:
    case FieldType::json:
    case FieldType::vector:
    case FieldType::geometry:
      column.length_bytes = low;
      return low >= 1 && low <= 4;
    case FieldType::bit:
      column.length = high * 8U + low;
      return low < 8 && column.length >= 1 && column.length <= 64;
    case FieldType::new_decimal:
      column.precision = low;
      column.scale = high;
      return low >= 1 && low <= 65 && high <= 30 && high <= low;
    case FieldType::timestamp2:
    case FieldType::datetime2:
    case FieldType::time2:
      column.scale = low;
      return low <= 6;
    case FieldType::real32:
      return low == 4;
    case FieldType::real64:
      return low == 8;
    default:
      return true;
  }
}

std::string read_columns(ByteCursor& cursor, TableMap& table, std::string_view types) {
  ByteCursor metadata(cursor.lenenc_bytes());
  const auto nullable = cursor.bytes((types.size() + 7) / 8);
  if (!cursor.ok()) return cursor.error();
  for (std::size_t i = 0; i < types.size(); ++i) {
    ColumnType column;
    column.type = static_cast<FieldType>(types[i]);
    const auto where = "column " + std::to_string(i + 1);
    const auto size = metadata_size(column.type);
    if (!size) return where + " has unknown type " + std::to_string(static_cast<unsigned char>(types[i]));
    if (*size > 0) column.metadata = static_cast<std::uint16_t>(metadata.uint_le(*size));
    if (!metadata.ok()) return "column metadata: " + metadata.error();
    if (!complete(column)) return where + " has impossible metadata for its type";
    column.nullable = (static_cast<unsigned char>(nullable[i / 8]) >> (i % 8) & 1U) != 0;
    table.columns.push_back(std::move(column));
  }
  return metadata.at_end() ? "" : "column metadata is longer than its columns";
}

std::string read_table(ByteCursor& cursor, TableMap& table, const FormatDescription& format) {
  // 6-byte table ids since 5.1.4; the post-header is 8 bytes then.
  if (format.post_header_length(EventType::table_map) != 8) return "unknown header length";
  table.table_id = cursor.uint_le(6);
  table.flags = cursor.u16();
  table.name.schema = std::string(cursor.lenenc_bytes());
  cursor.skip(1);
  table.name.name = std::string(cursor.lenenc_bytes());
  cursor.skip(1);
  const auto count = cursor.lenenc();
  if (!cursor.ok()) return cursor.error();
  if (count == 0 || count > max_columns) return "impossible number of columns";
  const auto types = cursor.bytes(count);
  if (!cursor.ok()) return cursor.error();
  if (auto error = read_columns(cursor, table, types); !error.empty()) return error;
  return read_optional_metadata(cursor.rest(), table);
}

}  // namespace

Result<std::shared_ptr<const TableMap>> parse_table_map(std::string_view body, const FormatDescription& format) {
  ByteCursor cursor(body);
  auto table = std::make_shared<TableMap>();
  const auto error = read_table(cursor, *table, format);
  if (!error.empty()) return BadInput{"TABLE_MAP event of " + table->name.text() + ": " + error};
  return std::shared_ptr<const TableMap>(std::move(table));
}

}  // namespace reseal::binlog

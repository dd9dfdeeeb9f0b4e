// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/event.hpp"
#include "binlog/format_description.hpp"
#include "sql/table.hpp"

namespace reseal::binlog {

/// mysql-server include/field_types.h, enum enum_field_types.
enum class FieldType : std::uint8_t {
  decimal = 0,
  tiny = 1,
  int16 = 2,
  int32 = 3,
  real32 = 4,
  real64 = 5,
  null = 6,
  timestamp = 7,
  int64 = 8,
  int24 = 9,
  date = 10,
  time = 11,
  datetime = 12,
  year = 13,
  newdate = 14,
  varchar = 15,
  bit = 16,
  timestamp2 = 17,
  datetime2 = 18,
  time2 = 19,
  vector = 242,
  json = 245,
  new_decimal = 246,
  enumeration = 247,
  set = 248,
  tiny_blob = 249,
  medium_blob = 250,
  long_blob = 251,
  blob = 252,
  var_string = 253,
  string = 254,
  geometry = 255
};

/// One column as a TABLE_MAP event describes it.
struct ColumnType {
  FieldType type = FieldType::null;  ///< the real one: ENUM and SET are taken out of STRING's metadata
  std::uint16_t metadata = 0;        ///< as it stands in the event, little-endian
  std::uint32_t length = 0;          ///< most bytes of a CHAR, VARCHAR, BINARY; bytes of ENUM and SET; bits of BIT
  std::uint8_t precision = 0;        ///< DECIMAL digits
  std::uint8_t scale = 0;            ///< DECIMAL scale, or fractional digits of a temporal
  std::uint8_t length_bytes = 0;     ///< width of the length in front of strings, blobs, JSON, geometry and vectors
  bool nullable = true;

  // Only with optional metadata in the event; signedness and collations also with binlog_row_metadata=MINIMAL.
  std::optional<bool> is_unsigned;
  std::optional<std::uint32_t> collation;
  std::optional<std::uint32_t> geometry_type;
  std::optional<std::uint32_t> dimensions;  ///< VECTOR
  std::optional<bool> visible;
  std::string name;                  ///< empty when not known
  std::vector<std::string> members;  ///< of an ENUM or SET, in the column's character set

  bool operator==(const ColumnType&) const = default;
};

/// A part of the primary key, with its prefix in characters or bytes; 0 is the whole column.
struct PrimaryKeyPart {
  std::uint32_t column = 0;
  std::uint32_t prefix = 0;
  bool operator==(const PrimaryKeyPart&) const = default;
};

/// TABLE_MAP: what the numbers in the rows events after it mean. Immutable; shared by all rows of the statement.
struct TableMap {
  std::uint64_t table_id = 0;
  std::uint16_t flags = 0;
  sql::TableName name;
  std::vector<ColumnType> columns;
  std::vector<PrimaryKeyPart> primary_key;  ///< only with binlog_row_metadata=FULL

  /// Whether the event carried column names (binlog_row_metadata=FULL).
  bool named() const { return !columns.empty() && !columns.front().name.empty(); }
};

/// Unknown column types and a description that does not fit its bytes are errors.
base::Result<std::shared_ptr<const TableMap>> parse_table_map(std::string_view body, const FormatDescription& format);

}  // namespace reseal::binlog

// SPDX-License-Identifier: Apache-2.0
#include "binlog/table_metadata.hpp"

#include <functional>

#include "base/byte_cursor.hpp"

namespace reseal::binlog {
namespace {

using base::ByteCursor;

/// mysql-server libs/mysql/binlog/event/rows_event.h, Table_map_event::Optional_metadata_field_type.
enum class MetadataField : std::uint8_t {
  signedness = 1,
  default_charset = 2,
  column_charset = 3,
  column_name = 4,
  set_members = 5,
  enum_members = 6,
  geometry_type = 7,
  simple_primary_key = 8,
  primary_key_with_prefix = 9,
  enum_and_set_default_charset = 10,
  enum_and_set_column_charset = 11,
  column_visibility = 12,
  vector_dimensionality = 13
};

using Selection = std::vector<ColumnType*>;

bool numeric(const ColumnType& column) {
  switch (column.type) {
    case FieldType::tiny:
    case FieldType::int16:
    case FieldType::int24:
    case FieldType::int32:
    case FieldType::int64:
    case FieldType::year:
    case FieldType::real32:
    case FieldType::real64:
    case FieldType::new_decimal:
      return true;
    default:
      return false;
  }
}

/// VECTOR counts as one, as the server's class for it is a BLOB's; GEOMETRY and JSON do not.
bool character(const ColumnType& column) {
  switch (column.type) {
    case FieldType::vector:
    case FieldType::string:
    case FieldType::varchar:
    case FieldType::var_string:
    case FieldType::tiny_blob:
    case FieldType::medium_blob:
    case FieldType::long_blob:
    case FieldType::blob:
      return true;
    default:
      return false;
  }
}

bool enumeration(const ColumnType& column) { return column.type == FieldType::enumeration; }
bool set(const ColumnType& column) { return column.type == FieldType::set; }
bool enum_or_set(const ColumnType& column) { return enumeration(column) || set(column); }
bool geometry(const ColumnType& column) { return column.type == FieldType::geometry; }
bool vector(const ColumnType& column) { return column.type == FieldType::vector; }
bool any(const ColumnType&) { return true; }

Selection select(TableMap& table, bool (*wanted)(const ColumnType&)) {
  Selection columns;
  for (auto& column : table.columns)
    if (wanted(column)) columns.push_back(&column);
  return columns;
}

/// One bit per column, the first in the highest bit of the first byte.
void read_bits(ByteCursor& field, const Selection& columns, std::optional<bool> ColumnType::*member) {
  const auto bytes = field.rest();
  if (bytes.size() != (columns.size() + 7) / 8) field.fail("bitmap does not fit its columns");
  for (std::size_t i = 0; field.ok() && i < columns.size(); ++i)
    columns[i]->*member = (static_cast<unsigned char>(bytes[i / 8]) << (i % 8) & 0x80) != 0;
}

void read_numbers(ByteCursor& field, const Selection& columns, std::optional<std::uint32_t> ColumnType::*member) {
  for (auto* column : columns) column->*member = static_cast<std::uint32_t>(field.lenenc());
}

/// One collation for all, then (index among these columns, collation) of the exceptions.
void read_default_charset(ByteCursor& field, const Selection& columns) {
  const auto collation = static_cast<std::uint32_t>(field.lenenc());
  for (auto* column : columns) column->collation = collation;
  while (field.ok() && !field.at_end()) {
    const auto index = field.lenenc();
    const auto exception = static_cast<std::uint32_t>(field.lenenc());
    if (index >= columns.size())
      field.fail("column index out of range");
    else
      columns[index]->collation = exception;
  }
}

void read_members(ByteCursor& field, const Selection& columns) {
  for (auto* column : columns) {
    const auto count = field.lenenc();
    for (std::uint64_t i = 0; i < count && field.ok(); ++i) column->members.emplace_back(field.lenenc_bytes());
  }
}

void read_primary_key(ByteCursor& field, TableMap& table, bool with_prefix) {
  while (field.ok() && !field.at_end()) {
    PrimaryKeyPart part;
    part.column = static_cast<std::uint32_t>(field.lenenc());
    if (with_prefix) part.prefix = static_cast<std::uint32_t>(field.lenenc());
    if (part.column >= table.columns.size()) field.fail("primary key column out of range");
    table.primary_key.push_back(part);
  }
}

/// False for a field that is not known; its content is left alone.
bool read_field(MetadataField type, ByteCursor& field, TableMap& table) {
  switch (type) {
    case MetadataField::signedness:
      read_bits(field, select(table, numeric), &ColumnType::is_unsigned);
      return true;
    case MetadataField::default_charset:
      read_default_charset(field, select(table, character));
      return true;
    case MetadataField::column_charset:
      read_numbers(field, select(table, character), &ColumnType::collation);
      return true;
    case MetadataField::column_name:
      for (auto& column : table.columns) column.name = std::string(field.lenenc_bytes());
      return true;
    case MetadataField::set_members:
      read_members(field, select(table, set));
      return true;
    case MetadataField::enum_members:
      read_members(field, select(table, enumeration));
      return true;
    case MetadataField::geometry_type:
      read_numbers(field, select(table, geometry), &ColumnType::geometry_type);
      return true;
    case MetadataField::simple_primary_key:
      read_primary_key(field, table, false);
      return true;
    case MetadataField::primary_key_with_prefix:
      read_primary_key(field, table, true);
      return true;
    case MetadataField::enum_and_set_default_charset:
      read_default_charset(field, select(table, enum_or_set));
      return true;
    case MetadataField::enum_and_set_column_charset:
      read_numbers(field, select(table, enum_or_set), &ColumnType::collation);
      return true;
    case MetadataField::column_visibility:
      read_bits(field, select(table, any), &ColumnType::visible);
      return true;
    case MetadataField::vector_dimensionality:
      read_numbers(field, select(table, vector), &ColumnType::dimensions);
      return true;
  }
  return false;
}

}  // namespace

std::string read_optional_metadata(std::string_view bytes, TableMap& table) {
  ByteCursor cursor(bytes);
  while (cursor.ok() && !cursor.at_end()) {
    const auto type = static_cast<MetadataField>(cursor.u8());
    ByteCursor field(cursor.lenenc_bytes());
    if (!cursor.ok()) break;
    const bool known = read_field(type, field, table);
    const auto where = "optional metadata field " + std::to_string(static_cast<unsigned>(type)) + ": ";
    if (!field.ok()) return where + field.error();
    if (known && !field.at_end()) return where + "longer than its columns";
  }
  return cursor.ok() ? "" : "optional metadata: " + cursor.error();
}

}  // namespace reseal::binlog

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace reseal::sql {

/// A table's full name. Ordered, so that it can key a map.
struct TableName {
  std::string schema;
  std::string name;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the zero of a generated comparison for a pointer
  auto operator<=>(const TableName&) const = default;
  /// `schema`.`name`, quoted.
  std::string quoted() const;
  /// schema.name, for messages.
  std::string text() const { return schema + "." + name; }
};

/// What a column holds, as far as copying and comparing it needs to know.
enum class ColumnFamily {
  integer,  ///< TINYINT … BIGINT, YEAR
  decimal,
  real32,  ///< FLOAT
  real64,  ///< DOUBLE
  bit,
  temporal,     ///< DATE, TIME, DATETIME, TIMESTAMP
  text,         ///< CHAR … LONGTEXT with a character set
  bytes,        ///< BINARY … LONGBLOB
  enumeration,  ///< ENUM, by number
  set,          ///< SET, by number
  json,
  geometry,
  vector
};

/// One column, as information_schema.COLUMNS shows it.
struct Column {
  std::string name;
  std::string data_type;    ///< lower case: "int", "varchar"
  std::string column_type;  ///< full: "int unsigned", "enum('a','b')"
  ColumnFamily family = ColumnFamily::text;
  std::string character_set;  ///< empty for types that have none
  std::string collation;
  bool nullable = true;
  bool is_unsigned = false;
  bool generated = false;  ///< VIRTUAL or STORED: never written
  bool auto_increment = false;
  bool invisible = false;
};

struct KeyPart {
  std::size_t column = 0;          ///< index into Table::columns; meaningless for a functional part
  std::optional<unsigned> prefix;  ///< characters or bytes of a prefix part
  bool functional = false;
};

struct Key {
  std::string name;
  bool unique = false;
  std::vector<KeyPart> parts;
  bool primary() const { return name == "PRIMARY"; }
};

struct Table {
  TableName name;
  std::string engine;
  std::vector<Column> columns;
  std::vector<Key> keys;
  std::uint64_t estimated_rows = 0;   ///< statistics, not a count
  std::uint64_t estimated_bytes = 0;  ///< data length by statistics
  std::string create_statement;       ///< SHOW CREATE TABLE

  /// The key whose columns name one row: the primary key, else the first unique key of whole, not-null,
  /// non-functional columns. Nothing when there is none.
  const Key* row_key() const;
  /// Columns that an INSERT may name, in order: all that are not generated. Indexes into `columns`.
  std::vector<std::size_t> writable_columns() const;
};

/// The family of information_schema's DATA_TYPE, nothing for a type we do not know.
std::optional<ColumnFamily> family_of(const std::string& data_type);

}  // namespace reseal::sql

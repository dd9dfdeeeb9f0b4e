// SPDX-License-Identifier: Apache-2.0
#include "verify/table_shape.hpp"

#include <fmt/format.h>

#include <set>

#include "mysql/schema_reader.hpp"

namespace reseal::verify {
namespace {

/// Data type by column name.
using Shape = std::map<std::string, std::string>;

Shape shape_of(const sql::Table& table) {
  Shape shape;
  for (const auto& column : table.columns) shape[column.name] = column.data_type;
  return shape;
}

std::string mismatch(const Shape& source, const Shape& target) {
  if (target.empty()) return "the target has no such table";
  for (const auto& [name, type] : source) {
    const auto it = target.find(name);
    if (it == target.end()) return "the target's table has no column " + name;
    if (it->second != type)
      return fmt::format("column {} is {} on the source and {} on the target", name, type, it->second);
  }
  for (const auto& [name, type] : target)
    if (!source.contains(name)) return "only the target's table has the column " + name;
  return {};
}

}  // namespace

std::map<sql::TableName, std::string> shape_mismatches(mysql::Session& target,
                                                       const std::vector<const sql::Table*>& tables) {
  std::set<std::string> schemas;
  for (const auto* table : tables) schemas.insert(table->name.schema);
  std::map<sql::TableName, Shape> shapes;
  for (const auto& row : target.query(
           "SELECT c.TABLE_SCHEMA, c.TABLE_NAME, c.COLUMN_NAME, c.DATA_TYPE FROM information_schema.COLUMNS AS c JOIN"
           " information_schema.TABLES AS t USING (TABLE_SCHEMA, TABLE_NAME) WHERE t.TABLE_TYPE='BASE TABLE' AND"
           " c.TABLE_SCHEMA IN " +
           mysql::in_list({schemas.begin(), schemas.end()})))
    shapes[{row[0].value_or(""), row[1].value_or("")}][row[2].value_or("")] = row[3].value_or("");
  std::map<sql::TableName, std::string> mismatches;
  for (const auto* table : tables)
    if (auto why = mismatch(shape_of(*table), shapes[table->name]); !why.empty()) mismatches[table->name] = why;
  return mismatches;
}

}  // namespace reseal::verify

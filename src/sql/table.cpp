// SPDX-License-Identifier: Apache-2.0
#include "sql/table.hpp"

#include <algorithm>
#include <map>

#include "sql/quote.hpp"

namespace reseal::sql {

std::string TableName::quoted() const { return quote_name(schema, name); }

const Key* Table::row_key() const {
  const auto names_one_row = [this](const Key& key) {
    return key.unique && !key.parts.empty() &&
           std::all_of(key.parts.begin(), key.parts.end(),
                       [this](const KeyPart& p) { return !p.functional && !p.prefix && !columns[p.column].nullable; });
  };
  const Key* found = nullptr;
  for (const auto& key : keys) {
    if (!names_one_row(key)) continue;
    if (key.primary()) return &key;
    if (found == nullptr) found = &key;
  }
  return found;
}

std::vector<std::size_t> Table::writable_columns() const {
  std::vector<std::size_t> writable;
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (!columns[i].generated) writable.push_back(i);
  return writable;
}

std::optional<ColumnFamily> family_of(const std::string& data_type) {
  using enum ColumnFamily;
  static const std::map<std::string, ColumnFamily> families = {{"tinyint", integer},
                                                               {"smallint", integer},
                                                               {"mediumint", integer},
                                                               {"int", integer},
                                                               {"bigint", integer},
                                                               {"year", integer},
                                                               {"decimal", decimal},
                                                               {"float", real32},
                                                               {"double", real64},
                                                               {"bit", bit},
                                                               {"date", temporal},
                                                               {"time", temporal},
                                                               {"datetime", temporal},
                                                               {"timestamp", temporal},
                                                               {"char", text},
                                                               {"varchar", text},
                                                               {"tinytext", text},
                                                               {"text", text},
                                                               {"mediumtext", text},
                                                               {"longtext", text},
                                                               {"binary", bytes},
                                                               {"varbinary", bytes},
                                                               {"tinyblob", bytes},
                                                               {"blob", bytes},
                                                               {"mediumblob", bytes},
                                                               {"longblob", bytes},
                                                               {"enum", enumeration},
                                                               {"set", set},
                                                               {"json", json},
                                                               {"geometry", geometry},
                                                               {"point", geometry},
                                                               {"linestring", geometry},
                                                               {"polygon", geometry},
                                                               {"multipoint", geometry},
                                                               {"multilinestring", geometry},
                                                               {"multipolygon", geometry},
                                                               {"geomcollection", geometry},
                                                               {"geometrycollection", geometry},
                                                               {"vector", vector}};
  const auto it = families.find(data_type);
  if (it == families.end()) return std::nullopt;
  return it->second;
}

}  // namespace reseal::sql

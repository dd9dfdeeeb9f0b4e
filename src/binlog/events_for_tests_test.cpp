// SPDX-License-Identifier: Apache-2.0
#include "binlog/events_for_tests.hpp"

#include "base/failure.hpp"
#include "binlog/json_diff.hpp"
#include "binlog/literal.hpp"

namespace reseal::binlog {

sql::Column column_like(const ColumnType& type) {
  constexpr std::uint32_t binary_collation = 63;
  sql::Column column;
  column.name = type.name;
  column.is_unsigned = type.is_unsigned.value_or(false);
  if (type.type == FieldType::string && type.collation == binary_collation) column.family = sql::ColumnFamily::bytes;
  return column;
}

void ReadingSink::rows(Rows rows) {
  RowChange row;
  std::size_t count = 0;
  while (true) {
    const auto more = rows.rows.next(row);
    if (!more.ok() && error.empty()) error = more.error();
    if (!more.ok() || !more.value()) break;
    ++count;
    for (const auto* image : {&row.before, &row.after})
      for (std::size_t i = 0; i < image->fields.size(); ++i) {
        const auto& field = image->fields[i];
        std::string value;
        if (field.state == Field::State::json_diff) {
          const auto diffs = parse_json_diffs(field.raw);
          if (!diffs.ok() && error.empty()) error = diffs.error();
          if (diffs.ok())
            (void)apply_json_diffs(sql::JsonValue::object({{"a", sql::JsonValue::array({})}}), diffs.value());
          continue;
        }
        if (field.state == Field::State::absent) continue;
        try {
          const auto appended =
              append_literal(value, rows.table->columns[i], field, column_like(rows.table->columns[i]));
          if (!appended.ok() && error.empty()) error = appended.error();
        } catch (const base::Failure& failure) {
          if (error.empty()) error = failure.what();
        }
        values.push_back(value);
      }
  }
  lines.push_back("rows " + rows.table->name.name + " " + std::to_string(count));
}

}  // namespace reseal::binlog

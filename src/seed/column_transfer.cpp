// SPDX-License-Identifier: Apache-2.0
#include "seed/column_transfer.hpp"

#include "sql/quote.hpp"

namespace reseal::seed {
namespace {

using sql::ColumnFamily;

std::string selected(const sql::Column& column) {
  const auto name = sql::quote_name(column.name);
  switch (column.family) {
    case ColumnFamily::real32:
      return "CAST(" + name + " AS DOUBLE)";  // FLOAT's own text has 6 digits
    case ColumnFamily::bit:
    case ColumnFamily::enumeration:
    case ColumnFamily::set:
      return "CAST(" + name + " AS UNSIGNED)";
    default:
      return name;
  }
}

/// What the target stores from the user variable `variable`; empty when the column takes the text as it is.
std::string stored(const sql::Column& column, const std::string& variable) {
  switch (column.family) {
    case ColumnFamily::bit:
    case ColumnFamily::enumeration:
    case ColumnFamily::set:
      return "CAST(" + variable + " AS UNSIGNED)";
    case ColumnFamily::json:
      return "CONVERT(" + variable + " USING utf8mb4)";
    default:
      return "";
  }
}

}  // namespace

std::string json_parts_expression(const std::string& column) {
  const auto parts = [&](const std::string& path) {
    return "(SELECT GROUP_CONCAT(IFNULL(JSON_TYPE(v),'NULL') ORDER BY o) FROM JSON_TABLE(" + column + ",'" + path +
           "' COLUMNS(o FOR ORDINALITY, v JSON PATH '$')) p)";
  };
  return "CONCAT_WS('|',JSON_TYPE(" + column + "),IFNULL(" + parts("$**.*") + ",''),IFNULL(" + parts("$**[*]") +
         ",''))";
}

TransferPlan plan_transfer(const sql::Table& table) {
  TransferPlan plan;
  plan.columns = table.writable_columns();
  std::string set;
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    const auto& column = table.columns[plan.columns[i]];
    const auto variable = "@v" + std::to_string(i);
    const auto expression = stored(column, variable);
    if (i > 0) {
      plan.select_list += ", ";
      plan.load_columns += ", ";
    }
    plan.select_list += selected(column);
    plan.load_columns += expression.empty() ? sql::quote_name(column.name) : variable;
    if (!expression.empty()) set += (set.empty() ? " SET " : ", ") + sql::quote_name(column.name) + "=" + expression;
    if (column.family == ColumnFamily::json) plan.json_columns.push_back(i);
  }
  for (const auto position : plan.json_columns)
    plan.select_list += ", " + json_parts_expression(sql::quote_name(table.columns[plan.columns[position]].name));
  plan.load_columns = "(" + plan.load_columns + ")" + set;
  return plan;
}

std::string load_statement(const sql::Table& table, const TransferPlan& plan) {
  return "LOAD DATA LOCAL INFILE 'reseal' INTO TABLE " + table.name.quoted() +
         " CHARACTER SET binary FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' " +
         plan.load_columns;
}

}  // namespace reseal::seed

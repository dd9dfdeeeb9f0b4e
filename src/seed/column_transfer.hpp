// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sql/table.hpp"

namespace reseal::seed {

/// How the columns of one table travel: the SELECT on the source and the LOAD DATA on the target that mirror each
/// other. Bytes go as they are stored; what text cannot carry exactly goes as a number or is rebuilt.
///
/// A row of the SELECT holds the writable columns in order, then for each JSON column the types of its parts
/// (`json_parts_expression`), so that a document that text would change is seen in the same read.
struct TransferPlan {
  std::vector<std::size_t> columns;       ///< indexes into Table::columns that travel, in SELECT order
  std::vector<std::size_t> json_columns;  ///< positions within `columns` that are JSON
  std::string select_list;
  std::string load_columns;  ///< "(a, @v1) SET b = …"
};

TransferPlan plan_transfer(const sql::Table& table);

/// The LOAD DATA statement for `table`; its text format is that of `LoadEncoder`.
std::string load_statement(const sql::Table& table, const TransferPlan& plan);

/// An SQL expression that is NULL for a JSON value whose text says everything, else a list of the JSON_TYPE names of
/// its parts in document order: the members of each object and the cells of each array, the root first.
std::string json_parts_expression(const std::string& column);

}  // namespace reseal::seed

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "mysql/session.hpp"
#include "sql/table.hpp"

namespace reseal::verify {

/// Tables whose rows cannot be compared column by column, with the reason: those that the target lacks, and those that
/// have other column names there or types of another family. Finer differences of definition are for the comparison of
/// schema objects; a hash of rows does not depend on them.
std::map<sql::TableName, std::string> shape_mismatches(mysql::Session& target,
                                                       const std::vector<const sql::Table*>& tables);

}  // namespace reseal::verify

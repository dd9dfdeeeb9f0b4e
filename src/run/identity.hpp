// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "sql/table.hpp"

namespace reseal::run {

/// A new random UUID, version 4.
std::string new_run_id();

/// A digest of all tables' definitions, without what moves by itself (AUTO_INCREMENT=n): a run goes on only with the
/// schema it began with.
std::string schema_fingerprint(const std::vector<sql::Table>& tables);

}  // namespace reseal::run

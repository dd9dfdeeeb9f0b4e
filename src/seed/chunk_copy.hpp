// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <stop_token>

#include "mysql/session.hpp"
#include "seed/chunk_store.hpp"
#include "seed/column_transfer.hpp"
#include "seed/throttle.hpp"

namespace reseal::seed {

/// Copies the rows that `select` yields (by `plan`) into the target's table, within the target session's open
/// transaction. Rows flow from one socket to the other; at most one row and the documents that must be rebuilt are
/// held. Returns the number of rows. Throws Failure(interrupted) on stop; the caller rolls back.
std::uint64_t copy_rows(mysql::Session& source, mysql::Session& target, const sql::Table& table,
                        const TransferPlan& plan, const std::string& select, Throttle& throttle, std::stop_token stop);

/// "SELECT … FROM table FORCE INDEX (PRIMARY) WHERE range"
std::string chunk_select(const sql::Table& table, const TransferPlan& plan, const Chunk& chunk);

}  // namespace reseal::seed

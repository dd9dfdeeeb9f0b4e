// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "mysql/session.hpp"
#include "sql/key_range.hpp"
#include "sql/table.hpp"
#include "verify/report.hpp"

namespace reseal::verify {

/// A row that is not the same on both sides, by its key's bytes.
struct KeyDifference {
  sql::KeyValues key;
  Difference::Kind kind = Difference::Kind::differs;
};

/// How the two sides of one query's keys are read.
enum class Order {
  source_first,  ///< for moving rows: what is equal held on the target a version that the source had at this call or
                 ///< later
  at_once        ///< both servers work at the same time: for when nothing moves
};

/// Compares the rows of the given keys (each as bytes, see sql::KeyValues), each hashed by its own server, on sessions
/// that the caller has open: no login falls into the switch. Throws Failure on a server error.
std::vector<KeyDifference> compare_keys(mysql::Session& source, mysql::Session& target, const sql::Table& table,
                                        const std::vector<sql::KeyValues>& keys, Order order,
                                        std::size_t keys_per_query = 500);

/// As a report names it: with a digest in place of the key.
Difference reported(const sql::Table& table, const KeyDifference& difference);

}  // namespace reseal::verify

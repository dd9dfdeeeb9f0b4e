// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "binlog/rows_event.hpp"
#include "binlog/table_map.hpp"
#include "sql/table.hpp"

namespace reseal::binlog {

/// Appends an SQL literal or expression that stores exactly this field into a column like `column`. NULL gives NULL.
/// An absent field, a JSON diff (apply it first, see json_diff.hpp) and bytes that are no value of the type are errors;
/// `out` is then unchanged. The session must have time_zone '+00:00', character_set_client utf8mb4 or binary, and an
/// sql_mode without NO_BACKSLASH_ESCAPES and without the modes that refuse zero and partial dates.
/// An ENUM's error value is the number 0, which the server stores with a warning (1265), as it did at the source.
/// Throws Failure(unsupported) for a JSON document with a leaf that no expression can rebuild.
base::Result<Done> append_literal(std::string& out, const ColumnType& type, const Field& field,
                                  const sql::Column& column);

/// Appends bytes that are equal whenever a unique index on the column could call the two values equal; unequal values
/// may share them too. For ordering conflicting changes, never for telling rows apart: text under a collation that is
/// not binary contributes nothing, trailing spaces do not count, -0.0 is 0.0. A NULL conflicts with nothing: the
/// caller leaves out keys that hold one.
void append_conflict_bytes(std::string& out, const Field& field, const sql::Column& column);

}  // namespace reseal::binlog

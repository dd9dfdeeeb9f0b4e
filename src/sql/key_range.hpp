// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/table.hpp"

namespace reseal::sql {

/// The values of one row's key, one per key part, as the bytes that `key_columns` makes the server send: numbers as
/// decimal text (ENUM, SET and BIT too), temporals as text in UTC, strings as their stored bytes.
using KeyValues = std::vector<std::string>;

/// Select list of the key's columns, each by an expression whose bytes `key_literal` takes back. The same whatever
/// character_set_results is. Throws Failure(unsupported) for a key part that cannot bound a range: FLOAT and DOUBLE
/// (their text need not come back to the same value), prefix and functional parts, JSON, geometry and vector.
std::string key_columns(const Table& table, const Key& key);

/// `value` of `column`, as a literal that compares in the column's own collation and lets the server use its index.
/// Throws Failure(unsupported) for a column as above, and for bytes that the column could not have sent.
std::string key_literal(const Column& column, std::string_view value);

/// ORDER BY list of the key, in the server's own order of it.
std::string key_order(const Table& table, const Key& key);

/// Rows above `lower` (exclusive) and up to `upper` (inclusive), in the server's order of the key: a condition in
/// parentheses; "TRUE" when neither is given. It holds a redundant bound on the leading column, since MySQL plans a
/// range scan from that and not from the OR that the row-wise comparison is.
std::string key_range_condition(const Table& table, const Key& key, const std::optional<KeyValues>& lower,
                                const std::optional<KeyValues>& upper);

/// Rows whose key is one of `keys`, as `keys` compare in the columns' collations: a condition in parentheses. "FALSE"
/// when there are none.
std::string key_list_condition(const Table& table, const Key& key, const std::vector<KeyValues>& keys);

/// The query that gives the upper end of the chunk of `rows_per_chunk` rows above `lower`: one row of `key_columns`,
/// or none when fewer rows are left.
std::string boundary_query(const Table& table, const Key& key, const std::optional<KeyValues>& lower,
                           std::uint64_t rows_per_chunk);

/// " FORCE INDEX (…)" for the primary key, which keeps the server from sorting; empty for other keys, since one that
/// is invisible cannot be named.
std::string key_index_hint(const Key& key);

}  // namespace reseal::sql

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mysql/session.hpp"
#include "sql/key_range.hpp"
#include "verify/row_hash.hpp"

namespace reseal::verify {

/// A row's key as one string: every part with its length before it. Equal bytes only; 'A' and 'a' are two keys even
/// where the column's collation calls them equal.
std::string encode_key(const sql::KeyValues& key);
sql::KeyValues decode_key(std::string_view encoded);
/// Hexadecimal SHA-256 of the key's parts joined by commas, so that an operator can find the row again:
/// WHERE SHA2(CONCAT_WS(',', key columns), 256) = '…'.
std::string key_digest(std::string_view encoded);

struct KeyedHash {
  std::string key;  ///< as encode_key gives it
  RowHash hash{};
  bool operator==(const KeyedHash&) const = default;
};

/// Rows of one range on one server.
struct RangeHashes {
  HashSum sum;
  std::vector<KeyedHash> rows;
  bool complete = true;  ///< false when `rows` was given up for its size; `sum` still counts every row
};

/// Streams the hashes of `table`'s rows that meet `condition`; `row` gets the key, encoded (empty without `key`), and
/// the hash. Throws Failure when the server could not hash a row.
void read_rows(mysql::Session& session, const sql::Table& table, const sql::Key* key, const std::string& condition,
               const std::function<void(std::string&& key, const RowHash& hash)>& row);

/// The rows of a range, with keys as long as they take no more than `max_key_bytes`.
RangeHashes read_range(mysql::Session& session, const sql::Table& table, const sql::Key& key,
                       const std::string& condition, std::size_t max_key_bytes);

/// The rows whose keys are among `keys` (encoded), by key; those that do not exist are absent. Queries hold at most
/// `keys_per_query` keys.
std::map<std::string, RowHash> read_keys(mysql::Session& session, const sql::Table& table, const sql::Key& key,
                                         const std::vector<std::string>& keys, std::size_t keys_per_query);

/// A key that names one row and of which ranges can be made, the primary key first; nothing when there is none.
const sql::Key* usable_key(const sql::Table& table);

}  // namespace reseal::verify

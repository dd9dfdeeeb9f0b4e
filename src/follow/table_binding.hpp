// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "binlog/rows_event.hpp"
#include "binlog/table_map.hpp"
#include "sql/key_range.hpp"
#include "sql/table.hpp"

namespace reseal::follow {

/// A copied table together with the table map its rows come with. Immutable.
struct TableBinding {
  const sql::Table* table = nullptr;  ///< lives as long as the follower
  std::shared_ptr<const binlog::TableMap> map;
  std::vector<std::size_t> key;       ///< columns of the row key; empty for a table without one
  std::vector<std::size_t> writable;  ///< columns that statements name

  /// The row key's values. An update's after image may leave key columns out (they did not change): `other` fills
  /// them. Throws Failure(unsupported) when a key column is in neither.
  sql::KeyValues key_values(const binlog::RowImage& image, const binlog::RowImage* other = nullptr) const;
  /// The key as it stands in an IN list: "7" or "(7,_latin1 X'41')". Equal exactly for equal key bytes.
  std::string key_literal(const sql::KeyValues& values) const;
  /// "`id`" or "(`a`,`b`)".
  std::string key_names() const;
  /// Adds one number per unique key of the table that the image touches; two rows that a unique index could call equal
  /// share a number. Keys that hold a NULL or a column that is not in the image add nothing.
  void add_conflict_tokens(const binlog::RowImage& image, std::vector<std::uint64_t>& tokens) const;
};

/// Finds the binding for a table map; made once per map. Throws Failure(unsupported) when the map does not fit the
/// table as it was when the run began: somebody changed the schema.
class TableBindings {
 public:
  explicit TableBindings(const std::vector<sql::Table>& tables);
  /// Null when the table is not one of ours.
  std::shared_ptr<const TableBinding> find(const std::shared_ptr<const binlog::TableMap>& map);

 private:
  std::map<sql::TableName, const sql::Table*> tables_;
  std::map<sql::TableName, std::shared_ptr<const TableBinding>> bound_;
};

/// A 64-bit hash that is the same in every process and version (FNV-1a with a final mix): lanes are chosen by it, and a
/// restarted tool must choose the same.
std::uint64_t stable_hash(std::string_view bytes, std::uint64_t seed = 0);

}  // namespace reseal::follow

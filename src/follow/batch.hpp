// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "binlog/rows_event.hpp"
#include "follow/table_binding.hpp"
#include "sql/position.hpp"

namespace reseal::follow {

/// What a run of changes does to one row in the end.
struct NetRow {
  sql::KeyValues key;
  std::string key_literal;
  bool existed = false;                   ///< before the first of the changes, by what the stream says
  std::optional<binlog::RowChange> last;  ///< the change whose after image stands; nothing: the row is gone
  std::vector<std::uint64_t> tokens;      ///< unique values given up or taken: see add_conflict_tokens
};

/// Changes to one table between two points of the stream, last image per key. Applying it is: delete every row that
/// existed, insert every row that stands. That is right for any mix of key moves and unique values that change hands,
/// because both points are states the source really was in: once the touched rows are gone, nothing can collide.
class NetChanges {
 public:
  void add(const TableBinding& table, binlog::RowChange change);
  /// In order of first touch.
  const std::deque<NetRow>& rows() const { return rows_; }

 private:
  NetRow& row(const TableBinding& table, sql::KeyValues key, bool existed);
  std::deque<NetRow> rows_;
  std::unordered_map<std::string_view, NetRow*> by_key_;  ///< views into rows_' key literals, which never move
};

/// Changes that must be applied one by one in their order: images that leave columns out, tables without a key.
using OrderedChanges = std::vector<binlog::RowChange>;

/// All changes of one batch to one table, as segments that follow each other.
struct TableChanges {
  std::shared_ptr<const TableBinding> table;
  std::vector<std::variant<NetChanges, OrderedChanges>> segments;

  void add(binlog::RowChange change);
  bool ordered() const;
};

/// Consecutive source transactions that reach the target together.
struct Batch {
  sql::SourcePosition start;
  sql::SourcePosition end;           ///< after the last transaction
  std::uint64_t last_commit_us = 0;  ///< of the last transaction, microseconds since 1970 on the source; 0 unknown
  std::uint64_t transactions = 0;
  std::uint64_t changes = 0;
  std::size_t weight = 0;     ///< bytes held, estimated
  bool turns_strict = false;  ///< holds the marker that ends the seed's overlap, as its last transaction
  std::map<sql::TableName, TableChanges> tables;

  void add(const std::shared_ptr<const TableBinding>& table, binlog::RowChange change);
  bool empty() const { return tables.empty(); }
};

/// Whether every writable column is in the image a write would store: present, NULL, or a JSON change whose document
/// is in the before image.
bool complete(const TableBinding& table, const binlog::RowChange& change);

}  // namespace reseal::follow

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "follow/batch.hpp"
#include "sql/key_range.hpp"

namespace reseal::follow {

/// Which rows the follow has changed since a full comparison began: what is left to compare inside the cutover.
/// Bounded: past `capacity` keys it says "too many" and holds none. Safe to use from any thread.
class ChangedKeys {
 public:
  explicit ChangedKeys(std::size_t capacity = 200'000) : capacity_(capacity) {}

  void add(const Batch& batch);
  /// This table is to be compared as a whole, whatever changes in it.
  void add_whole(const sql::TableName& table);
  /// Forgets everything: a comparison that reads every row begins now.
  void clear();

  using Keys = std::map<sql::TableName, std::set<sql::KeyValues>>;
  /// Hands the keys out and forgets them: they are compared now. Whole tables stay, and "too many" too.
  Keys take();
  /// Keys that were taken and not found equal.
  void put_back(const sql::TableName& table, const std::vector<sql::KeyValues>& keys);

  struct Snapshot {
    bool too_many = false;
    Keys keys;
    std::set<sql::TableName> whole_tables;  ///< changed tables without a row key, and those of `add_whole`
    std::size_t size() const;
  };
  Snapshot snapshot() const;
  std::size_t size() const;
  /// What another list holds.
  void add(const Snapshot& other);

 private:
  void drop_if_too_many();

  mutable std::mutex mutex_;
  const std::size_t capacity_;
  std::size_t count_ = 0;
  Snapshot changed_;
};

}  // namespace reseal::follow

// SPDX-License-Identifier: Apache-2.0
#include "follow/changed_keys.hpp"

#include <utility>

namespace reseal::follow {

void ChangedKeys::add(const Batch& batch) {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, changes] : batch.tables) {
    if (changes.table->key.empty()) {
      changed_.whole_tables.insert(name);
      continue;
    }
    if (changed_.too_many) continue;
    auto& keys = changed_.keys[name];
    const auto put = [&](sql::KeyValues key) { count_ += keys.insert(std::move(key)).second ? 1 : 0; };
    for (const auto& segment : changes.segments) {
      if (const auto* net = std::get_if<NetChanges>(&segment)) {
        for (const auto& row : net->rows()) put(row.key);
        continue;
      }
      for (const auto& change : std::get<OrderedChanges>(segment)) {
        if (!change.before.fields.empty()) put(changes.table->key_values(change.before));
        if (!change.after.fields.empty()) put(changes.table->key_values(change.after, &change.before));
      }
    }
    drop_if_too_many();
  }
}

void ChangedKeys::drop_if_too_many() {
  if (count_ <= capacity_) return;
  changed_.too_many = true;
  changed_.keys.clear();
}

void ChangedKeys::add(const Snapshot& other) {
  const std::lock_guard lock(mutex_);
  changed_.whole_tables.insert(other.whole_tables.begin(), other.whole_tables.end());
  if (changed_.too_many) return;
  for (const auto& [table, keys] : other.keys)
    for (const auto& key : keys) count_ += changed_.keys[table].insert(key).second ? 1 : 0;
  if (other.too_many) count_ = capacity_ + 1;
  drop_if_too_many();
}

void ChangedKeys::add_whole(const sql::TableName& table) {
  const std::lock_guard lock(mutex_);
  changed_.whole_tables.insert(table);
}

void ChangedKeys::clear() {
  const std::lock_guard lock(mutex_);
  changed_ = {};
  count_ = 0;
}

ChangedKeys::Keys ChangedKeys::take() {
  const std::lock_guard lock(mutex_);
  if (!changed_.too_many) count_ = 0;
  return std::exchange(changed_.keys, {});
}

void ChangedKeys::put_back(const sql::TableName& table, const std::vector<sql::KeyValues>& keys) {
  const std::lock_guard lock(mutex_);
  if (changed_.too_many || keys.empty()) return;
  auto& changed = changed_.keys[table];
  for (const auto& key : keys) count_ += changed.insert(key).second ? 1 : 0;
  drop_if_too_many();
}

std::size_t ChangedKeys::Snapshot::size() const {
  std::size_t total = whole_tables.size();
  for (const auto& [table, list] : keys) total += list.size();
  return total;
}

ChangedKeys::Snapshot ChangedKeys::snapshot() const {
  const std::lock_guard lock(mutex_);
  return changed_;
}

std::size_t ChangedKeys::size() const {
  const std::lock_guard lock(mutex_);
  return changed_.too_many ? capacity_ + 1 : count_;
}

}  // namespace reseal::follow

// SPDX-License-Identifier: Apache-2.0
#include "follow/batch.hpp"

#include <algorithm>

namespace reseal::follow {

using binlog::RowChange;
using State = binlog::Field::State;

bool complete(const TableBinding& table, const RowChange& change) {
  if (change.kind == RowChange::Kind::remove) return true;
  return std::all_of(table.writable.begin(), table.writable.end(), [&](std::size_t column) {
    const auto state = change.after.fields[column].state;
    if (state == State::json_diff) return change.before.fields[column].state == State::present;
    return state != State::absent;
  });
}

NetRow& NetChanges::row(const TableBinding& table, sql::KeyValues key, bool existed) {
  auto literal = table.key_literal(key);
  if (const auto it = by_key_.find(literal); it != by_key_.end()) return *it->second;
  auto& row = rows_.emplace_back();
  row.key = std::move(key);
  row.key_literal = std::move(literal);
  row.existed = existed;
  by_key_.emplace(row.key_literal, &row);
  return row;
}

void NetChanges::add(const TableBinding& table, RowChange change) {
  if (change.kind != RowChange::Kind::insert) {
    auto& gone = row(table, table.key_values(change.before), true);
    table.add_conflict_tokens(change.before, gone.tokens);
    gone.last.reset();
  }
  if (change.kind != RowChange::Kind::remove) {
    auto& stands = row(table, table.key_values(change.after, &change.before), false);
    table.add_conflict_tokens(change.after, stands.tokens);
    stands.last = std::move(change);
  }
}

void TableChanges::add(RowChange change) {
  const bool net = !table->key.empty() && complete(*table, change);
  if (net && (segments.empty() || std::holds_alternative<NetChanges>(segments.back()))) {
    if (segments.empty()) segments.emplace_back(NetChanges());
    std::get<NetChanges>(segments.back()).add(*table, std::move(change));
    return;
  }
  if (segments.empty() || !std::holds_alternative<OrderedChanges>(segments.back()))
    segments.emplace_back(OrderedChanges());
  std::get<OrderedChanges>(segments.back()).push_back(std::move(change));
}

bool TableChanges::ordered() const {
  return std::any_of(segments.begin(), segments.end(),
                     [](const auto& segment) { return std::holds_alternative<OrderedChanges>(segment); });
}

void Batch::add(const std::shared_ptr<const TableBinding>& table, RowChange change) {
  auto& changed = tables[table->table->name];
  changed.table = table;
  ++changes;
  changed.add(std::move(change));
}

}  // namespace reseal::follow

// SPDX-License-Identifier: Apache-2.0
#include "load/client_model.hpp"

#include <fmt/format.h>

#include <utility>

namespace reseal::load {
namespace {

std::uint64_t below(std::mt19937_64& random, std::uint64_t limit) { return random() % limit; }

template <typename Map>
std::uint64_t any_key(const Map& map, std::mt19937_64& random) {
  return std::next(map.begin(), static_cast<std::ptrdiff_t>(below(random, map.size())))->first;
}

template <typename Map>
std::uint64_t other_key(const Map& map, std::uint64_t not_this, std::mt19937_64& random) {
  auto key = any_key(map, random);
  while (key == not_this) key = any_key(map, random);
  return key;
}

// How often each kind comes, in parts of 100.
constexpr std::array<std::pair<Kind, std::uint64_t>, 15> shares = {{{Kind::transfer, 26},
                                                                    {Kind::doc_insert, 5},
                                                                    {Kind::doc_set, 8},
                                                                    {Kind::doc_append, 6},
                                                                    {Kind::doc_remove, 4},
                                                                    {Kind::doc_delete, 3},
                                                                    {Kind::handle_pass, 9},
                                                                    {Kind::key_move, 7},
                                                                    {Kind::key_swap, 4},
                                                                    {Kind::blob_put, 4},
                                                                    {Kind::blob_drop, 1},
                                                                    {Kind::rebirth, 6},
                                                                    {Kind::hot, 4},
                                                                    {Kind::order_batch, 5},
                                                                    {Kind::touch, 8}}};

constexpr std::size_t most_documents = 200;
constexpr std::size_t longest_trail = 20;

}  // namespace

std::string_view table_name(OwnTable table) {
  switch (table) {
    case OwnTable::counters:
      return "counters";
    case OwnTable::documents:
      return "documents";
    case OwnTable::handles:
      return "handles";
    case OwnTable::movers:
      return "movers";
    case OwnTable::blobs:
      return "blobs";
    case OwnTable::reborn:
      return "reborn";
    case OwnTable::orders:
      return "orders";
    case OwnTable::order_events:
      return "order_events";
  }
  return "";
}

std::string document_price(std::optional<std::uint32_t> seq) {
  return seq ? fmt::format("{}.25", *seq % 100000) : std::string("12.34");
}

std::optional<std::string> ClientModel::first_handle(std::uint64_t slot) const {
  if (slot + 2 >= handle_slots) return std::nullopt;  // two slots are free, so that values can move into them
  return fmt::format("@h{}-{}", client_.value(), slot);
}

Kind ClientModel::choose(std::mt19937_64& random) const {
  auto ticket = below(random, 100);
  Kind kind = Kind::transfer;
  for (const auto& [candidate, share] : shares) {
    if (ticket < share) {
      kind = candidate;
      break;
    }
    ticket -= share;
  }
  const bool on_document =
      kind == Kind::doc_set || kind == Kind::doc_append || kind == Kind::doc_remove || kind == Kind::doc_delete;
  if (on_document && documents_.empty()) return Kind::doc_insert;
  if (kind == Kind::doc_insert && documents_.size() >= most_documents) return Kind::doc_delete;
  if (kind == Kind::blob_drop && blobs_.empty()) return Kind::blob_put;
  if ((kind == Kind::handle_pass && handles_.size() < 2) || (kind == Kind::rebirth && reborn_.empty()) ||
      ((kind == Kind::key_move || kind == Kind::key_swap) && movers_.size() < 2))
    return Kind::hot;
  return kind;
}

Operation ClientModel::next(std::mt19937_64& random, std::uint32_t seq) const {
  Operation operation;
  operation.id = OpId(client_, seq);
  operation.kind = ready() ? choose(random) : Kind::setup;
  fill(operation, random);
  return operation;
}

void ClientModel::fill(Operation& operation, std::mt19937_64& random) const {
  switch (operation.kind) {
    case Kind::setup:
      break;
    case Kind::transfer:
      operation.first = below(random, dimensions_.accounts) + 1;
      operation.second = (operation.first + below(random, dimensions_.accounts - 1)) % dimensions_.accounts + 1;
      operation.amount = static_cast<std::int64_t>(below(random, 99'999) + 1);
      break;
    case Kind::doc_insert:
      operation.first = below(random, dimensions_.document_range) + 1;
      break;
    case Kind::doc_append:
      operation.first = any_key(documents_, random);
      if (documents_.at(operation.first).trail.size() >= longest_trail) operation.kind = Kind::doc_remove;
      break;
    case Kind::doc_set:
    case Kind::doc_remove:
    case Kind::doc_delete:
      operation.first = any_key(documents_, random);
      break;
    case Kind::handle_pass:
      operation.first = any_key(handles_, random);
      operation.second = other_key(handles_, operation.first, random);
      break;
    case Kind::key_move:
      operation.first = any_key(movers_, random);
      operation.second = below(random, dimensions_.mover_range) + 1;
      break;
    case Kind::key_swap:
      operation.first = any_key(movers_, random);
      operation.second = other_key(movers_, operation.first, random);
      break;
    case Kind::blob_put:
      operation.first = slot_key(below(random, blob_slots));
      operation.amount = std::int64_t{1024} << below(random, 8);  // 1 KiB to 128 KiB, and a bit
      operation.amount += static_cast<std::int64_t>(below(random, 1000));
      break;
    case Kind::blob_drop:
      operation.first = any_key(blobs_, random);
      break;
    case Kind::rebirth:
      operation.first = any_key(reborn_, random);
      break;
    case Kind::hot:
      operation.amount = static_cast<std::int64_t>(below(random, 1000) + 1);
      break;
    case Kind::order_batch:
      operation.amount = below(random, 30) == 0 ? 200 : static_cast<std::int64_t>(below(random, 3) + 1);
      break;
    case Kind::touch:
      operation.first = below(random, dimensions_.orders) + 1;
      break;
  }
}

void ClientModel::set_up(OpId id) {
  for (std::uint64_t slot = 0; slot < handle_slots; ++slot) handles_[slot_key(slot)] = {id, first_handle(slot)};
  for (std::uint64_t tag = 0; tag < mover_tags; ++tag) movers_[mover_key(id, tag)] = {id, tag_value(tag)};
  for (std::uint64_t slot = 0; slot < reborn_slots; ++slot) reborn_[slot_key(slot)] = {id, 0};
}

void ClientModel::apply_document(const Operation& operation) {
  const auto seq = operation.id.seq();
  if (operation.kind == Kind::doc_insert) {
    documents_[operation.first] = {operation.id, seq, 1, {seq}, document_price(std::nullopt)};
    return;
  }
  const auto place = documents_.find(operation.first);
  if (place == documents_.end()) return;
  auto& document = place->second;
  document.writer = operation.id;
  if (operation.kind == Kind::doc_set) {
    document.n = document.listed = seq;
    document.price = document_price(seq);
  } else if (operation.kind == Kind::doc_append) {
    document.trail.push_back(seq);
  } else if (operation.kind == Kind::doc_remove) {
    if (!document.trail.empty()) document.trail.pop_front();
  } else {
    documents_.erase(place);
    removed(OwnTable::documents, operation.first, operation.id);
  }
}

void ClientModel::apply_keys(const Operation& operation) {
  if (operation.kind == Kind::handle_pass) {
    auto& first = handles_[operation.first];
    auto& second = handles_[operation.second];
    std::swap(first.value, second.value);
    first.writer = second.writer = operation.id;
    return;
  }
  const auto place = movers_.find(operation.first);
  if (place == movers_.end()) return;
  const auto tag = place->second.tag;
  if (operation.kind == Kind::key_swap) {
    auto& second = movers_[operation.second];
    place->second = {operation.id, second.tag};
    second = {operation.id, tag};
  } else if (operation.first != operation.second) {
    movers_.erase(place);
    movers_[operation.second] = {operation.id, tag};
    removed(OwnTable::movers, operation.first, operation.id);
  } else {
    place->second.writer = operation.id;
  }
}

void ClientModel::apply(const Operation& operation) {
  last_ = operation.id;
  switch (operation.kind) {
    case Kind::setup:
      return set_up(operation.id);
    case Kind::doc_insert:
    case Kind::doc_set:
    case Kind::doc_append:
    case Kind::doc_remove:
    case Kind::doc_delete:
      return apply_document(operation);
    case Kind::handle_pass:
    case Kind::key_move:
    case Kind::key_swap:
      return apply_keys(operation);
    case Kind::blob_put:
      blobs_[operation.first] = {operation.id, static_cast<std::uint64_t>(operation.amount)};
      return;
    case Kind::blob_drop:
      blobs_.erase(operation.first);
      return removed(OwnTable::blobs, operation.first, operation.id);
    case Kind::rebirth: {
      auto& row = reborn_[operation.first];
      row = {operation.id, row.generation + 1};
      return;
    }
    case Kind::order_batch:
      if (history_ == History::kept) orders_[operation.id.value()] = static_cast<std::uint64_t>(operation.amount);
      return;
    case Kind::transfer:
    case Kind::hot:
    case Kind::touch:
      return;  // shared rows: their sums are audited, not their history
  }
}

std::optional<OpId> ClientModel::remover(OwnTable table, std::uint64_t key) const {
  const auto place = removers_.find({table, key});
  return place == removers_.end() ? std::nullopt : std::optional(place->second);
}

ExpectedRows ClientModel::rows(OwnTable table) const {
  ExpectedRows rows;
  switch (table) {
    case OwnTable::counters:
      if (ready()) rows[client_.value()] = {last_, fmt::format("{}", last_.seq())};
      break;
    case OwnTable::documents:
      for (const auto& [key, row] : documents_)
        rows[key] = {row.writer, fmt::format("{}|{}|[{}]|{}|{}|DECIMAL|DATETIME|UNSIGNED INTEGER", row.writer.value(),
                                             row.n, fmt::join(row.trail, ", "), row.listed, row.price)};
      break;
    case OwnTable::handles:
      for (const auto& [key, row] : handles_) rows[key] = {row.writer, row.value.value_or("-")};
      break;
    case OwnTable::movers:
      for (const auto& [key, row] : movers_) rows[key] = {row.writer, fmt::format("{}", row.tag)};
      break;
    case OwnTable::blobs:
      for (const auto& [key, row] : blobs_)
        rows[key] = {row.writer, fmt::format("{}|{}|{}", row.size, row.size, crc32(blob_bytes(row.writer, row.size)))};
      break;
    case OwnTable::reborn:
      for (const auto& [key, row] : reborn_) rows[key] = {row.writer, fmt::format("{}", row.generation)};
      break;
    case OwnTable::orders:
    case OwnTable::order_events:
      for (const auto& [key, count] : orders_) rows[key] = {OpId(key), fmt::format("{}", count)};
      break;
  }
  return rows;
}

}  // namespace reseal::load

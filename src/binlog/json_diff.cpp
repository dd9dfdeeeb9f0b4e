// SPDX-License-Identifier: Apache-2.0
#include "binlog/json_diff.hpp"

#include <algorithm>

#include "base/byte_cursor.hpp"
#include "binlog/json_binary.hpp"
#include "sql/json_path.hpp"

namespace reseal::binlog {
namespace {

using base::BadInput;
using base::Result;
using sql::JsonKind;
using sql::JsonPathLeg;
using sql::JsonValue;

/// MySQL orders members by length, then bytes (mysql-server sql-common/json_dom.h, Json_key_comparator).
bool key_before(const sql::JsonMember& member, const std::string& key) {
  return member.key.size() != key.size() ? member.key.size() < key.size() : member.key < key;
}

JsonValue* find(JsonValue& container, const JsonPathLeg& leg) {
  if (const auto* key = std::get_if<std::string>(&leg)) {
    if (container.kind() != JsonKind::object) return nullptr;
    auto& members = container.members();
    const auto found = std::find_if(members.begin(), members.end(), [&](const auto& m) { return m.key == *key; });
    return found == members.end() ? nullptr : &found->value;
  }
  const auto index = std::get<std::uint64_t>(leg);
  // Unlike in SQL, $[0] of a scalar is not the scalar here (mysql-server sql/json_diff.cc, seek_exact_path).
  if (container.kind() != JsonKind::array) return nullptr;
  return index < container.items().size() ? &container.items()[index] : nullptr;
}

bool insert(JsonValue& parent, const JsonPathLeg& leg, JsonValue value) {
  if (const auto* key = std::get_if<std::string>(&leg)) {
    if (parent.kind() != JsonKind::object || find(parent, leg) != nullptr) return false;
    auto& members = parent.members();
    const auto place = std::lower_bound(members.begin(), members.end(), *key, key_before);
    members.insert(place, {*key, std::move(value)});
    return true;
  }
  if (parent.kind() != JsonKind::array) return false;
  auto& items = parent.items();
  const auto index = std::min<std::uint64_t>(std::get<std::uint64_t>(leg), items.size());
  items.insert(items.begin() + static_cast<std::ptrdiff_t>(index), std::move(value));
  return true;
}

bool remove(JsonValue& parent, const JsonPathLeg& leg) {
  const auto* target = find(parent, leg);
  if (target == nullptr) return false;
  if (parent.kind() == JsonKind::object) {
    auto& members = parent.members();
    std::erase_if(members, [&](const auto& member) { return member.key == std::get<std::string>(leg); });
  } else {
    auto& items = parent.items();
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(std::get<std::uint64_t>(leg)));
  }
  return true;
}

bool apply(JsonValue& root, const JsonDiff& diff, const std::vector<JsonPathLeg>& legs) {
  JsonValue* at = &root;
  const auto steps = diff.operation == JsonDiff::Operation::replace ? legs.size() : legs.size() - 1;
  for (std::size_t i = 0; i < steps && at != nullptr; ++i) at = find(*at, legs[i]);
  if (at == nullptr) return false;
  switch (diff.operation) {
    case JsonDiff::Operation::replace:
      *at = diff.value;
      return true;
    case JsonDiff::Operation::insert:
      return insert(*at, legs.back(), diff.value);
    case JsonDiff::Operation::remove:
      return remove(*at, legs.back());
  }
  return false;
}

}  // namespace

Result<std::vector<JsonDiff>> parse_json_diffs(std::string_view raw) {
  base::ByteCursor cursor(raw);
  std::vector<JsonDiff> diffs;
  while (cursor.ok() && !cursor.at_end()) {
    JsonDiff diff;
    const auto operation = cursor.u8();
    if (operation > static_cast<std::uint8_t>(JsonDiff::Operation::remove)) cursor.fail("unknown operation");
    diff.operation = static_cast<JsonDiff::Operation>(operation);
    diff.path = std::string(cursor.lenenc_bytes());
    if (diff.operation != JsonDiff::Operation::remove) {
      const auto bytes = cursor.lenenc_bytes();
      if (!cursor.ok()) break;
      auto value = parse_json_binary(bytes);
      if (!value.ok()) return value.bad();
      diff.value = std::move(value).value();
    }
    diffs.push_back(std::move(diff));
  }
  if (!cursor.ok()) return BadInput{"JSON changes: " + cursor.error()};
  return diffs;
}

Result<JsonValue> apply_json_diffs(JsonValue before, const std::vector<JsonDiff>& diffs) {
  for (const auto& diff : diffs) {
    const auto legs = sql::parse_json_path(diff.path);
    if (!legs.ok()) return legs.bad();
    if (legs.value().empty()) return BadInput{"JSON changes: a path names the whole document"};
    // Else a list of changes could build a document on which recursion overruns the stack.
    if (legs.value().size() > sql::json_max_depth) return BadInput{"JSON changes: a path is deeper than any document"};
    if (!apply(before, diff, legs.value()))
      return BadInput{"JSON changes: a path leads nowhere in the document they are for"};
  }
  return before;
}

}  // namespace reseal::binlog

// SPDX-License-Identifier: Apache-2.0
#include "run/way.hpp"

#include <array>

#include "base/failure.hpp"

namespace reseal::run {
namespace {

struct Entry {
  Way way;
  std::string_view name;
  WayParts parts;
};

constexpr std::array<Entry, 4> ways = {{
    {Way::stream, "stream", {SeedKind::rows, FollowKind::applier}},
    {Way::dump, "dump", {SeedKind::rows, FollowKind::none}},
    {Way::replica, "replica", {SeedKind::clone, FollowKind::replication}},
    {Way::snapshot, "snapshot", {SeedKind::clone, FollowKind::none}},
}};

const Entry& entry(Way way) {
  for (const auto& one : ways)
    if (one.way == way) return one;
  RESEAL_CHECK(false);
  return ways.front();
}

}  // namespace

WayParts parts(Way way) { return entry(way).parts; }

std::string_view name(Way way) { return entry(way).name; }

std::optional<Way> way_named(std::string_view text) {
  for (const auto& one : ways)
    if (one.name == text) return one.way;
  return std::nullopt;
}

std::string way_names() {
  std::string names;
  for (const auto& one : ways) names += (names.empty() ? "" : ", ") + std::string(one.name);
  return names;
}

}  // namespace reseal::run

// SPDX-License-Identifier: Apache-2.0
#include "run/changed_rows.hpp"

#include <fmt/format.h>

#include "base/failure.hpp"
#include "verify/key_compare.hpp"
#include "verify/verifier.hpp"

namespace reseal::run {

using base::Failure;
using base::FailureKind;

namespace {

constexpr unsigned passes = 5;
constexpr std::size_t few_rows = 200;

/// Gives back the rows that are not equal.
void narrow_table(Run& run, const sql::Table& table, const std::set<sql::KeyValues>& changed) {
  std::vector<sql::KeyValues> left;
  for (auto& one : verify::compare_keys(run.serving(), run.standby(), table, {changed.begin(), changed.end()},
                                        verify::Order::source_first))
    left.push_back(std::move(one.key));
  run.changed_keys().put_back(table.name, left);
}

void narrow_once(Run& run, std::stop_token stop) {
  run.wait_followed(stop);
  const auto taken = run.changed_keys().take();
  try {
    for (const auto& table : run.tables()) {
      if (stop.stop_requested()) throw Failure(FailureKind::interrupted, "stopped before the switch");
      const auto keys = taken.find(table.name);
      if (keys != taken.end()) narrow_table(run, table, keys->second);
    }
  } catch (...) {
    for (const auto& [name, keys] : taken) run.changed_keys().put_back(name, {keys.begin(), keys.end()});
    throw;
  }
}

}  // namespace

void narrow_changed_rows(Run& run, std::stop_token stop) {
  auto before = run.changed_keys().size();
  for (unsigned pass = 0; pass < passes && before > few_rows; ++pass) {
    narrow_once(run, stop);
    const auto after = run.changed_keys().size();
    run.log().info(fmt::format("switch: {} changed rows compared ahead, {} left", before, after));
    if (after > before / 2) return;
    before = after;
  }
}

void compare_changed_rows(Run& run) {
  const auto changed = run.changed_keys().snapshot();
  if (changed.too_many)
    throw Failure(FailureKind::given_up,
                  "more rows changed since the last comparison than can be compared in the switch");
  std::vector<sql::Table> whole;
  for (const auto& table : run.tables()) {
    if (changed.whole_tables.count(table.name) != 0) whole.push_back(table);
    const auto keys = changed.keys.find(table.name);
    if (keys == changed.keys.end()) continue;
    const auto differences = verify::compare_keys(run.serving(), run.standby(), table,
                                                  {keys->second.begin(), keys->second.end()}, verify::Order::at_once);
    if (!differences.empty())
      throw Failure(FailureKind::divergence, fmt::format("{} changed rows differ, the first: {}", differences.size(),
                                                         text(verify::reported(table, differences.front()))));
  }
  if (!whole.empty()) {
    verify::Verifier verifier(
        [&] { return mysql::Session(run.endpoint(run.serves()), mysql::Side::source); },
        [&] { return mysql::Session(run.endpoint(cutover::other(run.serves())), mysql::Side::target); });
    if (!verifier.compare(whole, {}, {}).equal())
      throw Failure(FailureKind::divergence, "a table that could only be compared while nothing moves differs");
  }
  run.record("switch-compared", std::to_string(changed.size()) + " changed rows are equal");
}

}  // namespace reseal::run

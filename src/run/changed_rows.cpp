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

/// Keys that are off the list of changed rows. What has not been compared when it goes is back on the list, however
/// that came.
class TakenKeys {
 public:
  explicit TakenKeys(follow::ChangedKeys& list) : list_(list), keys_(list.take()) {}
  ~TakenKeys() {
    for (const auto& [table, keys] : keys_) list_.put_back(table, {keys.begin(), keys.end()});
  }
  TakenKeys(const TakenKeys&) = delete;
  TakenKeys& operator=(const TakenKeys&) = delete;

  /// Compares the table's rows; those that are not equal go back.
  void compare(Run& run, const sql::Table& table) {
    const auto taken = keys_.find(table.name);
    if (taken == keys_.end()) return;
    std::vector<sql::KeyValues> left;
    for (auto& one : verify::compare_keys(run.serving(), run.standby(), table,
                                          {taken->second.begin(), taken->second.end()}, verify::Order::source_first))
      left.push_back(std::move(one.key));
    list_.put_back(table.name, left);
    keys_.erase(taken);
  }

 private:
  follow::ChangedKeys& list_;
  follow::ChangedKeys::Keys keys_;
};

void narrow_once(Run& run, std::stop_token stop) {
  run.wait_followed(stop);
  TakenKeys taken(run.changed_keys());
  for (const auto& table : run.tables()) {
    if (stop.stop_requested()) throw Failure(FailureKind::interrupted, "stopped before the switch");
    taken.compare(run, table);
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

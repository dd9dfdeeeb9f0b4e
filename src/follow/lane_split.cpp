// SPDX-License-Identifier: Apache-2.0
#include "follow/lane_split.hpp"

#include <algorithm>
#include <numeric>

namespace reseal::follow {
namespace {

/// Rows that share a token, directly or through others, belong together.
class Components {
 public:
  explicit Components(std::size_t size) : parent_(size) { std::iota(parent_.begin(), parent_.end(), std::size_t{0}); }
  std::size_t root(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(std::size_t a, std::size_t b) { parent_[root(a)] = root(b); }

 private:
  std::vector<std::size_t> parent_;
};

void split_table(const TableChanges& changes, std::vector<LaneWork>& work) {
  const auto& rows = std::get<NetChanges>(changes.segments.front()).rows();
  Components components(rows.size());
  std::unordered_map<std::uint64_t, std::size_t> owner;
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (const auto token : rows[i].tokens) components.join(i, owner.try_emplace(token, i).first->second);
  // The lane of a component is decided by its smallest token, which does not depend on the order of rows.
  std::vector<std::uint64_t> smallest(rows.size(), UINT64_MAX);
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (const auto token : rows[i].tokens) {
      auto& least = smallest[components.root(i)];
      least = std::min(least, token);
    }
  std::vector<LaneTable> parts(work.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    parts[smallest[components.root(i)] % work.size()].rows.push_back(&rows[i]);
  for (std::size_t lane = 0; lane < work.size(); ++lane) {
    if (parts[lane].rows.empty()) continue;
    parts[lane].changes = &changes;
    work[lane].push_back(std::move(parts[lane]));
  }
}

}  // namespace

std::vector<LaneWork> split_into_lanes(const Batch& batch, std::size_t lanes) {
  std::vector<LaneWork> work(lanes);
  for (const auto& [name, changes] : batch.tables) {
    if (lanes > 1 && changes.segments.size() == 1 && !changes.ordered()) {
      split_table(changes, work);
    } else {
      work[stable_hash(name.text()) % lanes].push_back({&changes, true, {}});
    }
  }
  return work;
}

}  // namespace reseal::follow

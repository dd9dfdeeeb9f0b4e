// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "follow/batch.hpp"

namespace reseal::follow {

/// The part of a batch that one lane applies: pointers into the batch, in its order.
struct LaneTable {
  const TableChanges* changes = nullptr;
  bool whole = false;               ///< all segments, in order
  std::vector<const NetRow*> rows;  ///< else these rows of the only (net) segment
};
using LaneWork = std::vector<LaneTable>;

/// Splits a batch into `lanes` parts that touch no row and no unique value in common, so that they may run side by side
/// in transactions of their own. A function of the batch's content and `lanes` alone: a restarted tool that reads the
/// same transactions again gets the same parts.
std::vector<LaneWork> split_into_lanes(const Batch& batch, std::size_t lanes);

}  // namespace reseal::follow

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "follow/lane_split.hpp"
#include "mysql/session.hpp"

namespace reseal::follow {

/// How much the target's rows may differ from what the stream says they were.
enum class Strictness {
  idempotent,  ///< the seed's chunks may hold later effects: rows may be there already, or gone
  strict       ///< an insert that finds a row, or an update or delete that finds none, is a divergence
};

/// Writes the rows of one lane into the session's open transaction; the caller begins and commits it. Throws
/// Failure(divergence) under `strict` when the target does not hold what the stream says, Failure(unsupported) for what
/// cannot be applied exactly, transient or target ones from the server. After a throw the transaction must be rolled
/// back. Statements hold up to about 1 MiB, or one row.
void apply_lane(mysql::Session& target, const LaneWork& work, Strictness strictness);

}  // namespace reseal::follow

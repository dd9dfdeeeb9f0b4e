// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "follow/lane_apply.hpp"
#include "mysql/session.hpp"
#include "sql/position.hpp"

namespace reseal::follow {

/// Where one lane stands on the target. Written in the transaction that holds the lane's rows, so the two cannot
/// disagree, whatever is killed when.
struct LaneProgress {
  std::uint64_t batch = 0;    ///< counts up; a lane that holds n has applied its part of every batch up to n
  sql::SourcePosition start;  ///< of that batch
  sql::SourcePosition end;
  Strictness strictness = Strictness::idempotent;  ///< after that batch
  std::uint64_t commit_us = 0;                     ///< source commit of the batch's last transaction
};

/// The reseal.lane table of the server that is followed to (here: target). All functions run on the given session,
/// within its transaction if one is open. Which switch the lanes follow on from: its epoch, 0 before the first; nothing
/// before lanes were begun.
std::optional<std::uint64_t> lanes_epoch(mysql::Session& target);
/// All lanes begin at `start`, whatever they said before; creates the table. In one transaction.
void begin_lanes(mysql::Session& target, std::size_t lanes, const sql::SourcePosition& start, std::uint64_t epoch,
                 Strictness strictness);
/// In lane order; empty before begin_lanes.
std::vector<LaneProgress> read_lanes(mysql::Session& target);
void write_lane(mysql::Session& target, std::size_t lane, const LaneProgress& progress);

/// A batch that some lanes have applied and others not: what a kill between the lanes' commits leaves behind.
struct HalfDone {
  sql::SourcePosition start;
  sql::SourcePosition end;
  std::uint64_t batch = 0;
  std::vector<bool> done;  ///< by lane
};

/// What the lanes say: where to read on, and the batch to complete first. Throws Failure(divergence) when they are
/// further apart than one batch, which our writer never does.
struct Resume {
  LaneProgress from;
  std::optional<HalfDone> half_done;
};
Resume resume_from(const std::vector<LaneProgress>& lanes);

}  // namespace reseal::follow

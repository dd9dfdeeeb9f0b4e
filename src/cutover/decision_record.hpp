// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "mysql/session.hpp"
#include "sql/position.hpp"

namespace reseal::cutover {

/// Who serves: reseal.decision on the target, one row per attempt to switch (epoch), written once and never changed. A
/// row for the target is the decision. A row for the source closes its epoch: the primary key lets only one of the two
/// in, so that a decision whose answer was lost, or whose writer was killed, can never arrive after the attempt was
/// backed out.
struct DecisionRecord {
  std::string run_id;
  std::uint64_t epoch = 0;
  sql::SourcePosition source;  ///< the fenced source's final position
  std::string target_binlog;   ///< where the target's own log stood
  std::string target_gtids;
  std::string digest;       ///< of the last full comparison
  std::string decided_utc;  ///< the target's clock
};

void create_decision_table(mysql::Session& target);
/// An attempt to switch begins: its epoch, above every earlier one, durable in reseal.attempt on the target when this
/// returns. Until it has its decision row, an attempt is under way, for whoever looks.
std::uint64_t begin_epoch(mysql::Session& target, const std::string& run_id);
/// The decision for the target; nothing when there is none. Creates nothing.
std::optional<DecisionRecord> read_decision(mysql::Session& target);
/// Durable on the target when it returns. A lost connection leaves the outcome unknown: close the epoch, or learn that
/// it was decided. Throws Failure(target) 1062 when the epoch was closed.
void write_decision(mysql::Session& target, const DecisionRecord& record);
/// Makes sure that no attempt so far can be decided for the target any more. False when one has been.
bool close_epochs(mysql::Session& target, const std::string& run_id);

}  // namespace reseal::cutover

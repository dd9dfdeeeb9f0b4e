// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mysql/session.hpp"
#include "sql/position.hpp"

namespace reseal::cutover {

/// Which of the two servers takes the application's writes.
enum class Serves { source, target };
Serves other(Serves serves);
std::string_view name(Serves serves);

/// Who serves: reseal.decision on the target, one row per attempt to switch (epoch), written once and never changed.
/// The row of the latest attempt that has one says who serves. A row is `decided`: the attempt went through; or
/// `closed`: it was backed out, and who served goes on. The primary key lets only one of the two in, so that a decision
/// whose answer was lost, or whose writer was killed, can never arrive after the attempt was backed out.
struct DecisionRecord {
  std::string run_id;
  std::uint64_t epoch = 0;
  Serves serves = Serves::source;
  sql::SourcePosition source;  ///< where the source's log stood; the final position when the switch is to the target
  sql::SourcePosition target;  ///< where the target's log stood; the final position when the switch is to the source
  std::string digest;          ///< of the last full comparison
  std::string decided_utc;     ///< the target's clock
};

/// An attempt to switch, in reseal.attempt on the target. Until its epoch has a row in reseal.decision it is under way,
/// for whoever looks.
struct Attempt {
  std::uint64_t epoch = 0;
  Serves from = Serves::source;  ///< who served when it began
};

void create_decision_tables(mysql::Session& target);
/// An attempt begins: its epoch is above every earlier one and durable when this returns.
std::uint64_t begin_attempt(mysql::Session& target, const std::string& run_id, Serves from);
/// The latest attempt; nothing when there was none. Creates nothing.
std::optional<Attempt> latest_attempt(mysql::Session& target);
/// The latest attempt that was decided; nothing when there is none. Creates nothing.
std::optional<DecisionRecord> latest_decision(mysql::Session& target);
/// Whether the attempt was backed out for good.
bool closed(mysql::Session& target, std::uint64_t epoch);
/// Durable on the target when it returns. A lost connection leaves the outcome unknown: close the attempts, or learn
/// that it was decided. Throws Failure(target) 1062 when the epoch was closed.
void write_decision(mysql::Session& target, const DecisionRecord& record);
/// Makes sure that no attempt so far can be decided any more. False when the latest one has been.
bool close_attempts(mysql::Session& target, const std::string& run_id);

}  // namespace reseal::cutover

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace reseal::cutover {

/// The steps of a switch from the serving side to its standby, in order (the names of the numbered steps C1 to C11 in
/// parentheses). Each can be done again without harm.
enum class Step {
  announce,         ///< (C1) the attempt's epoch, durable on the target
  hold,             ///< (C2) the proxies let no transaction begin
  raise_fence,      ///< (C3) the serving side refuses writes, provably
  end_open_writes,  ///< (C3) no transaction that has written is left
  read_position,    ///< (C4) only now
  drain,            ///< (C5) the standby holds everything up to it, and the follow is stopped there
  align_counters,   ///< (C6) AUTO_INCREMENT
  compare_changes,  ///< (C6) rows changed since the last full comparison
  create_triggers,  ///< (C7) triggers, and events disabled
  decide,           ///< (C8) the decision record: from here the standby serves
  open_standby,     ///< (C9)
  release,          ///< (C10, C11) the proxies move their sessions to the side that serves, and let them go on
  enable_events,
  run_hook,  ///< the operator's switch
  finished,
  lower_fence,    ///< backing out: who served serves again
  drop_triggers,  ///< backing out: the follow is to go on, and triggers must not fire under it
  resume_follow,  ///< backing out: only after that
  given_up,       ///< backed out
  ask_decision    ///< the decision's commit has no answer: read the record until it can be read
};

std::string_view name(Step step);

enum class Decision { none, made, unknown };

/// What is known, all of it read from the servers or written before the act.
struct Facts {
  Decision decision = Decision::none;
  bool proxies_may_hold = false;  ///< there are proxies, and they have not been told yet who serves
  // Going forward.
  bool announced = false;
  bool held = false;  ///< true from the start without proxies
  bool fenced = false;
  bool writes_ended = false;
  bool position_read = false;
  bool drained = false;
  bool counters_aligned = false;
  bool changes_equal = false;
  bool triggers_created = false;
  bool standby_open = false;
  bool events_enabled = false;
  bool hook_done = false;
  // Backing out.
  bool failed = false;          ///< a step failed, or the time is up
  bool follow_stopped = false;  ///< by `drain`
  bool triggers_may_exist = false;
  bool fence_may_stand = false;  ///< set before the fence is raised, by a durable note
};

/// The next step. Pure: no socket, no clock. Rules:
///  - with a decision there is only forward, whatever failed;
///  - with an unknown decision there is only asking;
///  - without one, any failure backs out, and the source serves;
///  - the position is read only under the proven fence with no open writes; the decision is taken only after drain and
///    comparison; the standby opens only after the decision; the fence is lowered only without a decision;
///  - the follow applies nothing while triggers exist; the proxies hear who serves when that side takes writes.
Step next_step(const Facts& facts);

}  // namespace reseal::cutover

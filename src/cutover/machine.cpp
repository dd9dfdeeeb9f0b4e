// SPDX-License-Identifier: Apache-2.0
#include "cutover/machine.hpp"

namespace reseal::cutover {
namespace {

Step forward_from_decision(const Facts& facts) {
  if (!facts.standby_open) return Step::open_standby;
  if (facts.proxies_may_hold) return Step::release;
  if (!facts.events_enabled) return Step::enable_events;
  if (!facts.hook_done) return Step::run_hook;
  return Step::finished;
}

Step back_out(const Facts& facts) {
  if (facts.fence_may_stand) return Step::lower_fence;
  if (facts.proxies_may_hold) return Step::release;
  if (facts.triggers_may_exist) return Step::drop_triggers;
  if (facts.follow_stopped) return Step::resume_follow;
  return Step::given_up;
}

Step forward_to_decision(const Facts& facts) {
  if (!facts.announced) return Step::announce;
  if (!facts.held) return Step::hold;
  if (!facts.fenced) return Step::raise_fence;
  if (!facts.writes_ended) return Step::end_open_writes;
  if (!facts.position_read) return Step::read_position;
  if (!facts.drained) return Step::drain;
  if (!facts.counters_aligned) return Step::align_counters;
  if (!facts.changes_equal) return Step::compare_changes;
  if (!facts.triggers_created) return Step::create_triggers;
  return Step::decide;
}

}  // namespace

std::string_view name(Step step) {
  switch (step) {
    case Step::announce:
      return "announce";
    case Step::hold:
      return "hold";
    case Step::raise_fence:
      return "fence";
    case Step::end_open_writes:
      return "end-writes";
    case Step::read_position:
      return "position";
    case Step::drain:
      return "drain";
    case Step::align_counters:
      return "counters";
    case Step::compare_changes:
      return "verify";
    case Step::create_triggers:
      return "triggers";
    case Step::decide:
      return "decide";
    case Step::open_standby:
      return "open";
    case Step::release:
      return "release";
    case Step::enable_events:
      return "events";
    case Step::run_hook:
      return "hook";
    case Step::finished:
      return "finished";
    case Step::drop_triggers:
      return "drop-triggers";
    case Step::lower_fence:
      return "lower-fence";
    case Step::resume_follow:
      return "resume-follow";
    case Step::given_up:
      return "given-up";
    case Step::ask_decision:
      return "ask-decision";
  }
  return "?";
}

Step next_step(const Facts& facts) {
  switch (facts.decision) {
    case Decision::made:
      return forward_from_decision(facts);
    case Decision::unknown:
      return Step::ask_decision;
    case Decision::none:
      break;
  }
  return facts.failed ? back_out(facts) : forward_to_decision(facts);
}

}  // namespace reseal::cutover

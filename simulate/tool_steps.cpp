// SPDX-License-Identifier: Apache-2.0
// The steps of a switch, as src/run/switch_over.cpp carries them out. Which one is next, cutover::next_step says.
#include <utility>

#include "simulate/turns.hpp"

namespace reseal::simulate {
namespace {

using cutover::Decision;
using cutover::Step;

constexpr Millis poll_every = 110;
constexpr Millis drain_limit = 1'000;

constexpr Op announce[] = {
    {Order::begin_attempt, At::target}, {Order::end_others, At::source}, {Order::end_others, At::target}};
constexpr Op hold[] = {{Order::proxy_hold, At::proxy_0}, {Order::proxy_hold, At::proxy_1}};
constexpr Op raise_fence[] = {{Order::note_fence, At::here}, {Order::raise, At::from}, {Order::look_fence, At::from}};
constexpr Op position_and_raise[] = {{Order::position, At::from},
                                     {Order::note_fence, At::here},
                                     {Order::raise, At::from},
                                     {Order::look_fence, At::from}};
constexpr Op end_open_writes[] = {
    {Order::open_writers, At::from}, {Order::end_writers, At::from}, {Order::open_writers, At::from}};
// SourceFence::final_position.
constexpr Op read_position[] = {{Order::position, At::from},
                                {Order::look_fence, At::from},
                                {Order::open_writers, At::from},
                                {Order::position, At::from}};
constexpr Op drain[] = {{Order::await_follow, At::here}, {Order::stop_follow, At::here}};
constexpr Op only_stop[] = {{Order::stop_follow, At::here}};
constexpr Op align_counters[] = {{Order::touch, At::from}, {Order::touch, At::to}};
constexpr Op compare_changes[] = {{Order::read_rows, At::from}, {Order::read_rows, At::to}};
constexpr Op create_triggers[] = {{Order::note_triggers, At::here}, {Order::create_triggers, At::to}};
constexpr Op triggers_and_open[] = {{Order::note_triggers, At::here},
                                    {Order::create_triggers, At::to},
                                    {Order::super_off, At::to},
                                    {Order::read_only_off, At::to}};
constexpr Op decide[] = {
    {Order::position, At::from},    {Order::look_fence, At::from},       {Order::open_writers, At::from},
    {Order::position, At::from},    {Order::position, At::to},           {Order::door_look, At::target},
    {Order::door_open, At::target}, {Order::write_decision, At::target}, {Order::door_close, At::target}};
constexpr Op decide_without_look[] = {{Order::position, At::to},
                                      {Order::door_look, At::target},
                                      {Order::door_open, At::target},
                                      {Order::write_decision, At::target},
                                      {Order::door_close, At::target}};
constexpr Op ask_decision[] = {{Order::door_look, At::target},
                               {Order::door_open, At::target},
                               {Order::write_closed, At::target},
                               {Order::door_close, At::target},
                               {Order::read_outcome, At::target}};
constexpr Op ask_and_end[] = {{Order::door_look, At::target},    {Order::door_open, At::target},
                              {Order::write_closed, At::target}, {Order::set_backed_out, At::target},
                              {Order::door_close, At::target},   {Order::read_outcome, At::target}};
constexpr Op ask_without_closing[] = {{Order::read_decision, At::target}};
constexpr Op open_standby[] = {{Order::stop_follow, At::here}, {Order::super_off, At::to},
                               {Order::read_only_off, At::to}, {Order::forget_read_only, At::to},
                               {Order::forget_super, At::to},  {Order::look_open, At::to}};
constexpr Op release[] = {{Order::proxy_status, At::proxy_0},  {Order::proxy_move, At::proxy_0},
                          {Order::proxy_release, At::proxy_0}, {Order::proxy_status, At::proxy_1},
                          {Order::proxy_move, At::proxy_1},    {Order::proxy_release, At::proxy_1}};
constexpr Op enable_events[] = {{Order::touch, At::to}};
constexpr Op run_hook[] = {{Order::hook, At::here}};
constexpr Op lower_fence[] = {{Order::super_off, At::from},
                              {Order::read_only_off, At::from},
                              {Order::forget_super, At::from},
                              {Order::forget_read_only, At::from},
                              {Order::look_fence, At::from}};
constexpr Op drop_triggers[] = {{Order::drop_triggers, At::to}};
constexpr Op resume_follow[] = {{Order::touch, At::target}, {Order::start_follow, At::here}};

template <std::size_t Size>
Script script(const Op (&ops)[Size]) {
  return {ops, Size, 0};
}

}  // namespace

void ToolTurn::next_step() {
  auto& facts = t_.facts;
  if (facts.decision == Decision::none && !facts.failed && left() == 0) facts.failed = true;
  if (w_.mistaken(Mistake::position_first) && facts.fenced && !facts.position_read) facts.position_read = true;
  if (w_.mistaken(Mistake::open_writers)) facts.writes_ended = true;
  if (w_.mistaken(Mistake::release_early) && facts.decision == Decision::made && facts.proxies_may_hold)
    facts.standby_open = true;
  t_.step = cutover::next_step(facts);
  if (t_.step == Step::finished || t_.step == Step::given_up) return end_drive();
  ++w_.coverage_.taken[static_cast<unsigned>(t_.step)];
  w_.say("{} {} (epoch {})", name(actor_), cutover::name(t_.step), t_.epoch);
  begin_step();
  go();
}

void ToolTurn::begin_step() {
  t_.end_said = t_.asked_again = false;
  t_.first_read = ~0U;
  t_.step_began = w_.now_;
  switch (t_.step) {
    case Step::announce:
      t_.script = script(announce);
      return;
    case Step::hold:
      t_.script = script(hold);
      return;
    case Step::raise_fence:
      t_.script = w_.mistaken(Mistake::position_first) ? script(position_and_raise) : script(raise_fence);
      return;
    case Step::end_open_writes:
      t_.script = script(end_open_writes);
      return;
    case Step::read_position:
      t_.script = script(read_position);
      return;
    case Step::drain:
      t_.wait_for = t_.final_position;
      t_.script = w_.mistaken(Mistake::drain_skipped) ? script(only_stop) : script(drain);
      return;
    case Step::align_counters:
      t_.script = script(align_counters);
      return;
    case Step::compare_changes:
      t_.script = script(compare_changes);
      return;
    case Step::create_triggers:
      t_.script = w_.mistaken(Mistake::open_early) ? script(triggers_and_open) : script(create_triggers);
      return;
    case Step::decide:
      t_.script = w_.mistaken(Mistake::no_second_look) ? script(decide_without_look) : script(decide);
      return;
    case Step::ask_decision:
      t_.script = w_.mistaken(Mistake::asked_not_closed)             ? script(ask_without_closing)
                  : w_.mistaken(Mistake::over_to_the_tool_too_early) ? script(ask_and_end)
                                                                     : script(ask_decision);
      return;
    case Step::open_standby:
      t_.script = script(open_standby);
      return;
    case Step::release:
      t_.script = script(release);
      return;
    case Step::enable_events:
      t_.script = script(enable_events);
      return;
    case Step::run_hook:
      t_.script = script(run_hook);
      return;
    case Step::lower_fence:
      t_.script = script(lower_fence);
      return;
    case Step::drop_triggers:
      t_.script = script(drop_triggers);
      return;
    case Step::resume_follow:
      t_.script = script(resume_follow);
      return;
    case Step::finished:
    case Step::given_up:
      return;
  }
}

ToolTurn::Took ToolTurn::took_in_step(const Op& op, const Answer& answer) {
  switch (op.order) {
    case Order::begin_attempt:
      t_.epoch = answer.value;
      return Took::next;
    case Order::look_fence:
      if (t_.step == Step::lower_fence) return answer.value == 0 ? Took::next : Took::fail;
      return answer.value != 0 ? Took::next : Took::fail;
    case Order::look_open:
      return answer.value != 0 ? Took::next : Took::fail;
    case Order::open_writers:
      return took_writers(answer);
    case Order::position:
      return took_position(answer);
    case Order::read_rows:
      return took_rows(op, answer);
    case Order::door_look:
      t_.door_fenced = answer.value != 0;
      return Took::next;
    case Order::door_close:
      return t_.failing == Error::none ? Took::next : Took::fail;
    case Order::read_outcome:
      t_.decided = answer.value != 0;
      return Took::next;
    case Order::read_decision:
      t_.decided = answer.value == t_.epoch;
      return Took::next;
    case Order::proxy_status:
      t_.proxy_there = static_cast<Side>(answer.value) == (t_.facts.decision == Decision::made ? to() : t_.from);
      t_.proxy_holding = answer.more != 0;
      return Took::next;
    default:
      return Took::next;
  }
}

ToolTurn::Took ToolTurn::took_writers(const Answer& answer) {
  if (w_.mistaken(Mistake::open_writers)) return Took::next;
  if (t_.step != Step::end_open_writes) return answer.value == 0 ? Took::next : Took::fail;
  if (answer.value == 0) return Took::end;
  if (left() == 0) return Took::fail;
  if (t_.end_said || w_.now_ <= t_.step_began + drain_limit) {
    t_.script.at = 0;
    w_.due_[actor_] = w_.now_ + poll_every;
    return Took::wait;
  }
  t_.end_said = true;
  return Took::next;
}

ToolTurn::Took ToolTurn::took_position(const Answer& answer) {
  if (t_.step == Step::raise_fence) {  // only with a planted mistake
    t_.final_position = answer.value;
    return Took::next;
  }
  const auto& op = t_.script.ops[t_.script.at];
  if (op.at == At::to) {
    t_.feed_start = answer.value;
    return Took::next;
  }
  if (t_.first_read == ~0U) {
    t_.first_read = answer.value;
    return Took::next;
  }
  if (t_.first_read != answer.value) return Took::fail;
  if (t_.step == Step::decide) {
    if (answer.value == t_.final_position) return Took::next;
    t_.facts.failed = true;
    return Took::end;
  }
  t_.final_position = answer.value;
  return Took::next;
}

/// Only what the follow has applied since the full comparison is compared.
ToolTurn::Took ToolTurn::took_rows(const Op& op, const Answer& answer) {
  if (op.at == At::from) {
    t_.seen = answer.rows & t_.changed;
    return Took::next;
  }
  if (t_.seen == (answer.rows & t_.changed)) return Took::next;
  if (!w_.hand_used_) w_.breaks(Property::differs, "changed rows differ under the fence");
  return Took::fail;
}

void ToolTurn::step_done() {
  auto& facts = t_.facts;
  const auto& from = w_.server(t_.from);
  switch (t_.step) {
    case Step::announce:
      facts.announced = true;
      break;
    case Step::hold:
      facts.held = true;
      break;
    case Step::raise_fence:
      facts.fenced = true;
      break;
    case Step::end_open_writes:
      facts.writes_ended = true;
      break;
    case Step::read_position:
      facts.position_read = true;
      break;
    case Step::drain:
      facts.drained = true;
      break;
    case Step::align_counters:
      facts.counters_aligned = true;
      break;
    case Step::compare_changes:
      facts.changes_equal = true;
      break;
    case Step::create_triggers:
      facts.triggers_created = true;
      break;
    case Step::decide:
      if (!facts.failed) facts.decision = Decision::made;
      break;
    case Step::ask_decision:
      facts.decision = t_.decided ? Decision::made : Decision::none;
      if (!t_.decided) facts.failed = true;
      break;
    case Step::open_standby:
      facts.standby_open = true;
      break;
    case Step::release:
      facts.proxies_may_hold = false;
      if (w_.mistaken(Mistake::release_early)) facts.standby_open = false;
      break;
    case Step::enable_events:
      facts.events_enabled = true;
      break;
    case Step::run_hook:
      facts.hook_done = true;
      break;
    case Step::lower_fence:
      w_.fence_note_ = false;
      facts.fence_may_stand = facts.fenced = false;
      break;
    case Step::drop_triggers:
      w_.triggers_note_ = false;
      facts.triggers_may_exist = false;
      break;
    case Step::resume_follow:
      facts.follow_stopped = false;
      break;
    case Step::finished:
    case Step::given_up:
      break;
  }
  // A proxy that closes the epoch may lower the fence.
  const bool closed = w_.record().epochs[t_.epoch].outcome != Record::Outcome::none;
  if (t_.step == Step::drain && from.up && !closed && !w_.hand_used_ && from.log.size != t_.final_position)
    w_.breaks(Property::position_unfenced, fmt::format("the log stands at {} and the last position was read as {}",
                                                       from.log.size, t_.final_position));
  next_step();
}

/// SwitchOver::step_failed.
void ToolTurn::step_failed(Error error) {
  auto& facts = t_.facts;
  const auto& op = t_.script.ops[t_.script.at];
  if (t_.step == Step::release) {  // a proxy that cannot be told finds out by itself
    t_.script.at = op.at == At::proxy_0 ? 3 : t_.script.size;
    return go();
  }
  if (op.order == Order::door_close && t_.failing == Error::none) {  // a destructor: see fence/record_door.hpp
    ++t_.script.at;
    return go();
  }
  const bool within_the_door = op.order == Order::write_decision || op.order == Order::write_closed;
  if (within_the_door && t_.door_fenced && error != Error::lost) {  // the door is closed on the way out
    t_.failing = error;
    ++t_.script.at;
    return go();
  }
  if (t_.failing != Error::none) error = std::exchange(t_.failing, Error::none);
  if (t_.step == Step::enable_events && error != Error::lost) return step_done();
  const bool backing_out = facts.failed;
  t_.script.at = t_.script.size;
  if (t_.step == Step::decide) {
    if (w_.mistaken(Mistake::decided_blindly_again) && error == Error::duplicate) {
      facts.failed = true;
      return next_step();
    }
    if (w_.mistaken(Mistake::decided_blindly_again) && error == Error::lost && facts.decision == Decision::none)
      return reconnect();
    facts.decision = Decision::unknown;
    if (w_.mistaken(Mistake::unknown_is_made)) facts.decision = Decision::made;
    if (w_.mistaken(Mistake::unknown_is_none)) {
      facts.decision = Decision::none;
      facts.failed = true;
    }
    return next_step();
  }
  if (facts.decision == Decision::none && !backing_out) facts.failed = true;
  if (++t_.tries > backing_out_limit) return end(false);
  if (backing_out || facts.decision != Decision::none) {
    t_.sleeps = true;
    w_.due_[actor_] = w_.now_ + ask_again_after;
    return;
  }
  reconnect();
}

}  // namespace reseal::simulate

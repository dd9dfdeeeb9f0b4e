// SPDX-License-Identifier: Apache-2.0
// A command from its start to its end. How it sends an order and takes its answer is in tool_orders.cpp, what it does
// in a switch in tool_steps.cpp.
#include <algorithm>
#include <utility>

#include "simulate/turns.hpp"

namespace reseal::simulate {
namespace {

using cutover::Decision;
using cutover::Step;
using Stage = Tool::Stage;

// Run::reconnect.
constexpr Op connecting[] = {{Order::connect, At::source},  {Order::end_lost, At::source}, {Order::connect, At::target},
                             {Order::end_lost, At::target}, {Order::check_lock, At::lock}, {Order::connect, At::lock},
                             {Order::get_lock, At::lock}};
// The rest of Run's constructor.
constexpr Op starting[] = {
    {Order::end_others, At::source}, {Order::end_others, At::target}, {Order::read_decision, At::target}};
// SwitchOver::recover.
constexpr Op recovering[] = {{Order::read_attempt, At::target},
                             {Order::read_decision, At::target},
                             {Order::read_switched, At::target},
                             {Order::read_closed, At::target}};
// Run::start_follow, and the full comparison.
constexpr Op readying[] = {{Order::connect, At::standby},       {Order::persist_read_only, At::standby},
                           {Order::super_off, At::standby},     {Order::forget_super, At::standby},
                           {Order::drop_triggers, At::standby}, {Order::read_decision, At::target},
                           {Order::lanes_epoch, At::standby},   {Order::begin_lanes, At::standby},
                           {Order::start_follow, At::here},     {Order::read_rows, At::from},
                           {Order::position, At::from},         {Order::await_follow, At::here},
                           {Order::read_rows, At::to}};
// The same with a moment in which the standby is open.
constexpr Op readying_with_a_gap[] = {{Order::connect, At::standby},           {Order::super_off, At::standby},
                                      {Order::read_only_off, At::standby},     {Order::forget_super, At::standby},
                                      {Order::persist_read_only, At::standby}, {Order::drop_triggers, At::standby},
                                      {Order::read_decision, At::target},      {Order::lanes_epoch, At::standby},
                                      {Order::begin_lanes, At::standby},       {Order::start_follow, At::here}};
// Proxies::prepare.
constexpr Op meeting[] = {{Order::proxy_status, At::proxy_0}, {Order::proxy_status, At::proxy_1}};
// Run::switched: the target's record can be written only once its fence lets our account in.
constexpr Op switched_to_target[] = {{Order::stop_follow, At::here},
                                     {Order::door_look, At::target},
                                     {Order::door_open, At::target},
                                     {Order::set_switched, At::target},
                                     {Order::door_close, At::target}};
constexpr Op switched_to_source[] = {
    {Order::stop_follow, At::here},     {Order::connect, At::standby},      {Order::persist_read_only, At::standby},
    {Order::super_off, At::standby},    {Order::forget_super, At::standby}, {Order::drop_triggers, At::standby},
    {Order::read_decision, At::target}, {Order::lanes_epoch, At::standby},  {Order::begin_lanes, At::standby},
    {Order::door_look, At::target},     {Order::door_open, At::target},     {Order::set_switched, At::target},
    {Order::door_close, At::target}};

// SwitchOver::close_attempt.
constexpr Op giving_up[] = {{Order::door_look, At::target},      {Order::door_open, At::target},
                            {Order::write_closed, At::target},   {Order::door_close, At::target},
                            {Order::door_look, At::target},      {Order::door_open, At::target},
                            {Order::set_backed_out, At::target}, {Order::door_close, At::target}};

}  // namespace

void ToolTurn::start(Side wanted, bool only_start) {
  t_ = Tool();
  t_.process = ++w_.processes_;
  t_.wanted = wanted;
  t_.only_start = only_start;
  w_.say("{} starts as process {}: {}", name(actor_), t_.process,
         only_start ? "start" : (wanted == Side::target ? "cutover" : "rollback"));
  run_script(Stage::connecting, connecting);
}

void ToolTurn::wake() {
  if (t_.stage == Stage::holding) return end(true);
  if (t_.stage == Stage::off) return;
  if (std::exchange(t_.sleeps, false)) return reconnect();
  go();
}

void ToolTurn::go() {
  while (!t_.script.over()) {
    const auto& op = t_.script.ops[t_.script.at];
    if (!applies(op)) {
      ++t_.script.at;
      continue;
    }
    if (!t_.paused) {
      if (w_.fault(t_.stage == Stage::driving ? w_.faults_.tool_dies : w_.faults_.tool_dies / 2)) return die();
      if (w_.fault(w_.faults_.pause)) {
        t_.paused = true;
        w_.due_[actor_] = w_.now_ + w_.long_time(60'000);
        w_.say("{} is paused until {}", name(actor_), w_.due_[actor_]);
        return;
      }
    }
    t_.paused = false;
    if (t_.stage == Stage::driving) lowered_by_hand();
    if (op.at != At::here) return issue(op);
    switch (by_itself(op)) {
      case Took::next:
        ++t_.script.at;
        break;
      case Took::wait:
        return;
      case Took::fail:
        return failed(op, Error::timed_out);
      case Took::end:
        t_.script.at = t_.script.size;
        break;
    }
  }
  script_over();
}

/// Somebody lowers the fence, after it was raised and before the last look at it.
void ToolTurn::lowered_by_hand() {
  if (t_.step < Step::end_open_writes || t_.step > Step::create_triggers || !w_.fault(w_.faults_.hand)) return;
  auto& server = w_.server(t_.from);
  if (!server.super_read_only) return;
  w_.say("somebody lowers the fence of the {}", name(t_.from));
  w_.hand_used_ = true;
  server.super_read_only = server.read_only = false;
}

void ToolTurn::script_over() {
  switch (t_.stage) {
    case Stage::connecting:
      return run_script(Stage::starting, starting);
    case Stage::starting:
      t_.epoch = 0;
      return run_script(Stage::recovering, recovering);
    case Stage::recovering:
      return recovered();
    case Stage::readying:
      w_.drop(t_.standby);
      if (t_.only_start) {
        t_.stage = Stage::holding;
        w_.due_[actor_] = w_.now_ + w_.long_time(10'000);
        return;
      }
      return run_script(Stage::meeting_proxies, meeting);
    case Stage::meeting_proxies:
      t_.facts = cutover::Facts();
      t_.began = w_.now_;
      t_.tries = 0;
      t_.epoch = 0;
      t_.stage = Stage::driving;
      return next_step();
    case Stage::driving:
      if (t_.reconnecting) {
        t_.reconnecting = false;
        return next_step();
      }
      return step_done();
    case Stage::switching:
      w_.drop(t_.standby);
      return after_recovery(true);
    case Stage::giving_up:
      return given_up();
    default:
      return end(false);
  }
}

/// What SwitchOver::recover makes of what it has read.
void ToolTurn::recovered() {
  if (!t_.recovers) return after_recovery(false);
  t_.facts = cutover::Facts();
  t_.facts.fence_may_stand = w_.fence_note_;
  t_.facts.triggers_may_exist = w_.triggers_note_;
  if (!t_.decided && t_.attempt_closed && !w_.fence_note_ && !w_.triggers_note_) return after_recovery(false);
  t_.facts.decision = t_.decided ? Decision::made : Decision::unknown;
  t_.facts.failed = !t_.decided;
  t_.facts.proxies_may_hold = true;
  t_.began = w_.now_;
  t_.stage = Stage::driving;
  next_step();
}

void ToolTurn::after_recovery(bool switched) {
  const bool recovery = t_.recovers;
  t_.recovers = false;
  if (t_.only_start) {
    if (w_.calm_ || w_.random_.coin()) return end(true);
  } else if ((switched && !recovery) || t_.serves == t_.wanted) {
    return end(true);
  }
  t_.from = t_.serves;
  t_.step_began = w_.now_;
  if (w_.mistaken(Mistake::standby_gap)) return run_script(Stage::readying, readying_with_a_gap);
  run_script(Stage::readying, readying);
}

/// The end of SwitchOver::drive.
void ToolTurn::end_drive() {
  if (t_.facts.decision != Decision::made) {
    w_.say("{} has given up epoch {}", name(actor_), t_.epoch);
    if (t_.epoch == 0) return given_up();
    return run_script(Stage::giving_up, giving_up);
  }
  t_.serves = to();
  if (t_.serves == Side::source) return run_script(Stage::switching, switched_to_source);
  run_script(Stage::switching, switched_to_target);
}

void ToolTurn::given_up() {
  if (t_.recovers) return after_recovery(false);
  end(false);
}

void ToolTurn::end(bool well) {
  w_.say("{} ends {}", name(actor_), well ? "well" : "with an error");
  if (w_.calm_ && well) w_.tool_ended_well_ = true;
  FollowTurn(w_, index_).end();
  for (auto* link : {&t_.links[0], &t_.links[1], &t_.lock, &t_.standby}) w_.drop(*link);
  w_.waiting_[actor_] = -1;
  w_.due_[actor_] = never;
  t_.stage = Stage::off;
}

void ToolTurn::die() {
  w_.say("{} is killed{}{}", name(actor_), t_.stage == Stage::driving ? " at " : "",
         t_.stage == Stage::driving ? cutover::name(t_.step) : "");
  ++w_.coverage_.tool_kills;
  if (t_.stage == Stage::driving) ++w_.coverage_.killed_at[static_cast<unsigned>(t_.step)];
  end(false);
}

void ToolTurn::crashed_on(bool answered_not) {
  if (t_.stage != Stage::driving || t_.reconnecting) return;
  const auto step = static_cast<unsigned>(t_.step);
  ++(answered_not ? w_.coverage_.unknown_at : w_.coverage_.crashed_at)[step];
}

void ToolTurn::reconnect() {
  for (unsigned side = 0; side < 2; ++side)
    if (t_.lost_serials[side] == 0) t_.lost_serials[side] = t_.links[side].serial;
  t_.reconnecting = true;
  t_.script = {connecting, std::size(connecting), 0};
  go();
}

}  // namespace reseal::simulate

// SPDX-License-Identifier: Apache-2.0
// How a command sends one order, and what it makes of the answer.
#include <algorithm>
#include <utility>

#include "simulate/turns.hpp"

namespace reseal::simulate {

using cutover::Decision;
using cutover::Step;
using Stage = Tool::Stage;

Link& ToolTurn::link(At at) {
  switch (at) {
    case At::source:
      return t_.links[0];
    case At::target:
      return t_.links[1];
    case At::from:
      return t_.links[static_cast<unsigned>(t_.from)];
    case At::to:
      return t_.links[static_cast<unsigned>(to())];
    case At::lock:
      return t_.lock;
    default:
      return t_.standby;
  }
}

bool ToolTurn::applies(const Op& op) {
  switch (op.order) {
    case Order::end_lost:
      return t_.lost_serials[op.at == At::target] != 0 && !w_.mistaken(Mistake::unanswered_left) &&
             !w_.mistaken(Mistake::asked_not_closed);
    case Order::end_others:
      return !w_.mistaken(Mistake::others_not_ended);
    case Order::check_lock:
      return t_.lock_ok;
    case Order::get_lock:
      return !t_.lock_ok;
    case Order::connect:
      return op.at != At::lock || !t_.lock_ok;
    case Order::door_open:
    case Order::door_close:
      return t_.door_fenced;
    case Order::begin_lanes:
      return t_.decision_epoch != 0 && t_.lanes_found != t_.decision_epoch;
    case Order::drop_triggers:
      return !w_.mistaken(Mistake::triggers_left);
    case Order::read_closed:
      return !t_.decided && t_.epoch != 0;
    case Order::end_writers:
      return t_.end_said;
    case Order::proxy_move:
      return !t_.proxy_there;
    case Order::proxy_release:
      return !t_.proxy_there || t_.proxy_holding;
    default:
      return true;
  }
}

void ToolTurn::issue(const Op& op) {
  const auto ask = [&](std::uint32_t argument = 0, std::uint32_t argument2 = 0) {
    w_.ask(actor_, link(op.at), op.order, argument, argument2);
  };
  const auto ask_proxy = [&](Side side, Millis patience = 0) {
    w_.ask_proxy(actor_, op.at == At::proxy_1 ? 1 : 0, op.order, t_.epoch, side, patience);
  };
  switch (op.order) {
    case Order::connect: {
      const auto side = op.at == At::source ? Side::source : op.at == At::standby ? other(t_.serves) : Side::target;
      return w_.connect(actor_, t_.process, link(op.at), side, true);
    }
    case Order::end_lost:
      return ask(t_.lost_serials[op.at == At::target]);
    case Order::end_others:
      return ask(t_.process);
    case Order::begin_attempt:
      return ask(static_cast<std::uint32_t>(t_.from));
    case Order::read_closed:
      return ask(t_.epoch);
    case Order::set_switched:
    case Order::set_backed_out:
      return ask(t_.epoch);
    case Order::begin_lanes:
      return ask(t_.decision_epoch,
                 w_.mistaken(Mistake::feed_begins_late) ? w_.server(t_.serves).log.size : t_.decision_position);
    case Order::raise:
      return ask(std::max<Millis>(1000, left() / 2));
    case Order::write_decision: {
      const auto source = t_.from == Side::source ? t_.final_position : t_.feed_start;
      const auto target = t_.from == Side::source ? t_.feed_start : t_.final_position;
      return ask(t_.epoch, source | target << 16);
    }
    case Order::proxy_hold:
      t_.facts.proxies_may_hold = true;
      return ask_proxy(t_.from, std::min<Millis>(1000, left()));
    case Order::proxy_status:
    case Order::proxy_move:
    case Order::proxy_release:
      return ask_proxy(t_.facts.decision == Decision::made ? to() : t_.from);
    default:
      return ask();
  }
}

void ToolTurn::answered(const Answer& answer) {
  if (t_.script.over()) return;
  const auto& op = t_.script.ops[t_.script.at];
  if (!answer.ok()) return failed(op, answer.error);
  switch (t_.stage == Stage::driving && !t_.reconnecting ? took_in_step(op, answer) : took(op, answer)) {
    case Took::next:
      ++t_.script.at;
      return go();
    case Took::wait:
      return;
    case Took::fail:
      return failed(op, Error::refused);
    case Took::end:
      t_.script.at = t_.script.size;
      return go();
  }
}

ToolTurn::Took ToolTurn::took(const Op& op, const Answer& answer) {
  switch (op.order) {
    case Order::end_lost:
      t_.lost_serials[op.at == At::target] = 0;
      return Took::next;
    case Order::check_lock:
      t_.lock_ok = answer.value != 0;
      return Took::next;
    case Order::get_lock:
      t_.lock_ok = true;
      return Took::next;
    case Order::read_decision:
      t_.decision_epoch = answer.value;
      t_.decided = answer.value != 0 && answer.value == t_.epoch;
      if (answer.value != 0) {
        const auto& row = w_.record().epochs[answer.value];  // rows never change
        const auto serves = other(row.from);
        t_.decision_position = serves == Side::source ? row.source_position : row.target_position;
        if (t_.stage == Stage::starting) t_.serves = serves;
      }
      return Took::next;
    case Order::read_attempt:
      if (answer.value == 0) return Took::end;
      t_.epoch = answer.value;
      t_.from = static_cast<Side>(answer.more);
      t_.recovers = true;
      return Took::next;
    case Order::read_switched:
      if (t_.decided && answer.value == t_.epoch) {
        t_.recovers = false;
        return Took::end;
      }
      return Took::next;
    case Order::read_closed:
      t_.attempt_closed = answer.value != 0;
      return Took::next;
    case Order::lanes_epoch:
      t_.lanes_found = answer.value;
      return Took::next;
    case Order::position:
      t_.wait_for = answer.value;
      return Took::next;
    case Order::read_rows:
      if (op.at == At::from) {
        t_.seen = answer.rows;
        return Took::next;
      }
      // The second look: what was there before must be there now.
      if ((t_.seen & ~answer.rows).any())
        w_.breaks(Property::differs, fmt::format("{} lacks rows of the side that serves", name(to())));
      return Took::next;
    case Order::proxy_status:
      return static_cast<Side>(answer.value) == t_.from ? Took::next : Took::fail;
    case Order::door_look:
      t_.door_fenced = answer.value != 0;
      return Took::next;
    default:
      return Took::next;
  }
}

ToolTurn::Took ToolTurn::by_itself(const Op& op) {
  FollowTurn follow(w_, index_);
  switch (op.order) {
    case Order::note_fence:
      if (!w_.mistaken(Mistake::fence_not_noted)) w_.fence_note_ = true;
      t_.facts.fence_may_stand = true;
      return Took::next;
    case Order::note_triggers:
      w_.triggers_note_ = true;
      t_.facts.triggers_may_exist = true;
      return Took::next;
    case Order::await_follow:
      return await_follow();
    case Order::stop_follow:
      if (t_.stage == Stage::driving && t_.step == Step::drain) {
        t_.facts.follow_stopped = true;
        if (w_.mistaken(Mistake::not_frozen)) return Took::next;
      }
      if (follow.stop()) return Took::next;
      w_.due_[actor_] = w_.now_ + 10;
      return Took::wait;
    case Order::start_follow:
      if (t_.stage == Stage::readying) t_.changed.reset();
      follow.start(t_.from);
      return Took::next;
    case Order::hook:
      if (!t_.asked_again) {
        t_.asked_again = true;
        w_.due_[actor_] = w_.now_ + 10 + w_.random_.below(100);
        return Took::wait;
      }
      return Took::next;
    default:
      return Took::next;
  }
}

ToolTurn::Took ToolTurn::await_follow() {
  const auto& follow = w_.follows_[index_];
  if (follow.stage == Follow::Stage::off || follow.stage == Follow::Stage::failed) return Took::fail;
  if (follow.applied >= t_.wait_for) return Took::next;
  const bool late = t_.stage == Stage::driving ? left() == 0 : w_.now_ > t_.step_began + 60'000;
  if (late) return Took::fail;
  w_.due_[actor_] = w_.now_ + 25;
  return Took::wait;
}

void ToolTurn::failed(const Op& op, Error error) {
  w_.say("{} {}: {} failed{}", name(actor_), t_.stage == Stage::driving ? cutover::name(t_.step) : "-", name(op.order),
         error == Error::lost ? ", no answer" : "");
  if (op.order == Order::check_lock) {  // the session of the lock is gone: it is asked for again
    t_.lock_ok = false;
    ++t_.script.at;
    return go();
  }
  if (t_.stage == Stage::driving && t_.reconnecting) {
    t_.reconnecting = false;
    t_.script.at = t_.script.size;
    return next_step();
  }
  if (t_.stage == Stage::driving) return step_failed(error);
  if (t_.stage == Stage::giving_up) return given_up();
  end(false);
}

}  // namespace reseal::simulate

// SPDX-License-Identifier: Apache-2.0
// How a proxy finds out who serves: src/run/settle_attempt.cpp, and Proxy::lease_ended around it.
#include "simulate/turns.hpp"

namespace reseal::simulate {
namespace {

constexpr Millis ask_again = 1'000;
constexpr Millis look_again = 100;
constexpr Millis start_patience = 15'000;

constexpr Op settling[] = {{Order::connect, At::record},
                           {Order::read_attempt, At::record},
                           {Order::read_decision, At::record},
                           {Order::read_closed, At::record},
                           {Order::read_backed_out, At::record},
                           {Order::read_attempt, At::record},
                           {Order::connect, At::record},
                           {Order::connect, At::going_on},
                           {Order::door_look, At::record},
                           {Order::door_open, At::record},
                           {Order::write_closed, At::record},
                           {Order::door_close, At::record},
                           {Order::read_outcome, At::record},
                           // Closed.
                           {Order::set_backed_out, At::record},  // only with a planted mistake
                           {Order::end_others, At::going_on},
                           {Order::look_fence, At::going_on},
                           {Order::super_off, At::going_on},
                           {Order::read_only_off, At::going_on},
                           {Order::forget_super, At::going_on},
                           {Order::forget_read_only, At::going_on},
                           {Order::door_look, At::record},
                           {Order::door_open, At::record},
                           {Order::set_backed_out, At::record},
                           {Order::door_close, At::record},
                           // Decided.
                           {Order::read_switched, At::record},
                           {Order::connect, At::opening},
                           {Order::read_attempt, At::record},
                           {Order::look_open, At::opening},
                           {Order::super_off, At::opening},
                           {Order::read_only_off, At::opening},
                           {Order::forget_read_only, At::opening},
                           {Order::forget_super, At::opening}};
}  // namespace

void ProxyTurn::settle(std::uint32_t epoch) {
  w_.say("proxy {} asks who serves", index_);
  ++w_.coverage_.settled;
  p_.settling = true;
  p_.settles_for = epoch;
  p_.attempt = 0;
  p_.over_before = w_.record().backed_out;
  p_.closed_seen = p_.over = p_.lowered = false;
  p_.outcome_read = p_.made = p_.fence_seen = p_.open_needed = p_.door_fenced = false;
  p_.until = w_.now_ + (epoch == 0 ? start_patience : 0);
  if (epoch != 0 && w_.mistaken(Mistake::lease_guesses_source)) return settled(Decision::source);
  if (epoch != 0 && w_.mistaken(Mistake::lease_guesses_target)) return settled(Decision::target);
  p_.script = {settling, std::size(settling), 0};
  go();
}

void ProxyTurn::go() {
  while (!p_.script.over()) {
    const auto& op = p_.script.ops[p_.script.at];
    if (!applies(op)) {
      ++p_.script.at;
      continue;
    }
    if (!p_.paused) {
      if (w_.fault(w_.faults_.proxy_dies)) return die();
      if (w_.fault(w_.faults_.pause)) {
        p_.paused = true;
        w_.due_[actor_] = w_.now_ + w_.long_time(60'000);
        w_.say("proxy {} is paused until {}", index_, w_.due_[actor_]);
        return;
      }
    }
    p_.paused = false;
    if (op.order == Order::end_others && p_.attempt == p_.over_before)
      w_.breaks(Property::settled_again, fmt::format("proxy {} settles epoch {}", index_, p_.attempt));
    if (op.order != Order::connect) {
      const auto argument = op.order == Order::end_others ? p_.process : p_.attempt;
      return w_.ask(actor_, link(op.at), op.order, argument);
    }
    const auto side = op.at == At::record ? Side::target : op.at == At::going_on ? p_.from : other(p_.from);
    return w_.connect(actor_, p_.process, link(op.at), side, op.at != At::record || p_.attempt != 0);
  }
  if (p_.attempt == 0) return settled(Decision::source);
  const auto serves = p_.made ? other(p_.from) : p_.from;
  settled(serves == Side::source ? Decision::source : Decision::target);
}

Link& ProxyTurn::link(At at) { return at == At::record ? p_.record : at == At::going_on ? p_.going_on : p_.opening; }

bool ProxyTurn::applies(const Op& op) {
  const bool closed = p_.outcome_read && !p_.made;
  switch (op.order) {
    case Order::door_look:
      return !p_.outcome_read || p_.lowered;
    case Order::door_open:
    case Order::door_close:
      return (!p_.outcome_read || p_.lowered) && p_.door_fenced;
    case Order::read_backed_out:
      return p_.closed_seen && !w_.mistaken(Mistake::over_unread);
    case Order::set_backed_out:
      return closed && p_.lowered != w_.mistaken(Mistake::over_too_early);
    case Order::end_others:
      return closed && !w_.mistaken(Mistake::lease_leaves_tool);
    case Order::look_fence:
      return closed && w_.mistaken(Mistake::lease_sees_half_a_fence);
    case Order::read_switched:
      return p_.made;
    case Order::look_open:
      return p_.made && p_.open_needed && w_.mistaken(Mistake::lease_sees_half_a_fence);
    case Order::read_attempt:
      if (!p_.outcome_read) return p_.attempt == 0 || p_.over;
      return p_.made && p_.open_needed && !w_.mistaken(Mistake::settles_stale_attempt);
    case Order::connect:
      if (op.at == At::record) return p_.attempt == 0 || !w_.mistaken(Mistake::settler_unnamed);
      return op.at != At::opening || (p_.made && p_.open_needed);
    case Order::super_off:
    case Order::read_only_off:
    case Order::forget_super:
    case Order::forget_read_only:
      return op.at == At::going_on ? closed && (p_.fence_seen || !w_.mistaken(Mistake::lease_sees_half_a_fence))
                                   : p_.made && p_.open_needed;
    default:
      return true;
  }
}

void ProxyTurn::answered(const Answer& answer) {
  if (!p_.settling || p_.script.over()) return;
  const auto& op = p_.script.ops[p_.script.at];
  if (!answer.ok()) {
    w_.say("proxy {}: {} failed", index_, name(op.order));
    if (op.order == Order::door_close || p_.lowered) {  // known to be over or not, who serves is known
      ++p_.script.at;
      return go();
    }
    return settled(Decision::unknown);
  }
  if (!took(op, answer)) return;
  ++p_.script.at;
  go();
}

/// False when it does not go on to the next order.
bool ProxyTurn::took(const Op& op, const Answer& answer) {
  switch (op.order) {
    case Order::read_attempt:
      if (p_.outcome_read) {
        if (answer.value == p_.attempt) return true;
        settled(Decision::unknown);
        return false;
      }
      if (p_.over) {
        const auto goes_on = p_.from == Side::source ? Decision::source : Decision::target;
        settled(answer.value == p_.attempt ? goes_on : Decision::unknown);
        return false;
      }
      p_.attempt = answer.value;
      p_.from = static_cast<Side>(answer.more);
      if (p_.attempt != 0) return true;
      settled(Decision::source);
      return false;
    case Order::read_decision:
      p_.made = answer.value == p_.attempt;
      return true;
    case Order::read_closed:
      p_.closed_seen = answer.value != 0;
      if (p_.made || answer.value != 0 || w_.now_ >= p_.until) return true;
      p_.script.at = static_cast<std::uint8_t>(p_.script.at - 1);
      w_.due_[actor_] = w_.now_ + look_again;
      return false;
    case Order::read_backed_out:
      p_.over = answer.value == p_.attempt;
      return true;
    case Order::forget_read_only:
      p_.lowered = op.at == At::going_on;
      return true;
    case Order::door_look:
      p_.door_fenced = answer.value != 0;
      return true;
    case Order::read_outcome:
      p_.outcome_read = true;
      p_.made = answer.value != 0;
      if (answer.more == p_.attempt || w_.mistaken(Mistake::settles_stale_attempt)) return true;
      settled(Decision::unknown);  // another attempt has begun since: all is read anew
      return false;
    case Order::look_fence:
      p_.fence_seen = answer.value != 0;
      return true;
    case Order::read_switched:
      p_.open_needed = answer.value < p_.attempt;
      return true;
    case Order::look_open:
      p_.open_needed = answer.value == 0;
      return true;
    default:
      return true;
  }
}

void ProxyTurn::settled(Decision decision) {
  for (auto* link : {&p_.record, &p_.going_on, &p_.opening}) w_.drop(*link);
  p_.settling = false;
  p_.script = Script();
  const auto serves = decision == Decision::target ? Side::target : Side::source;
  w_.say("proxy {} has asked: {}", index_, decision == Decision::unknown ? "not known" : name(serves));
  if (p_.settles_for == 0) {
    if (decision == Decision::unknown) return die();
    p_.serving = serves;
    p_.serving_clients = true;
    if (serves != w_.record().serves())
      w_.breaks(Property::told_wrongly, fmt::format("proxy {} starts on the {}", index_, name(serves)));
    return ClientTurn(w_, index_).gate_opened();
  }
  if (p_.epoch != p_.settles_for) {
    w_.due_[actor_] = p_.epoch != 0 ? p_.lease_end : never;
    return;
  }
  if (decision == Decision::unknown) {
    p_.lease_end = w_.now_ + ask_again;
    w_.due_[actor_] = p_.lease_end;
    return;
  }
  move(serves);
  release();
}

}  // namespace reseal::simulate

// SPDX-License-Identifier: Apache-2.0
// A proxy's gate, lease and control socket, as src/proxy/proxy.cpp has them. How it finds out who serves is in
// settle.cpp.
#include "simulate/turns.hpp"

namespace reseal::simulate {

void ProxyTurn::start() {
  p_ = Proxy();
  p_.up = true;
  p_.process = ++w_.processes_;
  w_.say("proxy {} starts as process {}", index_, p_.process);
  if (w_.mistaken(Mistake::start_unread)) {
    p_.serving_clients = true;
    return;
  }
  settle(0);
}

void ProxyTurn::die() {
  w_.say("proxy {} dies", index_);
  if (p_.serving_clients) ++w_.coverage_.proxy_kills;
  for (auto* link : {&p_.record, &p_.going_on, &p_.opening}) w_.drop(*link);
  p_.up = p_.serving_clients = p_.settling = p_.holding = false;
  w_.waiting_[actor_] = -1;
  w_.due_[actor_] = w_.now_ + 20 + w_.long_time(20'000);  // somebody starts it again
  ClientTurn(w_, index_).cut_off();
}

void ProxyTurn::wake() {
  if (!p_.up) return start();
  if (p_.settling) return go();
  if (p_.epoch != 0 && p_.lease_end <= w_.now_) return settle(p_.epoch);
}

bool ProxyTurn::busy() const { return ClientTurn(w_, index_).busy(); }

bool ProxyTurn::control(ControlCall& call) {
  auto& answer = call.answer;
  if (w_.fault(w_.faults_.proxy_dies)) {
    die();
    answer.error = Error::lost;
    return true;
  }
  if (!p_.serving_clients) {  // it does not listen yet
    answer.error = Error::refused;
    return true;
  }
  const bool held = p_.epoch != 0 && p_.epoch == call.epoch;
  switch (call.order) {
    case Order::proxy_status:
      answer.value = static_cast<std::uint32_t>(p_.serving);
      answer.more = p_.holding;
      return true;
    case Order::proxy_hold:
      return hold(call);
    case Order::proxy_move:
      if (held)
        move(call.side);
      else
        answer.error = Error::refused;
      return true;
    default:
      if (held)
        release();
      else
        answer.error = Error::refused;
      return true;
  }
}

bool ProxyTurn::hold(ControlCall& call) {
  if (p_.epoch != 0 && p_.epoch != call.epoch) {
    call.answer.error = Error::refused;
    return true;
  }
  if (p_.epoch == 0) {
    w_.say("proxy {} holds for epoch {}", index_, call.epoch);
    p_.epoch = call.epoch;
    p_.holding = true;
    p_.quiet_said = false;
    p_.lease_end = w_.mistaken(Mistake::no_lease) ? never : w_.now_ + lease;
    if (!p_.settling) w_.due_[actor_] = p_.lease_end;
  }
  if (busy() && w_.now_ < call.deadline && !w_.mistaken(Mistake::hold_does_not_wait)) return false;
  p_.quiet_said = !busy() || w_.mistaken(Mistake::hold_does_not_wait);
  return true;
}

void ProxyTurn::move(Side to) {
  if (p_.serving == to) return;
  w_.say("proxy {} moves its sessions to the {}", index_, name(to));
  p_.serving = to;
  ClientTurn(w_, index_).moved(to);
}

void ProxyTurn::release() {
  w_.say("proxy {} lets its sessions go on, on the {}", index_, name(p_.serving));
  p_.epoch = 0;
  p_.holding = false;
  p_.lease_end = never;
  if (!p_.settling) w_.due_[actor_] = never;
  const auto& server = w_.server(p_.serving);
  if (p_.serving != w_.record().serves())
    w_.breaks(Property::told_wrongly, fmt::format("proxy {} goes on on the {}", index_, name(p_.serving)));
  else if (server.up && !server.takes_writes())
    w_.breaks(Property::told_wrongly,
              fmt::format("proxy {} goes on on the {}, which takes nothing", index_, name(p_.serving)));
  ClientTurn(w_, index_).gate_opened();
}

}  // namespace reseal::simulate

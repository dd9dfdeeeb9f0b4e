// SPDX-License-Identifier: Apache-2.0
#include "simulate/turns.hpp"

namespace reseal::simulate {
namespace {

using Stage = Follow::Stage;

constexpr Millis heartbeat = 3'000;
constexpr Millis retry_wait = 1'000;

}  // namespace

void FollowTurn::start(Side from) {
  if (f_.stage != Stage::off && f_.stage != Stage::failed) return;
  f_ = Follow();
  f_.from = from;
  connect();
}

void FollowTurn::connect() {
  f_.stage = Stage::connecting;
  f_.second_connection = false;
  w_.connect(actor_, t_.process, f_.standby, other(f_.from), true);
}

bool FollowTurn::stop() {
  switch (f_.stage) {
    case Stage::off:
    case Stage::failed:
      break;
    case Stage::applying:  // what has been sent is awaited
      f_.stopping = true;
      return false;
    default:
      break;
  }
  const bool failed = f_.stage == Stage::failed;
  end();
  if (failed) f_.stage = Stage::off;
  return true;
}

void FollowTurn::end() {
  w_.drop(f_.standby);
  w_.drop(f_.stream);
  w_.waiting_[actor_] = -1;
  w_.due_[actor_] = never;
  f_.stage = Stage::off;
}

void FollowTurn::lost() {
  if (f_.stopping) return end();
  f_.stage = Stage::connecting;
  w_.due_[actor_] = w_.now_ + retry_wait;
}

void FollowTurn::wake() {
  switch (f_.stage) {
    case Stage::connecting:
      return connect();
    case Stage::resting:
      f_.stage = Stage::reading_log;
      return w_.ask(actor_, f_.stream, Order::position);
    default:
      return;
  }
}

void FollowTurn::answered(const Answer& answer) {
  if (!answer.ok()) {
    if (answer.error != Error::read_only) return lost();
    w_.say("{} fails: the standby takes nothing", name(actor_));
    w_.drop(f_.standby);
    w_.drop(f_.stream);
    f_.stage = Stage::failed;
    return;
  }
  switch (f_.stage) {
    case Stage::connecting:
      if (!f_.second_connection) {
        f_.second_connection = true;
        return w_.connect(actor_, t_.process, f_.stream, f_.from, true);
      }
      f_.stage = Stage::reading_lanes;
      return w_.ask(actor_, f_.standby, Order::read_lanes);
    case Stage::reading_lanes:
      f_.applied = answer.value;
      f_.batch = answer.more;
      f_.stage = Stage::reading_log;
      return w_.ask(actor_, f_.stream, Order::position);
    case Stage::reading_log:
      if (answer.value > f_.applied) {
        f_.end = answer.value;
        f_.stage = Stage::applying;
        return w_.ask(actor_, f_.standby, Order::apply, f_.applied, f_.end | (f_.batch + 1) << 16);
      }
      f_.stage = Stage::resting;
      w_.due_[actor_] = w_.now_ + heartbeat;
      return;
    case Stage::applying: {
      const auto& log = w_.server(f_.from).log;
      for (auto i = f_.applied; i < f_.end; ++i) t_.changed.set(log.operations[i]);
      f_.applied = f_.end;
      ++f_.batch;
      if (f_.stopping) return end();
      f_.stage = Stage::reading_log;
      return w_.ask(actor_, f_.stream, Order::position);
    }
    default:
      return;
  }
}

}  // namespace reseal::simulate

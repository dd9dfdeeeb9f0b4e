// SPDX-License-Identifier: Apache-2.0
#include "simulate/turns.hpp"

namespace reseal::simulate {
namespace {

using Stage = Client::Stage;

constexpr std::uint32_t most_before_the_end = most_operations - 24;

}  // namespace

bool ClientTurn::busy() const {
  return c_.stage == Stage::connecting || c_.stage == Stage::writing || c_.stage == Stage::thinking ||
         c_.stage == Stage::committing;
}

void ClientTurn::rest(Millis time) {
  c_.stage = Stage::resting;
  w_.waiting_[actor_] = -1;
  w_.due_[actor_] = w_.now_ + time;
}

void ClientTurn::wake() {
  if (c_.stage == Stage::thinking) {
    c_.stage = Stage::committing;
    return w_.ask(actor_, c_.link, Order::commit);
  }
  begin();
}

void ClientTurn::begin() {
  if (w_.calm_ && c_.served_at_end) return;
  if (!w_.calm_ && w_.operations_ >= most_before_the_end) return rest(1000 + w_.random_.below(1000));
  auto side = w_.random_.coin() ? Side::source : Side::target;
  if (actor_ == rogue) {
    if (w_.calm_) side = w_.record().serves();
  } else {
    const auto& proxy = w_.proxies_[index_];
    if (!proxy.serving_clients) return rest(100 + w_.random_.below(1000));
    if (proxy.holding) {
      c_.stage = Stage::held;
      return;
    }
    side = proxy.serving;
  }
  c_.side = side;
  c_.acknowledged_before = w_.acknowledged_;
  if (w_.alive(c_.link) && c_.link.side == side) return write();
  c_.stage = Stage::connecting;
  w_.connect(actor_, 0, c_.link, side, false);
}

void ClientTurn::write() {
  if (!c_.has_operation) {
    if (w_.operations_ >= most_operations) return rest(1000);
    c_.operation = w_.operations_++;
    c_.has_operation = true;
  }
  c_.stage = Stage::writing;
  w_.ask(actor_, c_.link, Order::write, c_.operation);
}

void ClientTurn::answered(const Answer& answer) {
  const auto stage = c_.stage;
  if (!answer.ok()) {
    const bool fenced = answer.error == Error::read_only;
    if (fenced && actor_ != rogue && w_.proxies_[index_].holding && w_.proxies_[index_].quiet_said)
      w_.breaks(Property::quiet_was_not, fmt::format("{} gets the fence's error in a quiet hold", name(actor_)));
    if (!fenced) w_.drop(c_.link);
    // A commit without an answer may have happened: that operation is not tried again.
    if (stage == Stage::committing && !fenced) c_.has_operation = false;
    return rest(w_.calm_ ? 500 : 5 + w_.long_time(1000));
  }
  switch (stage) {
    case Stage::connecting:
      return write();
    case Stage::writing:
      c_.stage = Stage::thinking;
      w_.due_[actor_] = w_.now_ + w_.long_time(w_.random_.below(8) == 0 ? 4000 : 40);
      return;
    case Stage::committing:
      w_.acknowledged_.set(c_.operation);
      c_.has_operation = false;
      if (w_.calm_) c_.served_at_end = true;
      return rest(w_.long_time(1500));
    default:
      return rest(100);
  }
}

void ClientTurn::gate_opened() {
  if (c_.stage == Stage::held || (c_.stage == Stage::resting && w_.calm_ && !c_.served_at_end)) rest(1);
}

void ClientTurn::moved(Side side) {
  if (c_.link.serial == 0 || c_.link.side == side) return;
  cut_off();
}

void ClientTurn::cut_off() {
  if (c_.stage == Stage::committing) c_.has_operation = false;
  w_.drop(c_.link);
  if (c_.stage != Stage::held) rest(10 + w_.random_.below(200));
}

}  // namespace reseal::simulate

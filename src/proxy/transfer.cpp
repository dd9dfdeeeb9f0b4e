// SPDX-License-Identifier: Apache-2.0
#include "proxy/transfer.hpp"

#include <cstring>

#include "base/failure.hpp"

namespace reseal::proxy {
namespace {

constexpr std::size_t login_limit = 1024 * 1024;

}  // namespace

Transfer::Transfer(const Upstream& to, EventLoop& loop, BufferPool& pool, wire::ClientHandshakeOptions login,
                   std::function<void()> changed)
    : to_(&to),
      loop_(&loop),
      pool_(&pool),
      login_(std::move(login)),
      changed_(std::move(changed)),
      side_(std::make_unique<Side>(static_cast<SideOwner&>(*this))) {
  while (next_address_ < to_->place.addresses.size()) {
    auto begun = begin_connect(to_->place.addresses[next_address_++]);
    if (begun.error != 0) continue;
    side_->open(std::move(begun.socket), *loop_);
    side_->expect_connect();
    return;
  }
  fail("it cannot be reached");
}

Transfer::~Transfer() {
  if (side_) {
    side_->close();
    side_->in.clear(*pool_);
  }
}

void Transfer::advance() {
  while (step()) {
  }
  changed_();
}

bool Transfer::step() {
  switch (state_) {
    case State::connecting:
      return step_connecting();
    case State::login:
      return step_login();
    case State::tls:
      return step_tls();
    case State::reading:
    case State::restoring:
      return step_command();
    case State::ready:
    case State::restored:
    case State::failed:
      break;
  }
  return false;
}

bool Transfer::step_connecting() {
  if (!side_->writable()) return false;
  if (const int error = connect_result(side_->stream().number()); error != 0)
    return fail(std::string("it cannot be reached: ") + std::strerror(error));
  side_->begin_messages(login_limit, 0);
  state_ = State::login;
  return true;
}

bool Transfer::step_login() {
  const bool flushed = side_->flush();
  const auto got = side_->receive(*pool_);
  if (got == Side::Got::nothing) return flushed;
  if (got != Side::Got::message) return fail("it closed the connection in the login");
  return take(login_.feed(side_->message()));
}

bool Transfer::take(const wire::ClientHandshakeMachine::Step& step) {
  using Machine = wire::ClientHandshakeMachine;
  if (const auto* send = std::get_if<Machine::Send>(&step)) {
    side_->send(send->payload);
  } else if (const auto* start = std::get_if<Machine::StartTls>(&step)) {
    side_->send(start->payload);
    state_ = State::tls;
  } else if (const auto* failed = std::get_if<Machine::Failed>(&step)) {
    return fail("the login: " + failed->text);
  } else if (std::holds_alternative<Machine::Done>(step)) {
    side_->end_messages();
    statements_ = {std::string(variables_query()), std::string(place_query())};
    state_ = State::reading;
    next_command();
  }
  return true;
}

bool Transfer::step_tls() {
  side_->flush();
  if (!side_->queue_empty()) return false;
  if (!side_->stream().encrypted()) side_->stream().start_tls(to_->tls);
  const auto outcome = side_->stream().handshake();
  if (outcome.kind == Stream::Kind::blocked) return false;
  if (outcome.kind != Stream::Kind::moved) return fail("no TLS with it: " + tls_reason());
  state_ = State::login;
  return take(login_.tls_started());
}

void Transfer::next_command() {
  command_.reset();
  if (statements_.empty()) {
    state_ = state_ == State::reading ? State::ready : State::restored;
    return;
  }
  command_.emplace(*side_, capabilities(), statements_.front());
}

bool Transfer::step_command() {
  using Progress = OwnCommand::Progress;
  switch (command_->step(*pool_)) {
    case Progress::under_way:
      return false;
    case Progress::lost:
      return fail("the connection was lost");
    case Progress::server_error:
      return fail(statements_.front() + ": " + command_->result().server_error().text);
    case Progress::done:
      break;
  }
  if (state_ == State::reading) {
    if (statements_.size() == 2)
      read_variables(command_->result().rows(), fresh_);
    else
      read_place(command_->result().rows(), fresh_);
  }
  statements_.pop_front();
  next_command();
  return true;
}

void Transfer::restore(std::vector<std::string> statements) {
  RESEAL_CHECK(state_ == State::ready);
  statements_.assign(statements.begin(), statements.end());
  state_ = State::restoring;
  next_command();
  while (step()) {
  }
}

std::unique_ptr<Side> Transfer::hand_over(SideOwner& owner) {
  RESEAL_CHECK(state_ == State::restored);
  command_.reset();
  side_->tell(owner);
  return std::move(side_);
}

bool Transfer::fail(std::string why) {
  command_.reset();
  side_->close();
  why_ = to_->place.text + ": " + std::move(why);
  state_ = State::failed;
  return false;
}

}  // namespace reseal::proxy

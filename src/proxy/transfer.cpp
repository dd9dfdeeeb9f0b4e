// SPDX-License-Identifier: Apache-2.0
#include "proxy/transfer.hpp"

#include <cstring>

#include "base/failure.hpp"

namespace reseal::proxy {
namespace {

constexpr std::size_t login_limit = 1024 * 1024;

}  // namespace

Transfer::Transfer(Upstream to, EventLoop& loop, BufferPool& pool, wire::ClientHandshakeOptions login,
                   VariableNames names, std::function<void()> changed)
    : to_(std::move(to)),
      loop_(&loop),
      pool_(&pool),
      zstd_level_(login.zstd_level),
      login_(std::move(login)),
      names_(std::move(names)),
      changed_(std::move(changed)),
      side_(std::make_unique<Side>(static_cast<SideOwner&>(*this))) {
  while (next_address_ < to_.place->addresses.size()) {
    auto begun = begin_connect(to_.place->addresses[next_address_++]);
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
      return step_reading();
    case State::restoring:
      return step_restoring();
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
    side_->compress(wire::compression_of(capabilities(), zstd_level_));
    state_ = State::reading;
    ask(state_query(names_));
  }
  return true;
}

bool Transfer::step_tls() {
  side_->flush();
  if (!side_->queue_empty()) return false;
  if (!side_->stream().encrypted()) side_->stream().start_tls(*to_.tls);
  const auto outcome = side_->stream().handshake();
  if (outcome.kind == Stream::Kind::blocked) return false;
  if (outcome.kind != Stream::Kind::moved) return fail("no TLS with it: " + tls_reason());
  state_ = State::login;
  return take(login_.tls_started());
}

void Transfer::ask(std::string_view statement) {
  command_.emplace<OwnQuery>(*side_, capabilities(), query_payload(statement, capabilities()));
}

bool Transfer::step_reading() {
  using Progress = OwnQuery::Progress;
  auto& query = std::get<OwnQuery>(command_);
  const auto progress = query.step(*pool_);
  if (progress == Progress::under_way) return false;
  if (progress == Progress::lost) return fail("the connection was lost");
  if (progress == Progress::server_error) {
    if (reading_ == Reading::names || names_are_common_) return fail(query.result().server_error().text);
    reading_ = Reading::names;
    ask(names_query());
    return true;
  }
  const auto rows = query.result().rows();
  switch (reading_) {
    case Reading::names:
      names_.keep_common(read_names(rows));
      names_are_common_ = true;
      reading_ = Reading::own_values;
      ask(state_query(names_));
      break;
    case Reading::own_values:
      if (!read_state(rows, names_, fresh_)) return fail("its variables cannot be read in the client's character set");
      reading_ = Reading::global_values;
      ask(globals_query(names_));
      break;
    case Reading::global_values:
      leave_what_is_given(fresh_, names_, rows);
      command_ = {};
      state_ = State::ready;
      break;
  }
  return true;
}

void Transfer::restore(std::vector<RestoreStep> steps, std::vector<UserVariable> user_variables) {
  RESEAL_CHECK(state_ == State::ready);
  steps_ = std::move(steps);
  user_variables_ = std::move(user_variables);
  for (const auto& variable : user_variables_) user_names_.push_back(variable.name);
  state_ = State::restoring;
  next_step();
  while (step()) {
  }
}

void Transfer::next_step() {
  command_ = {};
  if (next_ < steps_.size()) {
    const auto& step = steps_[next_];
    if (step.kind == RestoreStep::Kind::prepare)
      command_.emplace<OwnPrepare>(*side_, capabilities(), wire::prepare_command(step.text));
    else
      ask(step.text);
  } else if (next_ == steps_.size() && !user_names_.empty()) {
    ask(user_variables_query(user_names_));
  } else {
    state_ = State::restored;
  }
}

bool Transfer::step_restoring() {
  if (auto* const prepare = std::get_if<OwnPrepare>(&command_)) return step_restored(*prepare);
  return step_restored(std::get<OwnQuery>(command_));
}

bool Transfer::step_restored(OwnQuery& query) {
  using Progress = OwnQuery::Progress;
  const auto progress = query.step(*pool_);
  if (progress == Progress::under_way) return false;
  if (progress == Progress::lost) return fail("the connection was lost");
  // The statement may hold values of the client's, and is not shown.
  if (progress == Progress::server_error)
    return fail("its state: " + std::to_string(query.result().server_error().code));
  if (next_ == steps_.size() && read_user_variables(user_names_, query.result()) != user_variables_)
    return fail("its user variables would not be the same");
  ++next_;
  next_step();
  return true;
}

bool Transfer::step_restored(OwnPrepare& prepare) {
  using Progress = OwnPrepare::Progress;
  const auto progress = prepare.step(*pool_);
  if (progress == Progress::under_way) return false;
  if (progress == Progress::lost) return fail("the connection was lost");
  const auto& result = prepare.result();
  if (progress == Progress::server_error)
    return fail("a prepared statement: " + std::to_string(result.server_error().code));
  const auto& step = steps_[next_];
  if (result.parameters() != step.parameters || result.columns() != step.columns)
    return fail("a prepared statement has other parameters or columns");
  statement_ids_[step.statement] = result.statement();
  ++next_;
  next_step();
  return true;
}

std::unique_ptr<Side> Transfer::hand_over(SideOwner& owner) {
  RESEAL_CHECK(state_ == State::restored);
  side_->tell(owner);
  return std::move(side_);
}

bool Transfer::fail(std::string why) {
  command_ = {};
  side_->close();
  why_ = to_.place->text + ": " + std::move(why);
  state_ = State::failed;
  return false;
}

}  // namespace reseal::proxy

// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <utility>

#include "base/failure.hpp"
#include "proxy/session.hpp"
#include "wire/protocol.hpp"

namespace reseal::proxy {
namespace {

// What decides how later messages look to the client, or what its statements mean. A server that differs in one of them
// would be noticed.
constexpr std::uint32_t must_be_equal =
    wire::capability::found_rows | wire::capability::no_schema | wire::capability::odbc |
    wire::capability::local_files | wire::capability::ignore_space | wire::capability::interactive |
    wire::capability::multi_statements | wire::capability::multi_results | wire::capability::ps_multi_results |
    wire::capability::expired_passwords | wire::capability::session_track | wire::capability::deprecate_eof |
    wire::capability::query_attributes;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

void Session::prepare_move(Where to) {
  if (transfer_ && transfer_->state() == Transfer::State::failed && phase_ == Phase::relay) drop_transfer();
  if (phase_ != Phase::relay || transfer_ || where_ == to || !movable_) return;
  auto password = home_.terms.vault.find(proof_.user, proof_.plugin, proof_.nonce, proof_.scramble);
  if (!password) {
    movable_ = false;
    unmovable_because_ = "the proxy has no longer kept its password";
    return;
  }
  const auto& there = home_.terms.upstream(to);
  wire::ClientHandshakeOptions login;
  login.user = proof_.user;
  login.password = *std::move(password);
  login.carrier = there.place.on_socket ? wire::Carrier::unix_socket : wire::Carrier::network;
  login.tls = wire::TlsWish::if_offered;
  if (server_->stream().encrypted()) login.tls = wire::TlsWish::always;
  if (there.place.on_socket && !server_->stream().encrypted()) login.tls = wire::TlsWish::never;
  login.capabilities = capabilities_ & must_be_equal;
  login.collation = collation_;
  transfer_ =
      std::make_unique<Transfer>(there, home_.loop, home_.pool, std::move(login), [this] { home_.again(*this); });
}

void Session::begin_move(const std::shared_ptr<const MoveOrder>& order) {
  const auto to = order->to;
  if (where_ == to || phase_ == Phase::moving || phase_ == Phase::closing || phase_ == Phase::over) return;
  if (!ever_logged_in_) return end();  // its greeting came from the other server
  if (!between_replies()) {            // where no error can be said
    ++home_.terms.counters.not_moved;
    return broken("it was within a command when sessions moved");
  }
  if (!quiet()) return refuse_move("it is within a transaction");
  if (!order->none_because.empty()) return refuse_move(order->none_because);
  if (const auto found = order->obstacles.find(server_id()); found != order->obstacles.end())
    return refuse_move("it has " + found->second);
  if (!statements_.empty()) return refuse_move("it has prepared statements");
  if (option_set_) return refuse_move("it has changed its protocol options");
  prepare_move(to);
  if (!movable_) return refuse_move(unmovable_because_);
  move_ = std::make_unique<Move>();
  move_->order = order;
  phase_ = Phase::moving;
  since_ = Clock::now();
  advance();
}

bool Session::step_moving() {
  using State = Transfer::State;
  switch (transfer_->state()) {
    case State::failed:
      refuse_move(transfer_->why());
      return true;
    case State::ready:
      return ask_state();
    case State::restored:
      switch_over();
      return true;
    default:
      return false;
  }
}

// The session's own view of its state, from the server that it is still on.
bool Session::ask_state() {
  using Progress = OwnCommand::Progress;
  auto& move = *move_;
  if (!move.question) move.question.emplace(*server_, capabilities_, all_variables_query());
  const auto progress = move.question->step(home_.pool);
  if (progress == Progress::under_way) return false;
  if (progress != Progress::done) {
    refuse_move("its state could not be read");
    return true;
  }
  const auto& rows = move.question->result().rows();
  if (!std::exchange(move.variables_read, true)) {
    read_variables(rows, move.wanted);
    leave_what_is_given(move.wanted, move.order->globals);
    move.question.emplace(*server_, capabilities_, place_query());
    return true;
  }
  read_place(rows, move.wanted);
  move.question.reset();
  if (((transfer_->capabilities() ^ capabilities_) & must_be_equal) != 0) {
    refuse_move("the other server lacks a part of the protocol that it uses");
    return true;
  }
  auto plan = plan_restore(transfer_->fresh(), move.wanted, seconds_now());
  if (plan.impossible_because.empty())
    transfer_->restore(std::move(plan.statements));
  else
    refuse_move(plan.impossible_because);
  return true;
}

// Both connections may still be spoken of in the events at hand, so what is let go is destroyed after them.
void Session::switch_over() {
  auto before = std::shared_ptr<Side>(std::move(server_));
  before->close();
  before->in.clear(home_.pool);
  home_.loop.post([before] {});
  server_ = transfer_->hand_over(*this);
  greeting_.connection_id = transfer_->greeting().connection_id;
  greeting_.nonce = transfer_->greeting().nonce;
  where_ = move_->order->to;
  move_.reset();
  drop_transfer();
  ++home_.terms.counters.moved;
  phase_ = Phase::relay;
}

void Session::refuse_move(const std::string& why) {
  ++home_.terms.counters.not_moved;
  home_.terms.log->info("session " + std::to_string(number_) + " of " + origin_.text +
                        " could not be moved and is closed: " + base::printable(why));
  move_.reset();
  drop_transfer();
  server_->end_messages();
  say_and_close("This session could not be moved to the other server, connect again: " + why);
}

void Session::drop_transfer() {
  if (transfer_) home_.loop.post([gone = std::shared_ptr<Transfer>(std::move(transfer_))] {});
}

void Session::gate_changed() {
  if (!home_.terms.gate.holding() && phase_ == Phase::relay) drop_transfer();
  advance();
}

}  // namespace reseal::proxy

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

void Session::prepare_move(Where to, const VariableNames& names) {
  if (transfer_ && transfer_->state() == Transfer::State::failed && phase_ == Phase::relay) drop_transfer();
  if (phase_ != Phase::relay || transfer_ || where_ == to || !movable_) return;
  auto password = home_.terms.vault.find(proof_.user, proof_.plugin, proof_.nonce, proof_.scramble);
  if (!password) {
    movable_ = false;
    unmovable_because_ = "the proxy has no longer kept its password";
    return;
  }
  auto there = home_.terms.exchangeable.upstream(to);
  wire::ClientHandshakeOptions login;
  login.user = proof_.user;
  login.password = *std::move(password);
  login.carrier = there.place->on_socket ? wire::Carrier::unix_socket : wire::Carrier::network;
  login.tls = wire::TlsWish::if_offered;
  if (server_->stream().encrypted()) login.tls = wire::TlsWish::always;
  if (there.place->on_socket && !server_->stream().encrypted()) login.tls = wire::TlsWish::never;
  login.capabilities =
      capabilities_ & (must_be_equal | wire::capability::compress | wire::capability::zstd_compression);
  login.collation = collation_;
  login.zstd_level = zstd_level_;
  transfer_ = std::make_unique<Transfer>(std::move(there), home_.loop, home_.pool, std::move(login), names,
                                         [this] { home_.again(*this); });
}

bool Session::preparing() const noexcept { return transfer_ && transfer_->state() < Transfer::State::ready; }

std::string Session::obstacle(const MoveOrder& order) const {
  if (!order.none_because.empty()) return order.none_because;
  const auto found = order.obstacles.find(server_id());
  return found == order.obstacles.end() ? std::string() : "it has " + found->second;
}

bool Session::mark_idle(Where to, std::uint64_t look) {
  if (where_ == to || (move_ && move_->order) || home_.terms.gate.holding() || !quiet()) return false;
  if (!transfer_ || transfer_->state() != Transfer::State::ready) return false;
  move_ = std::make_unique<Move>();
  move_->look = look;
  return true;
}

void Session::look_ahead(const std::shared_ptr<const MoveOrder>& order) {
  if (!move_ || move_->order || move_->look != order->look || !quiet()) return;
  if (!obstacle(*order).empty() || transfer_->state() != Transfer::State::ready) return move_.reset();
  move_->order = order;
  move_->ahead = true;
  phase_ = Phase::restoring;
  since_ = Clock::now();
  advance();
}

void Session::begin_restore(const std::shared_ptr<const MoveOrder>& order) {
  if (where_ == order->to || order->releases != home_.terms.gate.releases() || !ever_logged_in_ || !quiet()) return;
  if (move_ && move_->read && move_->ahead && transfer_->state() == Transfer::State::ready) {
    move_->ahead = false;
    phase_ = Phase::restoring;
    since_ = Clock::now();
    plan_own_state();
    return advance();
  }
  if (move_ && move_->order && !move_->ahead) return;
  // About one that was asked about already, `order` may say nothing. If it was to be about no session at all, it says
  // nothing about one that has logged in since.
  if (!(move_ && move_->order) && order->names.all.empty() && order->none_because.empty()) return;
  auto known = move_ && move_->order ? move_->order : order;
  move_ = std::make_unique<Move>();
  move_->order = std::move(known);
  if (auto why = obstacle(*order); !why.empty()) return not_movable(why);
  prepare_move(order->to, move_->order->names);
  if (!movable_) return not_movable(unmovable_because_);
  phase_ = Phase::restoring;
  since_ = Clock::now();
  advance();
}

void Session::begin_move(const std::shared_ptr<const MoveOrder>& order) {
  if (where_ == order->to || phase_ == Phase::closing || phase_ == Phase::over) return;
  if (order->releases != home_.terms.gate.releases()) return;
  if (phase_ == Phase::header || phase_ == Phase::waiting) return;
  if (!ever_logged_in_) return end();  // its greeting came from the other server
  if (phase_ != Phase::restoring) {
    if (!between_replies()) {  // where no error can be said
      ++home_.terms.counters.not_moved;
      return broken("it was within a command when sessions moved");
    }
    if (!quiet()) return refuse_move("it is within a transaction");
    begin_restore(order);
    if (phase_ == Phase::relay && !(move_ && move_->order)) return refuse_move("it logged in while sessions moved");
  }
  if (!move_) return;  // it ended
  move_->ordered = true;
  if (!move_->impossible_because.empty()) return refuse_move(move_->impossible_because);
  if (phase_ == Phase::relay) switch_over();
}

bool Session::step_restoring() {
  using State = Transfer::State;
  if (!move_->ordered && !move_->ahead && !home_.terms.gate.holding() && !move_->question) {
    forget_move();
    phase_ = Phase::relay;
    return true;
  }
  if (move_->question) return read_own_state();
  switch (transfer_->state()) {
    case State::failed:
      not_movable(transfer_->why());
      return true;
    case State::ready:
      ask_own_state();
      return true;
    case State::restored:
      phase_ = Phase::relay;
      if (move_->ordered) switch_over();
      return true;
    default:
      return false;
  }
}

// The session's own view of its state, from the server that it is still on, in one question or up to three.
void Session::ask_own_state() {
  using About = Move::About;
  auto& move = *move_;
  const auto ask = [&](std::string_view query) {
    move.question.emplace(*server_, capabilities_, query_payload(query, capabilities_));
  };
  const auto names = move.order->user_variables.find(server_id());
  if (move.about == About::user_variables && names == move.order->user_variables.end())
    move.about = About::schema_changes;
  if (move.about == About::schema_changes && statements_.empty()) move.about = About::nothing;
  switch (move.about) {
    case About::variables:
      return ask(state_query(transfer_->names()));
    case About::user_variables:
      return ask(user_variables_query(names->second));
    case About::schema_changes:
      return ask("SHOW SESSION STATUS LIKE 'Com_change_db'");
    case About::nothing:
      plan_own_state();
  }
}

bool Session::read_own_state() {
  using Progress = OwnQuery::Progress;
  auto& move = *move_;
  const auto progress = move.question->step(home_.pool);
  if (progress == Progress::under_way) return false;
  if (progress == Progress::lost) {
    ++home_.terms.counters.not_moved;
    broken("its state could not be read");
    return true;
  }
  std::string why;
  if (transfer_->state() == Transfer::State::failed)
    why = transfer_->why();
  else if (progress == Progress::server_error)
    why = "its state could not be read";
  else
    why = take_own_state(move.question->result());
  move.question.reset();
  if (why.empty())
    ask_own_state();
  else
    not_movable(std::move(why));
  return true;
}

// In words why it cannot be moved, or nothing.
std::string Session::take_own_state(const wire::TextResultMachine& answer) {
  using About = Move::About;
  auto& move = *move_;
  switch (move.about) {
    case About::variables:
      if (!read_state(answer.rows(), transfer_->names(), move.wanted.session))
        return "its variables cannot be read in its character set";
      move.about = About::user_variables;
      break;
    case About::user_variables: {
      auto read = read_user_variables(move.order->user_variables.at(server_id()), answer);
      if (!read) return "its user variables cannot be read";
      move.wanted.user_variables = *std::move(read);
      move.about = About::schema_changes;
      break;
    }
    case About::schema_changes:
      if (!read_schema_changes(answer.rows(), move.wanted.schema_changes)) return "its state cannot be read";
      move.about = About::nothing;
      break;
    case About::nothing:
      break;
  }
  return {};
}

void Session::plan_own_state() {
  auto& move = *move_;
  if (!std::exchange(move.read, true)) move.read_at = seconds_now();
  if (move.ahead && !home_.terms.gate.holding()) {
    phase_ = Phase::relay;
    return home_.again(*this);  // the next one's turn
  }
  move.ahead = false;
  if (((transfer_->capabilities() ^ capabilities_) & must_be_equal) != 0)
    return not_movable("the other server lacks a part of the protocol that it uses");
  leave_what_is_given(move.wanted.session, move.order->names, move.order->globals);
  move.wanted.schema_changes_seen = schema_changes_seen_;
  move.plan = restore_steps(transfer_->fresh(), move.wanted, statements_, move.read_at);
  if (!move.plan.impossible_because.empty()) return not_movable(move.plan.impossible_because);
  transfer_->restore(move.plan.steps, move.wanted.user_variables);
}

void Session::switch_over() {
  server_->in.clear(home_.pool);
  server_->be_forgotten();
  home_.retire(std::move(server_));
  server_ = transfer_->hand_over(*this);
  greeting_.connection_id = transfer_->greeting().connection_id;
  greeting_.nonce = transfer_->greeting().nonce;
  where_ = move_->order->to;
  upstream_ = transfer_->upstream();
  statements_.moved(transfer_->statement_ids(), move_->plan.schema_of);
  schema_ = move_->wanted.session.schema.value_or("");
  schema_changes_seen_ = move_->plan.schema_changes;
  move_.reset();
  drop_transfer();
  ++home_.terms.counters.moved;
  phase_ = Phase::relay;
  home_.again(*this);
}

// Nothing happens before the move is ordered: perhaps it never is. Ahead of the hold it is tried again within it.
void Session::not_movable(std::string why) {
  if (move_->ordered) return refuse_move(std::move(why));
  if (move_->ahead) {
    move_.reset();
    drop_transfer();
    phase_ = Phase::relay;
    return home_.again(*this);
  }
  move_->impossible_because = std::move(why);
  drop_transfer();
  phase_ = Phase::relay;
}

void Session::refuse_move(std::string why) {
  ++home_.terms.counters.not_moved;
  home_.terms.log->info("session " + std::to_string(number_) + " of " + origin_.text +
                        " could not be moved and is closed: " + base::printable(why));
  move_.reset();
  drop_transfer();
  server_->end_messages();
  say_and_close("This session could not be moved to the other server, connect again: " + why);
}

void Session::restore_too_slow() {
  if (move_->question) {  // what its server still answers would be taken for the answer to the client
    ++home_.terms.counters.not_moved;
    broken("its state could not be read in time");
  } else {
    not_movable("the other server took too long");
  }
}

void Session::drop_transfer() {
  if (transfer_) home_.loop.post([gone = std::shared_ptr<Transfer>(std::move(transfer_))] {});
}

// What was read of the session is true until its next command begins, and no longer.
void Session::forget_move() {
  if (!move_) return;
  const bool set = !move_->ahead && move_->order;
  move_.reset();
  if (set) drop_transfer();
}

void Session::gate_changed() {
  if (!home_.terms.gate.holding() && phase_ == Phase::relay) {
    forget_move();
    drop_transfer();
  }
  advance();
}

}  // namespace reseal::proxy

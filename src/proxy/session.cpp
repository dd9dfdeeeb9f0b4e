// SPDX-License-Identifier: Apache-2.0
#include "proxy/session.hpp"

#include <utility>

#include "base/failure.hpp"
#include "wire/bytes.hpp"
#include "wire/command.hpp"
#include "wire/protocol.hpp"
#include "wire/server_handshake.hpp"

namespace reseal::proxy {
namespace {

using namespace std::chrono_literals;

constexpr auto connect_time = 1s;    // beyond it the server's host is likely away: others may find it elsewhere
constexpr auto closing_time = 5s;    // for a client to take the last bytes
constexpr auto lingering_time = 1s;  // for a client to read them before its own unread bytes reset the connection
constexpr unsigned steps_at_once = 16;
constexpr std::uint16_t server_shutdown = 1053;  // ER_SERVER_SHUTDOWN

}  // namespace

Session::Session(const Home& home, std::uint64_t number, mysql::FileDescriptor client, ClientOrigin origin)
    : home_(home),
      number_(number),
      origin_(std::move(origin)),
      where_(home.terms.gate.serving()),
      upstream_(home.terms.exchangeable.upstream(where_)),
      client_(*this),
      server_(std::make_unique<Side>(static_cast<SideOwner&>(*this))) {
  client_.open(std::move(client), home_.loop);
}

void Session::start() {
  phase_ = origin_.header_due ? Phase::header : Phase::waiting;
  advance();
}

void Session::advance() {
  for (unsigned steps = 0; steps < steps_at_once; ++steps)
    if (over() || !step()) return;
  home_.again(*this);
}

bool Session::step() {
  switch (phase_) {
    case Phase::header:
      return step_header();
    case Phase::waiting:
      return step_waiting();
    case Phase::connecting:
      return step_connecting();
    case Phase::greeting: {
      const bool moved = step_greeting();
      if (phase_ != Phase::greeting) home_.greeted(*this);
      return moved;
    }
    case Phase::hello:
      if (draining_) end();
      return !over() && step_hello();
    case Phase::tls:
      return step_tls();
    case Phase::response:
      return step_response();
    case Phase::login:
      return step_login();
    case Phase::relay:
      return step_relay();
    case Phase::restoring:
      return step_restoring();
    case Phase::closing:
      return step_closing();
    case Phase::over:
      break;
  }
  return false;
}

void Session::begin_closing() {
  phase_ = Phase::closing;
  since_ = Clock::now();
}

void Session::tick(Clock::time_point now) {
  const auto waited = now - since_;
  switch (phase_) {
    case Phase::waiting:
    case Phase::relay:
    case Phase::over:
      return;
    case Phase::closing:
      if (waited > (lingering_ ? lingering_time : closing_time)) end();
      return;
    default:
      break;
  }
  // The login has one bound in all, so that nobody keeps it open by one byte at a time.
  if (waited <= home_.terms.handshake_timeout) return;
  if (looking_ahead() && !home_.terms.gate.holding()) return;
  if (phase_ == Phase::restoring)
    restore_too_slow();
  else if (phase_ == Phase::connecting || phase_ == Phase::greeting)
    server_too_slow();
  else
    broken("the login took too long");
}

void Session::drain() {
  draining_ = true;
  if (phase_ == Phase::relay)
    advance();
  else if (!ever_logged_in_ && !greeting_due())
    end();
}

void Session::close_after(std::string_view error_payload) {
  if (!error_payload.empty()) client_.send(error_payload);
  server_->close();
  begin_closing();
}

void Session::broken(std::string_view why) {
  ++home_.terms.counters.broken;
  home_.terms.log->debug("session " + std::to_string(number_) + " of " + origin_.text + ": " + std::string(why));
  end();
}

bool Session::step_closing() {
  if (lingering_) {
    const bool moved = client_.read(home_.pool);
    client_.in.clear(home_.pool);
    if (client_.read_over) end();
    return moved;
  }
  const bool moved = client_.flush() || client_.write(server_->in);
  if (!client_.queue_empty() || !server_->in.nothing_judged()) return moved;
  client_.stream().finish();
  client_.in.clear(home_.pool);
  lingering_ = true;
  since_ = Clock::now();
  return true;
}

void Session::end() {
  if (over()) return;
  say_abandoned();
  client_.close();
  server_->close();
  client_.in.clear(home_.pool);
  server_->in.clear(home_.pool);
  login_.reset();
  move_.reset();
  drop_transfer();
  phase_ = Phase::over;
  home_.over(*this);
}

// A server counts a connection that ends while the client owes it an answer as an error of the host, and shuts the
// host, which is the proxy for all clients, out after max_connect_errors of them. An answer that is refused is no such
// error.
void Session::say_abandoned() {
  if (phase_ == Phase::login && login_ && client_turn_ && server_->opened()) {
    server_->send({});  // no plugin takes it for a proof
    server_->flush();
    return;
  }
  const bool due = phase_ == Phase::hello || (phase_ == Phase::tls && !client_tls_done_) ||
                   (phase_ == Phase::response && !server_tls_failed_);
  if (!due || response_sent_ || !server_->opened()) return;
  wire::HandshakeResponse response;
  response.capabilities = greeting_.capabilities & (wire::capability::protocol_41 | wire::capability::plugin_auth |
                                                    wire::capability::secure_connection);
  if (server_tls_done_) response.capabilities |= wire::capability::ssl;
  response.collation = wire::utf8mb4_general_ci;
  response.user = "reseal-client-left";
  response.auth_plugin = greeting_.auth_plugin;
  server_->send(wire::handshake_response(response));
  // For users that it does not know, a server makes up a plugin, and may ask for a change to it and wait. The answer to
  // that goes with the response: nothing, two numbers on.
  server_->begin_messages(0, server_tls_done_ ? 4 : 3);
  server_->send({});
  server_->flush();
}

bool Session::may_give_way() const {
  switch (phase_) {
    case Phase::header:
    case Phase::hello:
    case Phase::response:
    case Phase::closing:
    case Phase::over:
      return true;
    case Phase::connecting:
      return Clock::now() - since_ > connect_time && !greeting_due();
    case Phase::tls:
      return !client_tls_done_;
    case Phase::login:
      return client_turn_;
    default:
      return false;
  }
}

// There is a connection, and the server has to speak before it can be answered. One that the server's host has not
// accepted yet is none: nobody there has heard of it.
bool Session::greeting_due() const {
  return phase_ == Phase::greeting ||
         (phase_ == Phase::connecting && server_->opened() && is_connected(server_->stream().number()));
}

SessionReport Session::report() const {
  static constexpr const char* names[] = {"header",   "waiting", "connecting", "greeting",  "hello",   "tls",
                                          "response", "login",   "relay",      "restoring", "closing", "over"};
  SessionReport report;
  report.number = number_;
  report.client = origin_.text;
  report.user = user_;
  report.phase = names[static_cast<std::size_t>(phase_)];
  report.server_id = greeting_.connection_id;
  report.encrypted = client_.opened() && client_.stream().encrypted();
  report.in_transaction = replies_.in_transaction();
  report.logged_in = ever_logged_in_ && phase_ != Phase::closing;
  report.asked_about = move_ && move_->order;
  report.movable = movable_;
  report.unmovable_because = unmovable_because_;
  return report;
}

// Nothing is on its way, but perhaps a command that waits to begin.
bool Session::between_replies() const {
  return phase_ == Phase::relay && !replies_.under_way() && commands_.between_commands() &&
         client_.in.nothing_judged() && server_->in.empty() && client_.queue_empty() && server_->queue_empty();
}

bool Session::quiet() const {
  return between_replies() && !replies_.in_transaction() && !replies_.transaction_unknown() &&
         !statements_.long_data_pending();
}

void Session::count_into(HoldCounts& counts) const {
  if (phase_ == Phase::closing || phase_ == Phase::over) return;
  if (phase_ == Phase::waiting)
    ++counts.held;
  else if (phase_ == Phase::restoring)
    ++(move_->ordered ? counts.moving : counts.held);
  else if (!ever_logged_in_)
    ++counts.logging_in;
  else if (quiet())
    ++counts.held;
  else
    ++counts.busy;
}

// COM_PING's OK has the status that an ERR lacks.
void Session::ask_transaction() {
  server_->begin_messages(wire::max_packet_payload, 0);
  server_->send(wire::ping_command());
  server_->end_messages();
  replies_.begin(wire::Command::ping);
  own_command_ = true;
}

// As the answer to the command that waits, or that the client sends next: packet number 1.
void Session::say_and_close(std::string_view text) {
  client_.begin_messages(wire::max_packet_payload, 1);
  close_after(wire::error_payload(server_shutdown, "08S01", text));
}

bool Session::ended_sides() {
  if (must_be_quiet() && between_replies() && replies_.transaction_unknown() && !server_->read_over) {
    ask_transaction();
    return true;
  }
  if (draining_ && quiet()) {
    say_and_close("The proxy is being shut down; connect again");
    return true;
  }
  if (client_.read_over) {
    // What the client sent before it left is still carried out; a command or a file that will never be whole is not.
    const bool waits_for_reply =
        replies_.under_way() && commands_.between_commands() && !client_.in.unjudged().empty() && !server_->read_over;
    if (!waits_for_reply && client_.in.nothing_judged() && server_->queue_empty()) {
      end();
      return true;
    }
  }
  if (server_->read_over) {
    server_->in.judge_all();
    close_after({});
    return true;
  }
  return false;
}

}  // namespace reseal::proxy

// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "base/byte_cursor.hpp"
#include "proxy/session.hpp"
#include "wire/command_kind.hpp"
#include "wire/packet_header.hpp"
#include "wire/server_handshake.hpp"

namespace reseal::proxy {
namespace {

constexpr std::size_t change_user_limit = 80 * 1024;
constexpr std::size_t login_reply_limit = 1024 * 1024;
constexpr std::uint16_t not_supported = 1235;  // ER_NOT_SUPPORTED_YET

}  // namespace

bool Session::step_relay() {
  bool moved = relay_up();
  if (phase_ != Phase::relay) return true;
  moved = relay_down() || moved;
  if (phase_ != Phase::relay) return true;
  if (ended_sides()) return true;
  if (!moved) {
    client_.in.rest(home_.pool);
    server_->in.rest(home_.pool);
  }
  return moved;
}

bool Session::relay_up() {
  bool moved = client_.flush();
  moved = server_->flush() || moved;
  moved = client_.read(home_.pool) || moved;
  moved = judge_up() || moved;
  if (phase_ != Phase::relay) return true;
  return server_->write(client_.in) || moved;
}

bool Session::judge_up() {
  using Found = wire::CommandScanner::Found;
  bool moved = false;
  while (true) {
    const auto scanned = commands_.scan(client_.in.unjudged());
    if (dropping_)
      client_.in.drop(scanned.pass);
    else
      client_.in.judge(scanned.pass);
    moved = moved || scanned.pass > 0;
    switch (scanned.found) {
      case Found::nothing:
        return moved;
      case Found::command:
        if (!begin_command(scanned)) return moved;
        if (phase_ != Phase::relay) return true;
        break;
      case Found::message_end:
        if (std::exchange(dropping_, false) && command_ != wire::Command::stmt_close) refuse_command();
        break;
      case Found::file_end:  // the server's answer to it is due
        break;
      case Found::out_of_order:
        broken("the client's packets are out of order");
        return true;
    }
  }
}

bool Session::begin_command(const wire::CommandScanner::Scanned& found) {
  const auto command = found.command;
  if (replies_.under_way() || !client_.queue_empty() || server_->read_over) return false;
  if (must_be_quiet() && (!replies_.in_transaction() || replies_.transaction_unknown())) return false;
  const bool refused = wire::belongs_to_a_replica(command);
  if (refused || command == wire::Command::change_user) {
    if (!client_.in.nothing_judged() || !server_->in.empty()) return false;
    if (!refused) return begin_change_user();
    dropping_ = true;
  } else if (command == wire::Command::stmt_close && found.size >= 1 + 4) {
    base::ByteCursor closed(client_.in.unjudged());
    closed.skip(wire::packet_header_size + 1);
    const auto id = closed.u32();
    if (!closed.ok()) return false;  // not all of it is there
    // A statement that is gone: after a move its id may be that of another one.
    const bool known = statements_.count(id) > 0;
    if (!known && !client_.in.nothing_judged()) return false;
    statements_.erase(id);
    dropping_ = !known;
  } else {
    option_set_ = option_set_ || command == wire::Command::set_option;
    replies_.begin(command);
  }
  command_ = command;
  commands_.accept();
  return true;
}

void Session::refuse_command() {
  client_.begin_messages(0, commands_.reply_sequence());
  client_.send(wire::error_payload(not_supported, "42000",
                                   "The proxy passes on no command of replicas and clones (command " +
                                       std::to_string(static_cast<unsigned>(command_)) +
                                       "); connect to the server directly"));
  client_.end_messages();
  client_.flush();
}

bool Session::begin_change_user() {
  client_.begin_messages(change_user_limit, 0);
  server_->begin_messages(login_reply_limit, 0);
  drop_transfer();  // it is logged in as the user before
  phase_ = Phase::response;
  since_ = Clock::now();
  return true;
}

bool Session::relay_down() {
  bool moved = server_->read(home_.pool);
  moved = judge_down() || moved;
  if (phase_ != Phase::relay) return true;
  return client_.write(server_->in) || moved;
}

void Session::reply_ended() {
  if (std::exchange(own_command_, false) || replies_.failed()) return;
  if (command_ == wire::Command::stmt_prepare && replies_.prepared_id() != 0)
    statements_.insert(replies_.prepared_id());
  if (command_ == wire::Command::reset_connection) statements_.clear();
}

bool Session::judge_down() {
  using Progress = wire::ReplyTracker::Progress;
  bool moved = false;
  while (true) {
    const auto scanned = reply_packets_.scan(server_->in.unjudged());
    if (own_command_)
      server_->in.drop(scanned.pass);
    else
      server_->in.judge(scanned.pass);
    moved = moved || scanned.pass > 0;
    switch (scanned.progress) {
      case Progress::under_way:
        return moved;
      case Progress::ended:
        reply_ended();
        break;
      case Progress::file_wanted:
        commands_.begin_file();
        break;
      case Progress::bad_input:
        home_.terms.log->warn("session " + std::to_string(number_) +
                              ": the server's reply makes no sense to the proxy; the session is closed");
        broken("the server's reply makes no sense");
        return true;
    }
  }
}

}  // namespace reseal::proxy

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

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
    if (dropping_) {
      client_.in.drop(scanned.pass);
    } else {
      const auto replaced = std::min(scanned.pass, replaced_);
      if (replaced > 0) client_.in.drop(replaced);
      replaced_ -= replaced;
      client_.in.judge(scanned.pass - replaced);
    }
    moved = moved || scanned.pass > 0;
    switch (scanned.found) {
      case Found::nothing:
        return moved;
      case Found::command:
        if (!begin_command(scanned)) return moved;
        if (phase_ != Phase::relay) return true;
        break;
      case Found::message_end:
        client_.begin_answer();
        if (std::exchange(dropping_, false) && command_ != wire::Command::stmt_close) refuse_command();
        break;
      case Found::file_end:  // the server's answer to it is due
        client_.begin_answer();
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
  // Each command begins a compressed packet of its own, as clients send it.
  if (server_->compressed() && !client_.in.nothing_judged()) return false;
  // A statement whose parameters are sent in pieces is one piece of work.
  const bool within = (replies_.in_transaction() && !replies_.transaction_unknown()) || statements_.long_data_pending();
  if (must_be_quiet() && !within) return false;
  forget_move();
  server_->begin_command();
  const bool refused = wire::belongs_to_a_replica(command);
  if (refused || command == wire::Command::change_user) {
    if (!client_.in.nothing_judged() || !server_->in.empty()) return false;
    if (!refused) return begin_change_user();
    dropping_ = true;
  } else if (wire::names_a_statement(command)) {
    if (!begin_statement_command(found)) return false;
    if (!dropping_) replies_.begin(command);
  } else {
    if (command == wire::Command::stmt_prepare && !begin_prepare(found)) return false;
    if (command == wire::Command::init_db && !begin_init_db(found)) return false;
    if (command == wire::Command::set_option && !begin_set_option(found)) return false;
    replies_.begin(command);
  }
  command_ = command;
  commands_.accept();
  return true;
}

void Session::refuse_command() {
  client_.begin_messages(0, commands_.reply_sequence());
  client_.begin_answer();
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
  if (std::exchange(own_command_, false)) return;
  statement_reply_ended();
  schema_changes_ended();
  if (command_ == wire::Command::set_option && !replies_.failed()) {
    // The other connection is logged in anew, with it.
    drop_transfer();
    capabilities_ = multi_statements_asked_ ? capabilities_ | wire::capability::multi_statements
                                            : capabilities_ & ~wire::capability::multi_statements;
  }
}

bool Session::judge_down() {
  using Progress = wire::ReplyTracker::Progress;
  bool moved = false;
  while (true) {
    if (!renumber_prepared()) return moved;
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
        server_->begin_answer();
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

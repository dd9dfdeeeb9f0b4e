// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "base/byte_cursor.hpp"
#include "proxy/session.hpp"
#include "wire/bytes.hpp"
#include "wire/packet.hpp"
#include "wire/packet_header.hpp"

namespace reseal::proxy {
namespace {

// A command is looked at so far. Less than what a pipe always has room for, so that so much comes into view.
constexpr std::size_t most_in_view = 16 * 1024;
constexpr std::size_t id_size = 4;
constexpr std::size_t head_size = wire::statement_id_at + id_size;
// No statement has it, so that the server says what it says to an unknown one.
constexpr std::uint32_t no_statement = 0;

std::string id_bytes(std::uint32_t id) {
  std::string bytes;
  wire::append_uint_le(bytes, id, id_size);
  return bytes;
}

std::uint32_t id_in(std::string_view payload) {
  base::ByteCursor cursor(payload);
  cursor.skip(wire::statement_id_at);
  return cursor.u32();
}

}  // namespace

std::string_view Session::payload_in_view(const wire::CommandScanner::Scanned& found) const {
  return client_.in.unjudged().substr(wire::packet_header_size, found.size);
}

bool Session::more_comes_into_view(const wire::CommandScanner::Scanned& found) const {
  return payload_in_view(found).size() < found.size && client_.in.unjudged().size() < most_in_view;
}

bool Session::begin_prepare(const wire::CommandScanner::Scanned& found) {
  if (more_comes_into_view(found)) return false;
  const auto payload = payload_in_view(found);
  preparing_ = OpenStatement();
  if (payload.size() == found.size && found.size > 0) preparing_.text = payload.substr(1);
  preparing_.schema = schema_;
  prepare_reply_seen_ = false;
  return true;
}

bool Session::begin_init_db(const wire::CommandScanner::Scanned& found) {
  if (more_comes_into_view(found)) return false;
  schema_asked_ = payload_in_view(found).substr(1);
  return true;
}

bool Session::begin_set_option(const wire::CommandScanner::Scanned& found) {
  if (more_comes_into_view(found)) return false;
  base::ByteCursor cursor(payload_in_view(found));
  cursor.skip(1);
  multi_statements_asked_ = cursor.u16() == 0;  // MYSQL_OPTION_MULTI_STATEMENTS_ON, include/mysql_com.h
  return true;
}

// False while more of it has to come into view, or something before it has to get away.
bool Session::begin_statement_command(const wire::CommandScanner::Scanned& found) {
  const auto payload = payload_in_view(found);
  if (payload.size() < head_size) return found.size < head_size;
  const auto id = id_in(payload);
  auto* const statement = statements_.find(id);
  auto look = Look::pass;
  if (found.command == wire::Command::stmt_close)
    look = look_at_close(statement);
  else if (statement != nullptr && found.command == wire::Command::stmt_execute)
    look = look_at_execute(*statement, found);
  else if (statement != nullptr && found.command == wire::Command::stmt_send_long_data)
    statement->long_data_pending = true;
  if (look != Look::pass) return false;
  statement_at_hand_ = id;
  // Bytes that were sent in another form already are not looked at again.
  if (replaced_ == 0 && statements_.renumbered()) {
    const auto there = statement != nullptr ? statement->server_id : no_statement;
    client_.in.replace(wire::packet_header_size + wire::statement_id_at, id_bytes(there));
  }
  if (found.command == wire::Command::stmt_close) statements_.close(id);
  return true;
}

// One for a statement that is gone goes nowhere: after a move its id may be that of another one.
Session::Look Session::look_at_close(const OpenStatement* statement) {
  if (statement != nullptr) return Look::pass;
  if (!client_.in.nothing_judged()) return Look::wait;
  dropping_ = true;
  return Look::pass;
}

Session::Look Session::look_at_execute(OpenStatement& statement, const wire::CommandScanner::Scanned& found) {
  wire::ExecuteHead head;
  const auto read = wire::read_execute_head(payload_in_view(found), statement.parameters, capabilities_, head);
  if (read == wire::HeadRead::cut_off && more_comes_into_view(found)) return Look::wait;
  if (read == wire::HeadRead::whole && statement.types_due && head.types_flag_at != 0 && !head.types_sent) {
    const auto look = send_types(statement, head, found);
    if (look != Look::pass) return look;
  }
  statement.long_data_pending = false;
  statement.cursor_open = false;
  statement.types_due = statement.types_due && head.types_flag_at == 0;
  if (read != wire::HeadRead::whole) {
    statement.types_readable = false;
  } else if (head.types_sent) {
    statement.types_readable = true;
    statement.types = std::move(head.types);
    statement.typed_parameters = head.parameters;
  }
  return Look::pass;
}

// A client tells a statement's types once. The server that the session was moved to has not heard them: what comes
// before the values is sent anew, with them.
Session::Look Session::send_types(OpenStatement& statement, const wire::ExecuteHead& head,
                                  const wire::CommandScanner::Scanned& found) {
  if (!client_.in.nothing_judged() || !server_->queue_empty()) return Look::wait;
  const auto size = found.size + statement.types.size();
  if (size >= wire::max_packet_payload || head.parameters != statement.typed_parameters) {
    say_and_close("This session was moved to another server, which cannot be told the parameters of this execution");
    return Look::answered;
  }
  auto payload = std::string(payload_in_view(found).substr(0, head.types_flag_at));
  payload.replace(wire::statement_id_at, id_size, id_bytes(statement.server_id));
  payload.append(1, '\1').append(statement.types);
  std::string packet;
  wire::append_uint_le(packet, size, 3);
  wire::append_uint_le(packet, 0, 1);
  server_->queue(packet + payload);
  replaced_ = wire::packet_header_size + head.types_flag_at + 1;
  return Look::pass;
}

// The id in the answer to COM_STMT_PREPARE, before the client sees it. False while it is not in view.
bool Session::renumber_prepared() {
  const bool due = replies_.under_way() && command_ == wire::Command::stmt_prepare && !own_command_;
  if (!due || prepare_reply_seen_) return true;
  const auto bytes = server_->in.unjudged();
  if (bytes.size() <= wire::packet_header_size) return false;
  const auto payload = bytes.substr(wire::packet_header_size);
  if (static_cast<std::uint8_t>(payload.front()) == wire::reply_byte::ok) {
    if (payload.size() < head_size) return false;
    preparing_.server_id = id_in(payload);
    if (statements_.renumbered())
      server_->in.replace(wire::packet_header_size + wire::statement_id_at, id_bytes(statements_.next_id()));
  }
  prepare_reply_seen_ = true;
  return true;
}

void Session::statement_reply_ended() {
  auto* const statement = statements_.find(statement_at_hand_);
  const auto status = replies_.status();
  switch (command_) {
    case wire::Command::stmt_prepare:
      if (replies_.failed() || replies_.prepared_id() == 0) break;
      preparing_.parameters = replies_.prepared_parameters();
      preparing_.columns = replies_.prepared_columns();
      statements_.add(replies_.prepared_id(), std::move(preparing_));
      preparing_ = OpenStatement();
      break;
    case wire::Command::stmt_execute:
      if (statement != nullptr && !replies_.failed())
        statement->cursor_open =
            (status & wire::status::cursor_exists) != 0 && (status & wire::status::last_row_sent) == 0;
      break;
    case wire::Command::stmt_fetch:
      if (statement != nullptr && (replies_.failed() || (status & wire::status::last_row_sent) != 0))
        statement->cursor_open = false;
      break;
    case wire::Command::stmt_reset:
      if (statement != nullptr && !replies_.failed()) statement->cursor_open = statement->long_data_pending = false;
      break;
    case wire::Command::reset_connection:
      // Where it is now, the client may have gone without the proxy seeing it.
      if (!replies_.failed()) forget_statements(std::nullopt);
      break;
    default:
      break;
  }
}

// The server counts every attempt, and tells the client of every success, if the client wants to be told.
void Session::schema_changes_ended() {
  const bool told = (capabilities_ & wire::capability::session_track) != 0;
  if (command_ == wire::Command::init_db && (replies_.failed() || !told)) {
    ++schema_changes_seen_;
    if (!replies_.failed()) schema_ = schema_asked_;
  }
  if (!told || (replies_.session_state().empty() && !replies_.session_state_lost())) return;
  const auto changes = wire::schema_changes(replies_.session_state());
  if (!changes || replies_.session_state_lost()) {
    schema_changes_seen_ = UINT32_MAX;  // never what the server counts: nothing will be taken from `schema_`
  } else if (changes->count > 0) {
    schema_changes_seen_ += changes->count;
    schema_ = changes->last;
  }
}

void Session::forget_statements(std::optional<std::string> schema) {
  statements_.clear();
  schema_ = std::move(schema);
  schema_changes_seen_ = 0;
}

}  // namespace reseal::proxy

// SPDX-License-Identifier: Apache-2.0
#include "wire/reply_tracker.hpp"

#include <algorithm>

#include "base/byte_cursor.hpp"
#include "base/failure.hpp"
#include "wire/packet.hpp"

namespace reseal::wire {
namespace {

// "OK_Packet": one byte, two length-encoded integers of 9 bytes at most, status, warnings.
constexpr std::size_t ok_head = 1 + 9 + 9 + 2 + 2;
constexpr std::size_t eof_size = 5;
constexpr std::size_t longest_lenenc = 9;
constexpr std::size_t prepared_ok_size = 12;  // "COM_STMT_PREPARE_OK", without the metadata flag
constexpr std::size_t least_ok_as_eof = 9;    // a shorter packet that starts with 0xFE is an EOF_Packet

std::uint8_t first_of(std::string_view head) { return head.empty() ? 0 : static_cast<std::uint8_t>(head.front()); }

}  // namespace

void ReplyTracker::begin(Command command) {
  RESEAL_CHECK(!under_way());
  const auto shape = reply_shape(command);
  RESEAL_CHECK(shape != ReplyShape::login);
  if (shape == ReplyShape::none) return;
  failed_ = false;
  prepared_id_ = 0;
  session_state_.clear();
  session_state_lost_ = false;
  multiple_ = shape == ReplyShape::results;
  switch (shape) {
    case ReplyShape::single:
      state_ = State::single;
      break;
    case ReplyShape::text:
      state_ = State::text;
      break;
    case ReplyShape::rows:
      state_ = State::rows;
      break;
    case ReplyShape::prepared:
      state_ = State::prepared;
      break;
    default:
      state_ = State::first;
  }
}

bool ReplyTracker::ends_rows(std::size_t size, std::uint8_t first) const noexcept {
  if (first != reply_byte::eof) return false;
  // A row may start with 0xFE too: a first value of 16 MiB and more. Its packet is then a full one.
  return has(capability::deprecate_eof) ? size < max_packet_payload : size < least_ok_as_eof;
}

std::size_t ReplyTracker::wanted(std::size_t size, std::string_view head) const {
  if (continued_ || size == 0) return 0;
  if (head.empty()) return 1;
  const auto first = first_of(head);
  switch (state_) {
    case State::first:
      if (first == reply_byte::error || first == reply_byte::local_infile) return 1;
      return first == reply_byte::ok ? ok_wanted(size, head) : std::min(size, longest_lenenc);
    case State::single:
      return first == reply_byte::ok || first == reply_byte::eof ? ok_wanted(size, head) : 1;
    case State::rows:
      return ends_rows(size, first) ? ok_wanted(size, head) : 1;
    case State::columns_end:
      return std::min(size, eof_size);
    case State::prepared:
      return std::min(size, prepared_ok_size);
    case State::idle:
    case State::columns:
    case State::text:
    case State::definitions:
    case State::tail:
      break;
  }
  return 1;
}

std::size_t ReplyTracker::ok_wanted(std::size_t size, std::string_view head) const {
  if (head.size() < std::min(size, ok_head)) return std::min(size, ok_head);
  if (!has(capability::session_track) || size > most_wanted) return std::min(size, ok_head);
  base::ByteCursor cursor(head);
  cursor.skip(1);
  cursor.lenenc();
  cursor.lenenc();
  const auto flags = cursor.u16();
  const bool changed = cursor.ok() && (flags & status::session_state_changed) != 0;
  return changed ? size : std::min(size, ok_head);
}

ReplyTracker::Progress ReplyTracker::packet(std::size_t size, std::string_view head) {
  const bool tail = continued_;
  continued_ = size == max_packet_payload;
  if (tail) return state_ == State::tail ? end() : Progress::under_way;
  switch (state_) {
    case State::idle:
      return on_goodbye(head);
    case State::first:
      return on_first(size, head);
    case State::columns:
      return on_column(head);
    case State::columns_end:
      return on_columns_end(head);
    case State::rows:
      return on_row(size, head);
    case State::single:
      return on_single(size, head);
    case State::text:
      return end();
    case State::prepared:
      return on_prepared(head);
    case State::definitions:
      return on_definition(head);
    case State::tail:
      break;
  }
  return Progress::bad_input;
}

ReplyTracker::Progress ReplyTracker::on_goodbye(std::string_view head) {
  return first_of(head) == reply_byte::error ? Progress::ended : Progress::bad_input;
}

ReplyTracker::Progress ReplyTracker::on_first(std::size_t size, std::string_view head) {
  if (size == 0) return Progress::bad_input;
  const auto first = first_of(head);
  if (first == reply_byte::error) return error_ended();
  if (first == reply_byte::local_infile)
    return has(capability::local_files) ? Progress::file_wanted : Progress::bad_input;
  if (first == reply_byte::ok) return read_ok(size, head);
  base::ByteCursor cursor(head);
  left_ = cursor.lenenc();
  if (!cursor.ok() || left_ == 0) return Progress::bad_input;
  state_ = State::columns;
  return Progress::under_way;
}

ReplyTracker::Progress ReplyTracker::on_column(std::string_view head) {
  if (first_of(head) == reply_byte::error) return error_ended();
  if (--left_ == 0) state_ = has(capability::deprecate_eof) ? State::rows : State::columns_end;
  return Progress::under_way;
}

ReplyTracker::Progress ReplyTracker::on_columns_end(std::string_view head) {
  if (first_of(head) == reply_byte::error) return error_ended();
  if (first_of(head) != reply_byte::eof) return Progress::bad_input;
  base::ByteCursor cursor(head);
  cursor.skip(1 + 2);
  const auto flags = cursor.u16();
  if (!cursor.ok()) return Progress::bad_input;
  status(flags);
  if ((flags & status::cursor_exists) != 0) return result_ended();
  state_ = State::rows;
  return Progress::under_way;
}

ReplyTracker::Progress ReplyTracker::on_row(std::size_t size, std::string_view head) {
  const auto first = first_of(head);
  if (size > 0 && first == reply_byte::error) return error_ended();
  if (size > 0 && ends_rows(size, first)) return ok_or_eof(size, head);
  return Progress::under_way;
}

ReplyTracker::Progress ReplyTracker::on_single(std::size_t size, std::string_view head) {
  if (size == 0) return Progress::bad_input;
  const auto first = first_of(head);
  if (first == reply_byte::error) return error_ended();
  if (first != reply_byte::ok && first != reply_byte::eof) return Progress::bad_input;
  return ok_or_eof(size, head);
}

ReplyTracker::Progress ReplyTracker::on_prepared(std::string_view head) {
  if (first_of(head) == reply_byte::error) return error_ended();
  base::ByteCursor cursor(head);
  if (cursor.u8() != reply_byte::ok) return Progress::bad_input;
  const auto id = cursor.u32();
  const auto columns = cursor.u16();
  const auto parameters = cursor.u16();
  if (!cursor.ok()) return Progress::bad_input;
  prepared_id_ = id;
  prepared_parameters_ = parameters;
  prepared_columns_ = columns;
  const auto with_end = [this](std::uint64_t count) {
    return count + (count > 0 && !has(capability::deprecate_eof) ? 1 : 0);
  };
  left_ = with_end(columns) + with_end(parameters);
  if (left_ == 0) return end();
  state_ = State::definitions;
  return Progress::under_way;
}

ReplyTracker::Progress ReplyTracker::on_definition(std::string_view head) {
  if (first_of(head) == reply_byte::error) return error_ended();
  return --left_ == 0 ? end() : Progress::under_way;
}

ReplyTracker::Progress ReplyTracker::ok_or_eof(std::size_t size, std::string_view head) {
  const auto longest_eof = has(capability::deprecate_eof) ? eof_size : least_ok_as_eof - 1;
  const bool eof = first_of(head) == reply_byte::eof && size <= longest_eof;
  return eof ? read_eof(head) : read_ok(size, head);
}

ReplyTracker::Progress ReplyTracker::read_eof(std::string_view head) {
  base::ByteCursor cursor(head);
  cursor.skip(1 + 2);
  const auto flags = cursor.u16();
  if (!cursor.ok()) return Progress::bad_input;
  status(flags);
  return result_ended();
}

ReplyTracker::Progress ReplyTracker::read_ok(std::size_t size, std::string_view head) {
  base::ByteCursor cursor(head);
  cursor.skip(1);
  cursor.lenenc();
  cursor.lenenc();
  const auto flags = cursor.u16();
  cursor.skip(2);
  if (!cursor.ok()) return Progress::bad_input;
  status(flags);
  if (has(capability::session_track) && (flags & status::session_state_changed) != 0) {
    if (head.size() < size) {
      session_state_lost_ = true;
    } else if (!cursor.at_end()) {
      cursor.lenenc_bytes();  // text for people
      session_state_ += cursor.lenenc_bytes();
      if (!cursor.ok()) return Progress::bad_input;
    }
  }
  return result_ended();
}

ReplyTracker::Progress ReplyTracker::result_ended() {
  if (!multiple_ || (status_ & status::more_results) == 0) return end();
  state_ = State::first;
  return Progress::under_way;
}

ReplyTracker::Progress ReplyTracker::error_ended() {
  failed_ = true;
  transaction_unknown_ = true;
  return end();
}

ReplyTracker::Progress ReplyTracker::end() {
  state_ = continued_ ? State::tail : State::idle;
  return continued_ ? Progress::under_way : Progress::ended;
}

}  // namespace reseal::wire

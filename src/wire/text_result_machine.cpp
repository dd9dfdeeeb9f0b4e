// SPDX-License-Identifier: Apache-2.0
#include "wire/text_result_machine.hpp"

#include "base/byte_cursor.hpp"
#include "wire/packet.hpp"
#include "wire/protocol.hpp"

namespace reseal::wire {
namespace {

constexpr std::uint64_t most_columns = 4096;  // MAX_FIELDS, sql/sql_const.h
constexpr std::uint16_t unsigned_flag = 32;   // UNSIGNED_FLAG, "Column Definition Flags"
constexpr std::uint8_t null_cell = 0xFB;      // "ProtocolText::ResultsetRow"

}  // namespace

using Progress = TextResultMachine::Progress;

bool TextResultMachine::no_eof() const { return (capabilities_ & capability::deprecate_eof) != 0; }

Progress TextResultMachine::feed(std::string_view payload) {
  size_ += payload.size();
  if (size_ > limit_) return fail("the result is larger than " + std::to_string(limit_) + " bytes");
  if (state_ == State::over) return fail("a message after the end of the result");
  if (is_error(payload)) return on_error(payload);
  switch (state_) {
    case State::first:
      return on_first(payload);
    case State::columns:
      return on_column(payload);
    case State::columns_end:
      return on_columns_end(payload);
    default:
      return on_row(payload);
  }
}

Progress TextResultMachine::on_first(std::string_view payload) {
  if (is_ok(payload)) {
    const auto reply = parse_ok(payload, capabilities_);
    return reply.ok() ? end(reply.value().status) : fail(reply.error());
  }
  base::ByteCursor cursor(payload);
  if (cursor.peek() == reply_byte::local_infile) return fail("the server asks for a file of this machine");
  column_count_ = cursor.lenenc();
  if (!cursor.ok() || !cursor.at_end() || column_count_ == 0 || column_count_ > most_columns)
    return fail("the number of columns is bad");
  state_ = State::columns;
  return Progress::more;
}

Progress TextResultMachine::on_column(std::string_view payload) {
  base::ByteCursor cursor(payload);
  for (int skipped = 0; skipped < 4; ++skipped) cursor.lenenc_bytes();  // catalog, schema, table, table's own name
  ResultColumn column;
  column.name = cursor.lenenc_bytes();
  cursor.lenenc_bytes();   // its own name
  cursor.skip(1 + 2 + 4);  // size of what follows, character set, length
  column.type = cursor.u8();
  column.is_unsigned = (cursor.u16() & unsigned_flag) != 0;
  columns_.push_back(std::move(column));
  if (!cursor.ok()) return fail("column definition: " + cursor.error());
  if (columns_.size() == column_count_) state_ = no_eof() ? State::rows : State::columns_end;
  return Progress::more;
}

Progress TextResultMachine::on_columns_end(std::string_view payload) {
  const auto reply = parse_eof(payload);
  if (!is_eof(payload) || !reply.ok()) return fail("the column definitions do not end");
  state_ = State::rows;
  return Progress::more;
}

Progress TextResultMachine::on_row(std::string_view payload) {
  // A row may start with 0xFE too: a first cell of 16 MiB and more, so in a message of at least that size.
  const bool ends = no_eof() ? !payload.empty() && static_cast<std::uint8_t>(payload.front()) == reply_byte::eof &&
                                   payload.size() < max_packet_payload
                             : is_eof(payload);
  if (ends) return on_end(payload);
  base::ByteCursor cursor(payload);
  std::vector<std::optional<std::string>> row;
  for (std::uint64_t i = 0; i < column_count_ && cursor.ok(); ++i) {
    if (cursor.peek() == null_cell) {
      cursor.skip(1);
      row.emplace_back();
    } else {
      row.emplace_back(cursor.lenenc_bytes());
    }
  }
  if (!cursor.ok()) return fail("row: " + cursor.error());
  if (!cursor.at_end()) return fail("row: bytes left over");
  rows_.push_back(std::move(row));
  return Progress::more;
}

Progress TextResultMachine::on_end(std::string_view payload) {
  if (no_eof()) {
    const auto reply = parse_ok(payload, capabilities_);
    return reply.ok() ? end(reply.value().status) : fail(reply.error());
  }
  const auto reply = parse_eof(payload);
  return reply.ok() ? end(reply.value().status) : fail(reply.error());
}

Progress TextResultMachine::end(std::uint16_t server_status) {
  if ((server_status & status::more_results) != 0) return fail("the server announces a second result");
  state_ = State::over;
  return Progress::done;
}

Progress TextResultMachine::on_error(std::string_view payload) {
  auto parsed = parse_error(payload);
  if (!parsed.ok()) return fail(parsed.error());
  server_error_ = std::move(parsed).value();
  state_ = State::over;
  return Progress::server_error;
}

Progress TextResultMachine::fail(std::string why) {
  state_ = State::over;
  error_ = std::move(why);
  return Progress::bad_input;
}

}  // namespace reseal::wire

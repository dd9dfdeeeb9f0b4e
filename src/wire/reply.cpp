// SPDX-License-Identifier: Apache-2.0
#include "wire/reply.hpp"

#include "base/byte_cursor.hpp"
#include "wire/protocol.hpp"

namespace reseal::wire {
namespace {

bool starts_with(std::string_view payload, std::uint8_t byte) noexcept {
  return !payload.empty() && static_cast<std::uint8_t>(payload.front()) == byte;
}

}  // namespace

bool is_ok(std::string_view payload) noexcept { return starts_with(payload, reply_byte::ok); }
bool is_error(std::string_view payload) noexcept { return starts_with(payload, reply_byte::error); }
bool is_eof(std::string_view payload) noexcept { return starts_with(payload, reply_byte::eof) && payload.size() < 9; }

base::Result<OkReply> parse_ok(std::string_view payload, std::uint32_t capabilities) {
  base::ByteCursor cursor(payload);
  const auto first = cursor.u8();
  if (first != reply_byte::ok && first != reply_byte::eof) cursor.fail("not an OK packet");
  OkReply reply;
  reply.affected_rows = cursor.lenenc();
  reply.last_insert_id = cursor.lenenc();
  reply.status = cursor.u16();
  reply.warnings = cursor.u16();
  if ((capabilities & capability::session_track) == 0) {
    reply.text = std::string(cursor.rest());
  } else if (!cursor.at_end()) {
    reply.text = std::string(cursor.lenenc_bytes());
    if ((reply.status & status::session_state_changed) != 0) reply.session_state = std::string(cursor.lenenc_bytes());
  }
  if (!cursor.ok()) return base::BadInput{"OK packet: " + cursor.error()};
  return reply;
}

base::Result<ErrorReply> parse_error(std::string_view payload) {
  base::ByteCursor cursor(payload);
  if (cursor.u8() != reply_byte::error) cursor.fail("not an ERR packet");
  ErrorReply reply;
  reply.code = cursor.u16();
  if (cursor.peek() == '#') {
    cursor.skip(1);
    reply.sql_state = std::string(cursor.bytes(5));
  }
  reply.text = std::string(cursor.rest());
  if (!cursor.ok()) return base::BadInput{"ERR packet: " + cursor.error()};
  return reply;
}

base::Result<EofReply> parse_eof(std::string_view payload) {
  base::ByteCursor cursor(payload);
  if (cursor.u8() != reply_byte::eof) cursor.fail("not an EOF packet");
  EofReply reply;
  reply.warnings = cursor.u16();
  reply.status = cursor.u16();
  if (!cursor.ok()) return base::BadInput{"EOF packet: " + cursor.error()};
  return reply;
}

}  // namespace reseal::wire

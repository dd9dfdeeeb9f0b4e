// SPDX-License-Identifier: Apache-2.0
#include "binlog/control_events.hpp"

#include "base/byte_cursor.hpp"

namespace reseal::binlog {
namespace {

using base::BadInput;
using base::ByteCursor;
using base::Result;

// FN_REFLEN of mysql-server include/my_io.h: no server has a longer file name.
constexpr std::size_t max_file_name = 512;

BadInput bad(std::string_view event, std::string_view why) {
  return BadInput{std::string(event) + " event: " + std::string(why)};
}

bool valid_file(std::string_view name) {
  return !name.empty() && name.size() <= max_file_name && name.find('\0') == std::string_view::npos;
}

}  // namespace

Result<Rotate> parse_rotate(std::string_view body) {
  ByteCursor cursor(body);
  Rotate rotate;
  rotate.offset = cursor.u64();
  rotate.file = std::string(cursor.rest());
  if (!cursor.ok()) return bad("ROTATE", cursor.error());
  if (!valid_file(rotate.file)) return bad("ROTATE", "bad file name");
  return rotate;
}

Result<XaPrepare> parse_xa_prepare(std::string_view body) {
  ByteCursor cursor(body);
  XaPrepare prepare;
  prepare.one_phase = cursor.u8() != 0;
  cursor.skip(4);  // format id
  const std::uint64_t gtrid = cursor.u32();
  const std::uint64_t bqual = cursor.u32();
  if (gtrid > 64 || bqual > 64) return bad("XA_PREPARE", "bad transaction id");
  cursor.skip(gtrid + bqual);
  if (!cursor.ok()) return bad("XA_PREPARE", cursor.error());
  return prepare;
}

Result<Heartbeat> parse_heartbeat(std::string_view body) {
  if (!valid_file(body)) return bad("HEARTBEAT", "bad file name");
  return Heartbeat{std::string(body), std::nullopt};
}

Result<Heartbeat> parse_heartbeat_v2(std::string_view body) {
  // Type-length-value (mysql-server libs/mysql/binlog/event/codecs/binary.cpp); unknown types are skipped there too.
  constexpr std::uint64_t end_mark = 0;
  constexpr std::uint64_t file_field = 1;
  constexpr std::uint64_t position_field = 2;
  ByteCursor cursor(body);
  Heartbeat heartbeat;
  while (cursor.ok()) {
    const auto type = cursor.lenenc();
    if (!cursor.ok() || type == end_mark) break;
    const auto value = cursor.lenenc_bytes();
    if (type == file_field) heartbeat.file = std::string(value);
    if (type == position_field) {
      ByteCursor number(value);
      heartbeat.offset = number.lenenc();
      if (!number.ok()) return bad("HEARTBEAT_V2", number.error());
    }
  }
  if (!cursor.ok()) return bad("HEARTBEAT_V2", cursor.error());
  if (!valid_file(heartbeat.file) || !heartbeat.offset) return bad("HEARTBEAT_V2", "no position");
  return heartbeat;
}

Result<std::uint64_t> parse_xid(std::string_view body) {
  ByteCursor cursor(body);
  const auto xid = cursor.u64();
  if (!cursor.ok() || !cursor.at_end()) return bad("XID", "is not 8 bytes long");
  return xid;
}

Result<sql::GtidSet> parse_previous_gtids(std::string_view body) { return sql::GtidSet::decode(body); }

}  // namespace reseal::binlog

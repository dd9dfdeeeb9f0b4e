// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.hpp"

namespace reseal::binlog {

/// One event as the server sent it. Everything decoded from it may hold views into it, and then shares its ownership.
using EventBytes = std::shared_ptr<const std::string>;

/// A success that carries nothing.
using Done = std::monostate;

/// mysql-server libs/mysql/binlog/event/binlog_event.h, enum Log_event_type.
enum class EventType : std::uint8_t {
  unknown = 0,
  start_v3 = 1,
  query = 2,
  stop = 3,
  rotate = 4,
  intvar = 5,
  slave = 7,
  append_block = 9,
  delete_file = 11,
  rand = 13,
  user_var = 14,
  format_description = 15,
  xid = 16,
  begin_load_query = 17,
  execute_load_query = 18,
  table_map = 19,
  write_rows_v1 = 23,
  update_rows_v1 = 24,
  delete_rows_v1 = 25,
  incident = 26,
  heartbeat = 27,
  ignorable = 28,
  rows_query = 29,
  write_rows = 30,
  update_rows = 31,
  delete_rows = 32,
  gtid = 33,
  anonymous_gtid = 34,
  previous_gtids = 35,
  transaction_context = 36,
  view_change = 37,
  xa_prepare = 38,
  partial_update_rows = 39,
  transaction_payload = 40,
  heartbeat_v2 = 41,
  gtid_tagged = 42
};

/// Name for messages: "TABLE_MAP", or "type 99".
std::string event_type_name(EventType type);

enum class ChecksumAlgorithm : std::uint8_t { none = 0, crc32 = 1 };

inline constexpr std::size_t event_header_size = 19;
inline constexpr std::size_t checksum_size = 4;

// Header flags (same file): made up by the sender, not in the log; may be ignored by a reader that does not know it.
inline constexpr std::uint16_t flag_binlog_in_use = 0x1;
inline constexpr std::uint16_t flag_artificial = 0x20;
inline constexpr std::uint16_t flag_ignorable = 0x80;

/// The 19 bytes in front of every event since binlog version 4.
struct EventHeader {
  std::uint32_t timestamp = 0;  ///< seconds since 1970, UTC
  EventType type = EventType::unknown;
  std::uint32_t server_id = 0;
  std::uint32_t event_size = 0;    ///< bytes, header and checksum included
  std::uint32_t log_position = 0;  ///< low 32 bits of the offset after this event; 0 in made-up events
  std::uint16_t flags = 0;

  bool artificial() const { return (flags & flag_artificial) != 0 || log_position == 0; }
};

base::Result<EventHeader> parse_event_header(std::string_view event);

/// The event's body: what stands between header and checksum. Checks the size in the header against the bytes and,
/// with crc32, the checksum.
base::Result<std::string_view> event_body(std::string_view event, const EventHeader& header,
                                          ChecksumAlgorithm algorithm);

/// CRC-32 of IEEE 802.3 (as zlib's crc32), which is what binlog_checksum=CRC32 means.
std::uint32_t crc32(std::string_view bytes, std::uint32_t seed = 0);

}  // namespace reseal::binlog

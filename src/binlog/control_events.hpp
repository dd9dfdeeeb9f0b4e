// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "binlog/event.hpp"
#include "sql/gtid_set.hpp"

namespace reseal::binlog {

// Each parser takes the body that `event_body` returned. Unknown or surplus content is an error unless the format says
// that readers skip it.

/// ROTATE: the next file and the offset in it.
struct Rotate {
  std::string file;
  std::uint64_t offset = 0;
};
base::Result<Rotate> parse_rotate(std::string_view body);

/// GTID, ANONYMOUS_GTID and GTID_TAGGED: what starts every transaction since 5.7.
struct GtidStart {
  std::optional<sql::Gtid> gtid;  ///< nothing for an anonymous transaction
  std::int64_t last_committed = 0;
  std::int64_t sequence_number = 0;
  std::uint64_t original_commit_us = 0;   ///< microseconds since 1970, 0 when the source does not say
  std::uint64_t immediate_commit_us = 0;  ///< microseconds since 1970, 0 when the source does not say
  std::uint64_t transaction_length = 0;   ///< bytes of all its events, 0 when the source does not say
};
base::Result<GtidStart> parse_gtid(std::string_view body, EventType type);
base::Result<GtidStart> parse_gtid_tagged(std::string_view body);

/// QUERY: a statement, or transaction control in statement form.
struct Query {
  std::string_view schema;  ///< views into the event
  std::string_view text;
  std::uint32_t thread_id = 0;
  std::uint16_t error_code = 0;
  std::optional<std::uint64_t> sql_mode;
  std::optional<std::uint16_t> character_set_client;  ///< collation numbers
  std::optional<std::uint16_t> collation_connection;
  std::optional<std::uint16_t> collation_server;
  std::optional<std::uint16_t> default_collation_for_utf8mb4;
  std::string_view time_zone;
  std::optional<bool> explicit_defaults_for_timestamp;
  std::optional<std::uint64_t> ddl_xid;
};
base::Result<Query> parse_query(std::string_view body);

/// XA_PREPARE: the end of an XA transaction's first phase, or a whole one with one_phase.
struct XaPrepare {
  bool one_phase = false;
};
base::Result<XaPrepare> parse_xa_prepare(std::string_view body);

/// HEARTBEAT and HEARTBEAT_V2: where the idle server stands. The old form knows only the low 32 bits.
struct Heartbeat {
  std::string file;
  std::optional<std::uint64_t> offset;  ///< 64 bits, only in the second form
};
base::Result<Heartbeat> parse_heartbeat(std::string_view body);
base::Result<Heartbeat> parse_heartbeat_v2(std::string_view body);

/// XID: an engine commit.
base::Result<std::uint64_t> parse_xid(std::string_view body);

/// PREVIOUS_GTIDS: what all earlier files hold.
base::Result<sql::GtidSet> parse_previous_gtids(std::string_view body);

}  // namespace reseal::binlog

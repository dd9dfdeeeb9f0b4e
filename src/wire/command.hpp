// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sql/gtid_set.hpp"

// Payloads of the commands a session sends; each is the first message of a new exchange (packet number 0).
namespace reseal::wire {

/// COM_QUERY, for a session that did not agree on query attributes.
std::string query_command(std::string_view statement);
std::string ping_command();
std::string quit_command();

/// COM_REGISTER_REPLICA: makes us show up in SHOW REPLICAS under `server_id`. Host, user and password stay empty: the
/// server only displays them (register_replica, sql/rpl_source.cc).
std::string register_replica_command(std::uint32_t server_id);

/// COM_BINLOG_DUMP. Without a flag the server waits for new events at the end of the log. The protocol has four bytes
/// for the position.
std::string binlog_dump_command(std::uint32_t server_id, std::string_view file, std::uint32_t position);

/// COM_BINLOG_DUMP_GTID: everything that is not in `done`, from the file that the server finds by itself.
std::string binlog_dump_gtid_command(std::uint32_t server_id, const sql::GtidSet& done);

}  // namespace reseal::wire

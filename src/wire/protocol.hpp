// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

// Numbers of the MySQL client/server protocol that this layer uses. Each group names the page of the "MySQL Source
// Code Documentation" (chapter "Client/Server Protocol") or the file of mysql-server that defines it.
namespace reseal::wire {

/// "Capabilities Flags" (group_cs_capabilities_flags, include/mysql_com.h).
namespace capability {
inline constexpr std::uint32_t long_password = 1U << 0;
inline constexpr std::uint32_t long_flag = 1U << 2;
inline constexpr std::uint32_t connect_with_db = 1U << 3;
inline constexpr std::uint32_t protocol_41 = 1U << 9;
inline constexpr std::uint32_t ssl = 1U << 11;
inline constexpr std::uint32_t transactions = 1U << 13;
inline constexpr std::uint32_t secure_connection = 1U << 15;  ///< named CLIENT_RESERVED2 from 8.0 on
inline constexpr std::uint32_t plugin_auth = 1U << 19;
inline constexpr std::uint32_t connect_attributes = 1U << 20;
inline constexpr std::uint32_t lenenc_auth_data = 1U << 21;  ///< CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA
inline constexpr std::uint32_t session_track = 1U << 23;
inline constexpr std::uint32_t deprecate_eof = 1U << 24;
// Never asked for by our own sessions: LOCAL_FILES (1 << 7) lets a server read this machine's files, and
// MULTI_STATEMENTS (1 << 16) turns one injected semicolon into a second statement.
}  // namespace capability

/// "SERVER_STATUS_flags_enum" (include/mysql_com.h).
namespace status {
inline constexpr std::uint16_t in_transaction = 0x0001;
inline constexpr std::uint16_t more_results = 0x0008;
inline constexpr std::uint16_t session_state_changed = 0x4000;
}  // namespace status

/// "Command Phase" (enum_server_command, include/my_command.h).
enum class Command : std::uint8_t {
  quit = 0x01,
  query = 0x03,
  ping = 0x0E,
  binlog_dump = 0x12,
  register_replica = 0x15,
  binlog_dump_gtid = 0x1E
};

/// First byte of a reply ("Generic Response Packets" and "Protocol::AuthSwitchRequest", "Protocol::AuthMoreData").
namespace reply_byte {
inline constexpr std::uint8_t ok = 0x00;
inline constexpr std::uint8_t auth_more_data = 0x01;
inline constexpr std::uint8_t local_infile = 0xFB;
inline constexpr std::uint8_t eof = 0xFE;  ///< also AuthSwitchRequest during login
inline constexpr std::uint8_t error = 0xFF;
}  // namespace reply_byte

/// utf8mb4_general_ci, known to every server from 5.5 on ("Character Set", sql/share/charsets/Index.xml).
inline constexpr std::uint8_t utf8mb4_general_ci = 45;

}  // namespace reseal::wire

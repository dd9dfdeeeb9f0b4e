// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

// Numbers of the MySQL client/server protocol that this layer uses. Each group names the page of the "MySQL Source
// Code Documentation" (chapter "Client/Server Protocol") or the file of mysql-server that defines it.
namespace reseal::wire {

/// "Capabilities Flags" (group_cs_capabilities_flags, include/mysql_com.h).
namespace capability {
inline constexpr std::uint32_t long_password = 1U << 0;
inline constexpr std::uint32_t found_rows = 1U << 1;
inline constexpr std::uint32_t long_flag = 1U << 2;
inline constexpr std::uint32_t connect_with_db = 1U << 3;
inline constexpr std::uint32_t no_schema = 1U << 4;
inline constexpr std::uint32_t compress = 1U << 5;
inline constexpr std::uint32_t odbc = 1U << 6;
inline constexpr std::uint32_t local_files = 1U << 7;
inline constexpr std::uint32_t ignore_space = 1U << 8;
inline constexpr std::uint32_t protocol_41 = 1U << 9;
inline constexpr std::uint32_t interactive = 1U << 10;
inline constexpr std::uint32_t ssl = 1U << 11;
inline constexpr std::uint32_t ignore_sigpipe = 1U << 12;
inline constexpr std::uint32_t transactions = 1U << 13;
inline constexpr std::uint32_t secure_connection = 1U << 15;  ///< named CLIENT_RESERVED2 from 8.0 on
inline constexpr std::uint32_t multi_statements = 1U << 16;
inline constexpr std::uint32_t multi_results = 1U << 17;
inline constexpr std::uint32_t ps_multi_results = 1U << 18;
inline constexpr std::uint32_t plugin_auth = 1U << 19;
inline constexpr std::uint32_t connect_attributes = 1U << 20;
inline constexpr std::uint32_t lenenc_auth_data = 1U << 21;   ///< CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA
inline constexpr std::uint32_t expired_passwords = 1U << 22;  ///< CLIENT_CAN_HANDLE_EXPIRED_PASSWORDS
inline constexpr std::uint32_t session_track = 1U << 23;
inline constexpr std::uint32_t deprecate_eof = 1U << 24;
inline constexpr std::uint32_t zstd_compression = 1U << 26;  ///< CLIENT_ZSTD_COMPRESSION_ALGORITHM
inline constexpr std::uint32_t query_attributes = 1U << 27;
inline constexpr std::uint32_t multi_factor = 1U << 28;
// Never asked for by our own sessions: `local_files` lets a server read this machine's files, and `multi_statements`
// turns one injected semicolon into a second statement. The proxy passes them on for its clients.
}  // namespace capability

/// "SERVER_STATUS_flags_enum" (include/mysql_com.h).
namespace status {
inline constexpr std::uint16_t in_transaction = 0x0001;
inline constexpr std::uint16_t autocommit = 0x0002;
inline constexpr std::uint16_t more_results = 0x0008;
inline constexpr std::uint16_t cursor_exists = 0x0040;
inline constexpr std::uint16_t last_row_sent = 0x0080;
inline constexpr std::uint16_t in_read_only_transaction = 0x2000;
inline constexpr std::uint16_t session_state_changed = 0x4000;
}  // namespace status

/// "Command Phase" (enum_server_command, include/my_command.h).
enum class Command : std::uint8_t {
  sleep = 0x00,
  quit = 0x01,
  init_db = 0x02,
  query = 0x03,
  field_list = 0x04,
  statistics = 0x09,
  process_info = 0x0A,
  ping = 0x0E,
  change_user = 0x11,
  binlog_dump = 0x12,
  table_dump = 0x13,
  register_replica = 0x15,
  stmt_prepare = 0x16,
  stmt_execute = 0x17,
  stmt_send_long_data = 0x18,
  stmt_close = 0x19,
  stmt_reset = 0x1A,
  set_option = 0x1B,
  stmt_fetch = 0x1C,
  binlog_dump_gtid = 0x1E,
  reset_connection = 0x1F,
  clone = 0x20,
  subscribe_group_replication = 0x21
};

/// First byte of a reply ("Generic Response Packets" and "Protocol::AuthSwitchRequest", "Protocol::AuthMoreData").
namespace reply_byte {
inline constexpr std::uint8_t ok = 0x00;
inline constexpr std::uint8_t auth_more_data = 0x01;
inline constexpr std::uint8_t auth_next_factor = 0x02;
inline constexpr std::uint8_t local_infile = 0xFB;
inline constexpr std::uint8_t eof = 0xFE;  ///< also AuthSwitchRequest during login
inline constexpr std::uint8_t error = 0xFF;
}  // namespace reply_byte

/// utf8mb4_general_ci, known to every server from 5.5 on ("Character Set", sql/share/charsets/Index.xml).
inline constexpr std::uint8_t utf8mb4_general_ci = 45;

}  // namespace reseal::wire

// SPDX-License-Identifier: Apache-2.0
#include "wire/command.hpp"

#include "wire/bytes.hpp"
#include "wire/protocol.hpp"

namespace reseal::wire {
namespace {

// "COM_BINLOG_DUMP_GTID", flags (MySQL Source Code Documentation; sql/rpl_constants.h). Both dump commands block at
// the end of the log as long as BINLOG_DUMP_NON_BLOCK (1) is not set and the server id is not 0.
constexpr std::uint16_t dump_no_flags = 0;
constexpr std::uint16_t dump_through_gtid = 0x04;
// Length of the magic number in front of the first event (BIN_LOG_HEADER_SIZE, sql/log_event.h).
constexpr std::uint64_t first_event = 4;

std::string start(Command command) { return std::string(1, static_cast<char>(command)); }

}  // namespace

std::string query_command(std::string_view statement) { return start(Command::query).append(statement); }
std::string ping_command() { return start(Command::ping); }
std::string quit_command() { return start(Command::quit); }

std::string register_replica_command(std::uint32_t server_id) {
  auto out = start(Command::register_replica);
  append_uint_le(out, server_id, 4);
  append_uint_le(out, 0, 3);  // empty host, user and password, a length byte each
  append_uint_le(out, 0, 2);  // port
  append_uint_le(out, 0, 4);  // replication rank, ignored
  append_uint_le(out, 0, 4);  // id of the source, filled in by the server
  return out;
}

std::string binlog_dump_command(std::uint32_t server_id, std::string_view file, std::uint32_t position) {
  auto out = start(Command::binlog_dump);
  append_uint_le(out, position, 4);
  append_uint_le(out, dump_no_flags, 2);
  append_uint_le(out, server_id, 4);
  return out.append(file);
}

std::string binlog_dump_gtid_command(std::uint32_t server_id, const sql::GtidSet& done) {
  auto out = start(Command::binlog_dump_gtid);
  append_uint_le(out, dump_through_gtid, 2);
  append_uint_le(out, server_id, 4);
  append_uint_le(out, 0, 4);  // length of the file name: the server looks for the file
  append_uint_le(out, first_event, 8);
  const auto encoded = done.encode();
  append_uint_le(out, encoded.size(), 4);
  return out.append(encoded);
}

}  // namespace reseal::wire

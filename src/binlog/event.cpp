// SPDX-License-Identifier: Apache-2.0
#include "binlog/event.hpp"

#include <array>

#include "base/byte_cursor.hpp"

namespace reseal::binlog {
namespace {

using base::BadInput;
using base::Result;

/// Eight tables, so that eight bytes go through at once: a dump stream is checksummed at wire speed.
using CrcTables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr CrcTables make_crc_tables() {
  CrcTables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1U) != 0 ? value >> 1 ^ 0xEDB88320U : value >> 1;
    tables[0][i] = value;
  }
  for (std::uint32_t i = 0; i < 256; ++i)
    for (std::size_t k = 1; k < 8; ++k) tables[k][i] = tables[k - 1][i] >> 8 ^ tables[0][tables[k - 1][i] & 0xFFU];
  return tables;
}

constexpr CrcTables crc_tables = make_crc_tables();

std::uint32_t word_at(const unsigned char* bytes) {
  return std::uint32_t{bytes[0]} | std::uint32_t{bytes[1]} << 8 | std::uint32_t{bytes[2]} << 16 |
         std::uint32_t{bytes[3]} << 24;
}

/// The server computes a FORMAT_DESCRIPTION's checksum as if the file were closed (mysql-server sql/log_event.cc,
/// Log_event_footer::event_checksum_test).
std::uint32_t event_crc(std::string_view event, const EventHeader& header) {
  constexpr std::size_t flags_offset = 17;
  const auto covered = event.substr(0, event.size() - checksum_size);
  if (header.type != EventType::format_description || (header.flags & flag_binlog_in_use) == 0) return crc32(covered);
  const char flags = static_cast<char>(header.flags & 0xFF & ~flag_binlog_in_use);
  auto sum = crc32(covered.substr(0, flags_offset));
  sum = crc32({&flags, 1}, sum);
  return crc32(covered.substr(flags_offset + 1), sum);
}

}  // namespace

std::uint32_t crc32(std::string_view bytes, std::uint32_t seed) {
  std::uint32_t crc = ~seed;
  const auto& t = crc_tables;
  while (bytes.size() >= 8) {
    std::array<unsigned char, 8> b{};
    for (std::size_t i = 0; i < 8; ++i) b[i] = static_cast<unsigned char>(bytes[i]);
    const auto low = crc ^ word_at(b.data());
    const auto high = word_at(b.data() + 4);
    crc = t[7][low & 0xFF] ^ t[6][low >> 8 & 0xFF] ^ t[5][low >> 16 & 0xFF] ^ t[4][low >> 24] ^ t[3][high & 0xFF] ^
          t[2][high >> 8 & 0xFF] ^ t[1][high >> 16 & 0xFF] ^ t[0][high >> 24];
    bytes.remove_prefix(8);
  }
  for (const char byte : bytes) crc = crc >> 8 ^ t[0][(crc ^ static_cast<unsigned char>(byte)) & 0xFF];
  return ~crc;
}

std::string event_type_name(EventType type) {
  switch (type) {
    case EventType::unknown:
      return "UNKNOWN";
    case EventType::start_v3:
      return "START_V3";
    case EventType::query:
      return "QUERY";
    case EventType::stop:
      return "STOP";
    case EventType::rotate:
      return "ROTATE";
    case EventType::intvar:
      return "INTVAR";
    case EventType::slave:
      return "SLAVE";
    case EventType::append_block:
      return "APPEND_BLOCK";
    case EventType::delete_file:
      return "DELETE_FILE";
    case EventType::rand:
      return "RAND";
    case EventType::user_var:
      return "USER_VAR";
    case EventType::format_description:
      return "FORMAT_DESCRIPTION";
    case EventType::xid:
      return "XID";
    case EventType::begin_load_query:
      return "BEGIN_LOAD_QUERY";
    case EventType::execute_load_query:
      return "EXECUTE_LOAD_QUERY";
    case EventType::table_map:
      return "TABLE_MAP";
    case EventType::write_rows_v1:
      return "WRITE_ROWS_V1";
    case EventType::update_rows_v1:
      return "UPDATE_ROWS_V1";
    case EventType::delete_rows_v1:
      return "DELETE_ROWS_V1";
    case EventType::incident:
      return "INCIDENT";
    case EventType::heartbeat:
      return "HEARTBEAT";
    case EventType::ignorable:
      return "IGNORABLE";
    case EventType::rows_query:
      return "ROWS_QUERY";
    case EventType::write_rows:
      return "WRITE_ROWS";
    case EventType::update_rows:
      return "UPDATE_ROWS";
    case EventType::delete_rows:
      return "DELETE_ROWS";
    case EventType::gtid:
      return "GTID";
    case EventType::anonymous_gtid:
      return "ANONYMOUS_GTID";
    case EventType::previous_gtids:
      return "PREVIOUS_GTIDS";
    case EventType::transaction_context:
      return "TRANSACTION_CONTEXT";
    case EventType::view_change:
      return "VIEW_CHANGE";
    case EventType::xa_prepare:
      return "XA_PREPARE";
    case EventType::partial_update_rows:
      return "PARTIAL_UPDATE_ROWS";
    case EventType::transaction_payload:
      return "TRANSACTION_PAYLOAD";
    case EventType::heartbeat_v2:
      return "HEARTBEAT_V2";
    case EventType::gtid_tagged:
      return "GTID_TAGGED";
  }
  return "type " + std::to_string(static_cast<unsigned>(type));
}

Result<EventHeader> parse_event_header(std::string_view event) {
  base::ByteCursor cursor(event);
  EventHeader header;
  header.timestamp = cursor.u32();
  header.type = static_cast<EventType>(cursor.u8());
  header.server_id = cursor.u32();
  header.event_size = cursor.u32();
  header.log_position = cursor.u32();
  header.flags = cursor.u16();
  if (!cursor.ok()) return BadInput{"event header: " + cursor.error()};
  if (header.event_size < event_header_size)
    return BadInput{event_type_name(header.type) + " event is smaller than its header"};
  return header;
}

Result<std::string_view> event_body(std::string_view event, const EventHeader& header, ChecksumAlgorithm algorithm) {
  const auto name = [&] { return event_type_name(header.type) + " event"; };
  if (event.size() != header.event_size)
    return BadInput{name() + " has " + std::to_string(event.size()) + " bytes, but its header says " +
                    std::to_string(header.event_size)};
  if (algorithm == ChecksumAlgorithm::none) return event.substr(event_header_size);
  if (event.size() < event_header_size + checksum_size) return BadInput{name() + " has no room for its checksum"};
  base::ByteCursor footer(event.substr(event.size() - checksum_size));
  if (footer.u32() != event_crc(event, header)) return BadInput{name() + " does not match its checksum"};
  return event.substr(event_header_size, event.size() - event_header_size - checksum_size);
}

}  // namespace reseal::binlog

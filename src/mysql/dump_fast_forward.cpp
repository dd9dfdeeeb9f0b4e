// SPDX-License-Identifier: Apache-2.0
#include "mysql/dump_fast_forward.hpp"

#include <string_view>

#include "base/byte_cursor.hpp"
#include "base/failure.hpp"

namespace reseal::mysql {
namespace {

using base::Failure;
using base::FailureKind;

// Event types and layout: mysql::binlog::event::Log_event_type, "Binlog Event Header" and "Format_description_event"
// (MySQL Source Code Documentation; libs/mysql/binlog/event/binlog_event.h, control_events.h).
enum EventType : std::uint8_t { rotate = 4, format_description = 15, heartbeat = 27, heartbeat_v2 = 41 };
constexpr std::size_t header_size = 19;
constexpr std::size_t end_offset = 13;
constexpr std::size_t rotate_position = header_size;
constexpr std::size_t created_offset = header_size + 2 + 50;
constexpr std::size_t checksum_size = 4;
constexpr std::uint16_t artificial = 0x20;  // LOG_EVENT_ARTIFICIAL_F

struct Header {
  std::uint8_t type = 0;
  std::uint32_t size = 0;
  std::uint32_t end = 0;  ///< the lower 32 bits of where the event ends in the file; 0 for one that is in no file
  std::uint16_t flags = 0;
};

Header header_of(std::string_view event) {
  base::ByteCursor cursor(event);
  cursor.skip(4);
  Header header;
  header.type = cursor.u8();
  cursor.skip(4);
  header.size = cursor.u32();
  header.end = cursor.u32();
  header.flags = cursor.u16();
  if (!cursor.ok() || header.size != event.size())
    throw Failure(FailureKind::unsupported, "an event of the binary log has a bad header");
  return header;
}

// CRC-32 of IEEE 802.3, as zlib's crc32. Bit by bit: it runs over two short events of a connection.
std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t state = 0xFFFFFFFFU;
  for (const auto byte : bytes) {
    state ^= static_cast<std::uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) state = state >> 1 ^ ((state & 1) != 0 ? 0xEDB88320U : 0U);
  }
  return ~state;
}

void write_le(std::string& event, std::size_t at, std::uint64_t value, unsigned width) {
  if (at + width > event.size()) throw Failure(FailureKind::unsupported, "an event of the binary log is too short");
  for (unsigned i = 0; i < width; ++i) event[at + i] = static_cast<char>(value >> (8 * i) & 0xFF);
}

}  // namespace

void DumpFastForward::change(std::string& event, std::size_t at, std::uint64_t value, unsigned width) const {
  write_le(event, at, value, width);
  if (!checksums_) return;
  const auto body = event.size() - checksum_size;
  write_le(event, body, crc32(std::string_view(event).substr(0, body)), checksum_size);
}

DumpFastForward::Verdict DumpFastForward::pass(std::string& event) {
  if (!under_way_) return Verdict::hand_on;
  const auto header = header_of(event);
  if (header.type == heartbeat || header.type == heartbeat_v2) return Verdict::drop;
  if (header.type == rotate && (header.flags & artificial) != 0) {
    if (named_file_) {  // the next file begins
      if (place_ != offset_) no_event_there();
      under_way_ = false;
      return Verdict::hand_on;
    }
    named_file_ = true;
    change(event, rotate_position, offset_, 8);
    return Verdict::hand_on;
  }
  if (place_ == offset_) {
    under_way_ = false;
    return Verdict::hand_on;
  }
  const bool first = place_ == 4;
  place_ += header.size;
  if (place_ > offset_ || header.end != static_cast<std::uint32_t>(place_)) no_event_there();
  if (!first || header.type != format_description) return Verdict::drop;
  change(event, end_offset, 0, 4);
  change(event, created_offset, 0, 4);
  return Verdict::hand_on;
}

void DumpFastForward::no_event_there() const {
  throw Failure(FailureKind::source, "no event of the binary log begins at offset " + std::to_string(offset_) +
                                         "; the position is not one of this file");
}

}  // namespace reseal::mysql

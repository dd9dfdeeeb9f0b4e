// SPDX-License-Identifier: Apache-2.0
#include "wire/command_scanner.hpp"

#include <algorithm>

#include "wire/packet.hpp"
#include "wire/packet_header.hpp"

namespace reseal::wire {

CommandScanner::Scanned CommandScanner::scan(std::string_view bytes) {
  Scanned scanned;
  while (scanned.found == Found::nothing) {
    if (left_ == 0) {
      scanned.found = enter(bytes.substr(scanned.pass), scanned);
      if (left_ == 0) return scanned;
    }
    const auto count = std::min(left_, bytes.size() - scanned.pass);
    scanned.pass += count;
    left_ -= count;
    if (left_ > 0) return scanned;
    scanned.found = end_packet();
  }
  return scanned;
}

CommandScanner::Found CommandScanner::enter(std::string_view rest, Scanned& scanned) {
  if (rest.size() < packet_header_size) return Found::nothing;
  const auto header = read_packet_header(rest);
  const bool first = stage_ == Stage::command;
  // Where a file stands, the server counts; it says so by itself.
  if (first || stage_ == Stage::continuation) {
    if (numbers_count_ && header.sequence != (first ? 0 : next_sequence_)) return Found::out_of_order;
    next_sequence_ = static_cast<std::uint8_t>(header.sequence + 1);
  }
  if (first && !accepted_) {
    if (header.size > 0 && rest.size() == packet_header_size) return Found::nothing;
    scanned.command = header.size == 0 ? Command::sleep : static_cast<Command>(rest[packet_header_size]);
    scanned.size = header.size;
    return Found::command;
  }
  accepted_ = false;
  packet_size_ = header.size;
  left_ = packet_header_size + header.size;
  return Found::nothing;
}

CommandScanner::Found CommandScanner::end_packet() {
  const bool more = packet_size_ == max_packet_payload;
  switch (stage_) {
    case Stage::command:
    case Stage::continuation:
      stage_ = more ? Stage::continuation : Stage::command;
      return more ? Found::nothing : Found::message_end;
    case Stage::file:
      if (packet_size_ == 0) {
        stage_ = Stage::command;
        return Found::file_end;
      }
      if (more) stage_ = Stage::file_continuation;
      break;
    case Stage::file_continuation:
      if (!more) stage_ = Stage::file;
      break;
  }
  return Found::nothing;
}

}  // namespace reseal::wire

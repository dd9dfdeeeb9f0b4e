// SPDX-License-Identifier: Apache-2.0
#include "wire/reply_scanner.hpp"

#include <algorithm>
#include <utility>

#include "wire/packet_header.hpp"

namespace reseal::wire {

using Progress = ReplyTracker::Progress;

ReplyScanner::Scanned ReplyScanner::scan(std::string_view bytes) {
  Scanned scanned;
  while (true) {
    const auto count = std::min(left_, bytes.size() - scanned.pass);
    scanned.pass += count;
    left_ -= count;
    if (left_ > 0) return scanned;
    if (at_end_ != Progress::under_way) {
      scanned.progress = std::exchange(at_end_, Progress::under_way);
      return scanned;
    }
    const auto rest = bytes.substr(scanned.pass);
    if (rest.size() < packet_header_size) return scanned;
    const auto header = read_packet_header(rest);
    const auto head = rest.substr(packet_header_size, header.size);
    if (head.size() < tracker_->wanted(header.size, head)) return scanned;
    const auto progress = tracker_->packet(header.size, head);
    if (progress == Progress::bad_input) {
      scanned.progress = progress;
      return scanned;
    }
    next_sequence_ = static_cast<std::uint8_t>(header.sequence + 1);
    at_end_ = progress;
    left_ = packet_header_size + header.size;
  }
}

}  // namespace reseal::wire

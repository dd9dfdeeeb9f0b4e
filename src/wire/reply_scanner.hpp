// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

#include "wire/reply_tracker.hpp"

namespace reseal::wire {

/// Finds the packets in a server's stream of bytes and shows them to a ReplyTracker. Holds no bytes: what it has not
/// passed has to be shown again, with more behind it.
class ReplyScanner {
 public:
  struct Scanned {
    std::size_t pass = 0;  ///< so many first bytes were looked at and may go on to the client
    ReplyTracker::Progress progress = ReplyTracker::Progress::under_way;
  };

  explicit ReplyScanner(ReplyTracker& tracker) noexcept : tracker_(&tracker) {}

  /// Stops behind the packet that makes a progress other than `under_way`; call again for what is left then. Bytes it
  /// does not pass are the beginning of a packet, never more than ReplyTracker::most_wanted + 4.
  Scanned scan(std::string_view bytes);

  /// True between two packets.
  bool between_packets() const noexcept { return left_ == 0; }
  /// The number that the next packet of this reply would carry.
  std::uint8_t next_sequence() const noexcept { return next_sequence_; }

 private:
  ReplyTracker* tracker_;
  std::size_t left_ = 0;  ///< bytes of the current packet that are still to pass
  std::uint8_t next_sequence_ = 0;
  ReplyTracker::Progress at_end_ = ReplyTracker::Progress::under_way;  ///< told when the current packet has passed
};

}  // namespace reseal::wire

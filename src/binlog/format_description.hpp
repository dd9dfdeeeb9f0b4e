// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/event.hpp"

namespace reseal::binlog {

/// FORMAT_DESCRIPTION_EVENT: how to read what follows it in this file.
struct FormatDescription {
  std::uint16_t binlog_version = 4;
  std::string server_version;
  std::vector<std::uint8_t> post_header_lengths;  ///< by event type, first is type 1
  ChecksumAlgorithm checksum = ChecksumAlgorithm::none;

  /// Bytes of fixed part of an event type, 0 for types this server does not know.
  std::uint8_t post_header_length(EventType type) const;
};

/// `event` is the whole event. Refuses servers before 5.6.1, which say nothing of checksums, and unknown algorithms.
base::Result<FormatDescription> parse_format_description(std::string_view event);

}  // namespace reseal::binlog

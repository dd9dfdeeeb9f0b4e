// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace reseal::wire {

/// "MySQL Packets": three bytes of length, little-endian, and a number.
inline constexpr std::size_t packet_header_size = 4;

struct PacketHeader {
  std::size_t size = 0;
  std::uint8_t sequence = 0;
};

/// `bytes` holds at least packet_header_size of them.
inline PacketHeader read_packet_header(std::string_view bytes) {
  const auto byte = [bytes](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  return {static_cast<std::size_t>(byte(0)) | static_cast<std::size_t>(byte(1)) << 8 |
              static_cast<std::size_t>(byte(2)) << 16,
          byte(3)};
}

}  // namespace reseal::wire

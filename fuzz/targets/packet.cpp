// SPDX-License-Identifier: Apache-2.0
// Packets to messages and back, as plain messages and as binlog events.
#include "fuzz/streams.hpp"
#include "fuzz/target.hpp"

namespace reseal::fuzz {

void run_target(std::string_view bytes) {
  static constexpr std::size_t limits[] = {0, 100, 80 * 1024, 1024 * 1024};
  Input input(bytes);
  const auto shape = input.flag() ? wire::MessageShape::binlog_event : wire::MessageShape::plain;
  const auto limit = limits[input.below(4)];
  const auto sequence = static_cast<std::uint8_t>(input.number(1));
  const Pieces pieces(input.number(2));
  check_packets(input.rest(), shape, limit, sequence, pieces);
}

std::vector<std::string> seeds() {
  std::vector<std::string> made;
  for (const char shape : {'\0', '\1'})
    for (const char limit : {'\1', '\2', '\3'})
      made.push_back(std::string({shape, limit, 0, 7, 7}) +
                     packets({"\x03SELECT 1", "", std::string(90, 'x'), std::string(300, 'y'), "end"}));
  // An event whose header tells a length of 2 GiB.
  made.push_back(std::string({1, 3, 0, 7, 7}) + "\xFF\xFF\xFF" + std::string(14, '\0') + std::string(200, '\x7F'));
  return made;
}

}  // namespace reseal::fuzz

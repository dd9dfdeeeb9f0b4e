// SPDX-License-Identifier: Apache-2.0
// Messages around 16 MiB, which are told as several packets. The fuzzer writes the sizes and the first bytes of
// packets, not all of their bytes.
#include "fuzz/server_says.hpp"
#include "fuzz/streams.hpp"
#include "fuzz/target.hpp"
#include "wire/bytes.hpp"

namespace reseal::fuzz {
namespace {

constexpr unsigned most_long_packets = 3;

// Packet by packet: what it begins with, and a choice of how long it is and whether its number is right.
std::string expand(Input& input) {
  std::string stream;
  unsigned number = 0;
  unsigned large = 0;
  while (!input.empty() && stream.size() < (most_long_packets + 1) * wire::max_packet_payload) {
    const auto choice = input.number(1);
    const auto head = input.text();
    if ((choice & 16) != 0) number = 0;
    if ((choice & 32) != 0) ++number;
    auto size = head.size();
    if ((choice & 3) == 1 && large++ < most_long_packets) size = wire::max_packet_payload;
    if ((choice & 3) == 2 && large++ < most_long_packets) size = wire::max_packet_payload - 1;
    wire::append_uint_le(stream, size, 3);
    wire::append_uint_le(stream, number++, 1);
    const auto body = stream.size();
    stream += head.substr(0, size);
    stream.resize(body + size, 'x');
  }
  return stream;
}

}  // namespace

void run_target(std::string_view bytes) {
  Input input(bytes);
  const auto kind = input.below(4);
  const Pieces pieces(input.number(2) | 1);
  const auto choice = input.number(1);
  const auto stream = expand(input);
  const auto view =
      std::string_view(stream).substr(0, stream.size() - std::min<std::size_t>(choice & 7, stream.size()));
  if (kind == 0) check_packets(view, wire::MessageShape::plain, wire::max_message, 0, pieces);
  if (kind == 1) check_packets(view, wire::MessageShape::binlog_event, std::size_t{64} << 20, 0, pieces);
  if (kind == 2) check_commands(view, static_cast<std::uint8_t>(choice >> 3), pieces);
  if (kind == 3)
    check_replies(view, capabilities_of(static_cast<unsigned>(choice >> 3)),
                  {wire::Command::query, wire::Command::stmt_fetch, wire::Command::statistics}, pieces);
}

std::vector<std::string> seeds() {
  std::vector<std::string> made;
  const auto packet = [](char choice, std::string_view head) { return std::string(1, choice) + text_choice(head); };
  for (const char kind : {'\0', '\1', '\2'}) {
    const auto head = std::string({kind, 7, 7, 0});
    made.push_back(head + packet(1, "\x03SELECT") + packet(0, "") + packet(16, "\x0E"));
    made.push_back(head + packet(1, "\x03SELECT") + packet(1, "more") + packet(0, "end") + packet(16, "\x0E"));
    made.push_back(head + packet(2, "\x03SELECT") + packet(16, "\x0E"));
    made.push_back(head + packet(1, "\x03SELECT") + packet(32, "not due"));
  }
  // A file with a packet of the full size; what follows it is no end of the file, although it is empty.
  made.push_back(std::string({2, 7, 7, 8}) + packet(0, "\x03LOAD") + packet(1, "file") + packet(0, "") + packet(0, "") +
                 packet(16, "\x0E"));
  // Rows that look like ends: a first value of 16 MiB begins with 0xFE.
  const ServerSays says(0);
  made.push_back(std::string({3, 7, 7, 0}) + packet(0, "\x01") + packet(0, says.column()) + packet(0, says.end()) +
                 packet(1, "\xFE\1\0\0\1") + packet(0, "\xFE\0\0\0\0") + packet(0, says.end()));
  made.push_back(std::string({3, 7, 7, 0}) + packet(1, says.error(1064)) + packet(0, "rest") + packet(0, says.end()));
  return made;
}

}  // namespace reseal::fuzz

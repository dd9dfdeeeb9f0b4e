// SPDX-License-Identifier: Apache-2.0
#include "wire/packet.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "wire/bytes.hpp"

namespace reseal::wire {
namespace {

std::string packets_of(std::string_view payload, std::uint8_t sequence = 0) {
  std::string out;
  append_packets(out, payload, sequence);
  return out;
}

// Hands over `bytes` in pieces of `piece`; returns what was not taken because a message is whole or bad.
std::string_view feed(PacketAssembler& assembler, std::string_view bytes, std::size_t piece) {
  while (!bytes.empty() && !assembler.whole() && !assembler.bad()) {
    const auto place = assembler.wanted();
    const auto count = std::min({place.size(), bytes.size(), piece});
    std::memcpy(place.data(), bytes.data(), count);
    assembler.arrived(count);
    bytes.remove_prefix(count);
  }
  return bytes;
}

// A message as a dump sends it: status, event header with its length at offset 9, and a body.
std::string event_message(std::size_t event_size) {
  std::string event(event_size, '\0');
  for (std::size_t i = 13; i < event.size(); ++i) event[i] = static_cast<char>(i * 31 >> 3);
  std::string length;
  append_uint_le(length, event_size, 4);
  if (event_size >= 13) event.replace(9, 4, length);
  return std::string(1, '\0') + event;
}

TEST(Packet, one_message_comes_back_whatever_the_pieces) {
  const auto bytes = packets_of("hello");
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    PacketAssembler assembler;
    EXPECT_TRUE(feed(assembler, bytes, piece).empty());
    ASSERT_TRUE(assembler.whole());
    EXPECT_EQ(assembler.sequence(), 1);
    const auto message = assembler.take();
    EXPECT_EQ(message.payload, "hello");
    EXPECT_FALSE(message.status.has_value());
    EXPECT_TRUE(assembler.idle());
  }
}

TEST(Packet, an_empty_message_is_a_message) {
  for (const auto shape : {MessageShape::plain, MessageShape::binlog_event}) {
    PacketAssembler assembler(shape);
    feed(assembler, packets_of(""), 4);
    ASSERT_TRUE(assembler.whole());
    const auto message = assembler.take();
    EXPECT_EQ(message.payload, "");
    EXPECT_FALSE(message.status.has_value());
  }
}

TEST(Packet, takes_nothing_of_the_next_message) {
  PacketAssembler assembler;
  const auto bytes = packets_of("one", 0) + packets_of("two", 1);
  const auto left = feed(assembler, bytes, 1000);
  EXPECT_EQ(assembler.take().payload, "one");
  feed(assembler, left, 1000);
  EXPECT_EQ(assembler.take().payload, "two");
}

TEST(Packet, splits_at_16_mib_and_puts_together_again) {
  for (const std::size_t size : {max_packet_payload - 1, max_packet_payload, max_packet_payload + 1,
                                 2 * max_packet_payload, 2 * max_packet_payload + 7}) {
    const auto payload = event_message(size - 1);
    ASSERT_EQ(payload.size(), size);
    const auto bytes = packets_of(payload, 254);
    EXPECT_EQ(bytes.size(), size + 4 * (size / max_packet_payload + 1));
    for (const auto shape : {MessageShape::plain, MessageShape::binlog_event}) {
      PacketAssembler assembler(shape);
      assembler.expect_sequence(254);
      EXPECT_TRUE(feed(assembler, bytes, 100'003).empty());
      ASSERT_TRUE(assembler.whole());
      const auto message = assembler.take();
      const bool apart = shape == MessageShape::binlog_event;
      EXPECT_EQ(message.status.has_value(), apart);
      EXPECT_TRUE(message.payload == (apart ? payload.substr(1) : payload));
    }
  }
}

TEST(Packet, an_event_of_many_packets_costs_one_buffer_of_its_size) {
  const std::size_t size = 60U << 20;
  PacketAssembler assembler(MessageShape::binlog_event);
  const auto bytes = packets_of(event_message(size));
  std::size_t moves = 0;
  const char* buffer = nullptr;
  std::string_view left = bytes;
  while (!assembler.whole()) {
    const auto place = assembler.wanted();
    const auto count = std::min(place.size(), left.size());
    std::memcpy(place.data(), left.data(), count);
    left.remove_prefix(count);
    if (place.size() > 4) {
      if (buffer != nullptr && place.data() < buffer) ++moves;
      if (buffer != nullptr && place.data() > buffer + size) ++moves;
      buffer = place.data();
    }
    assembler.arrived(count);
  }
  EXPECT_LE(moves, 1U);  // once, while the length was not known yet
  const auto message = assembler.take();
  EXPECT_EQ(message.payload.size(), size);
  EXPECT_LT(message.payload.capacity(), size + (1U << 20));
}

TEST(Packet, a_short_first_packet_of_an_event_is_taken_as_it_is) {
  PacketAssembler assembler(MessageShape::binlog_event);
  feed(assembler, packets_of(std::string("\xFE\x00\x00", 3)), 1);
  const auto message = assembler.take();
  EXPECT_EQ(message.status, 0xFE);
  EXPECT_EQ(message.payload, std::string("\x00\x00", 2));
}

TEST(Packet, sees_a_packet_out_of_order) {
  PacketAssembler assembler;
  feed(assembler, packets_of("hello", 3), 100);
  EXPECT_TRUE(assembler.bad());
  EXPECT_NE(assembler.error().find("out of order"), std::string::npos);
  EXPECT_TRUE(assembler.wanted().empty());
}

TEST(Packet, refuses_a_message_over_the_limit) {
  PacketAssembler assembler(MessageShape::plain, max_packet_payload + 10);
  feed(assembler, packets_of(std::string(max_packet_payload + 11, 'x')), 1U << 20);
  EXPECT_TRUE(assembler.bad());
}

TEST(Packet, an_event_length_that_lies_changes_nothing_but_the_room) {
  auto payload = event_message(max_packet_payload + 100);
  payload.replace(10, 4, "\x01\x00\x00\x00", 4);
  PacketAssembler assembler(MessageShape::binlog_event);
  feed(assembler, packets_of(payload), 1U << 20);
  ASSERT_TRUE(assembler.whole());
  EXPECT_TRUE(assembler.take().payload == payload.substr(1));
}

}  // namespace
}  // namespace reseal::wire

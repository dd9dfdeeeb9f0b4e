// SPDX-License-Identifier: Apache-2.0
#include "wire/packet.hpp"

#include <algorithm>
#include <utility>

#include "base/byte_cursor.hpp"
#include "base/failure.hpp"

namespace reseal::wire {
namespace {

// The buffer grows by this much ahead of the network, so that the zeros of `resize` stay in the processor's cache
// and an announced length that never comes is never paid for.
constexpr std::size_t stride = 256 * 1024;

// "Binlog Event Header": four bytes of length at offset 9 (MySQL Source Code Documentation).
constexpr std::size_t event_length_offset = 9;
constexpr std::size_t event_length_end = 13;

}  // namespace

void append_packets(std::string& out, std::string_view payload, std::uint8_t& sequence) {
  std::size_t size = 0;
  do {
    size = std::min(payload.size(), max_packet_payload);
    for (unsigned shift = 0; shift < 24; shift += 8) out += static_cast<char>(size >> shift & 0xFF);
    out += static_cast<char>(sequence++);
    out += payload.substr(0, size);
    payload.remove_prefix(size);
  } while (size == max_packet_payload);
}

std::span<char> PacketAssembler::wanted() {
  switch (stage_) {
    case Stage::header:
      return std::span(header_).subspan(header_size_);
    case Stage::status:
      return {&status_, 1};
    case Stage::body: {
      const auto size = std::min(left_, stride);
      if (payload_.size() < received_ + size) payload_.resize(received_ + size);
      return {payload_.data() + received_, size};
    }
    case Stage::whole:
    case Stage::bad:
      break;
  }
  return {};
}

void PacketAssembler::arrived(std::size_t count) {
  RESEAL_CHECK(count <= wanted().size());
  if (stage_ == Stage::header) {
    header_size_ += count;
    if (header_size_ == header_.size()) read_header();
  } else if (stage_ == Stage::status && count == 1) {
    has_status_ = true;
    --left_;
    enter_body();
  } else if (stage_ == Stage::body) {
    received_ += count;
    left_ -= count;
    reserve_event();
    end_packet_if_full();
  }
}

void PacketAssembler::read_header() {
  base::ByteCursor header(std::string_view(header_.data(), header_.size()));
  packet_size_ = left_ = header.uint_le(3);
  const auto sequence = header.u8();
  header_size_ = 0;
  if (sequence_counts_ && sequence != sequence_)
    return fail("packet out of order: number " + std::to_string(sequence) + " where " + std::to_string(sequence_) +
                " was due");
  sequence_ = static_cast<std::uint8_t>(sequence + 1);
  if (received_ + left_ > limit_) return fail("a message longer than " + std::to_string(limit_) + " bytes");
  if (shape_ == MessageShape::binlog_event && !continued_ && left_ > 0) {
    stage_ = Stage::status;
    return;
  }
  enter_body();
}

void PacketAssembler::enter_body() {
  stage_ = Stage::body;
  // The first of many packets of an event makes room when the event's own length has come.
  const bool length_to_come = shape_ == MessageShape::binlog_event && packet_size_ == max_packet_payload;
  if (!continued_ && !length_to_come) payload_.reserve(left_);
  end_packet_if_full();
}

void PacketAssembler::reserve_event() {
  if (shape_ != MessageShape::binlog_event || reserved_ || packet_size_ != max_packet_payload) return;
  if (received_ < event_length_end) return;
  base::ByteCursor event(std::string_view(payload_.data(), received_));
  event.skip(event_length_offset);
  payload_.reserve(std::min<std::size_t>(event.u32(), limit_));
  reserved_ = true;
}

void PacketAssembler::end_packet_if_full() {
  if (left_ > 0) return;
  continued_ = packet_size_ == max_packet_payload;
  stage_ = continued_ ? Stage::header : Stage::whole;
}

Message PacketAssembler::take() {
  RESEAL_CHECK(whole());
  payload_.resize(received_);
  Message message{std::exchange(payload_, {}), std::nullopt};
  if (has_status_) message.status = static_cast<std::uint8_t>(status_);
  stage_ = Stage::header;
  received_ = 0;
  has_status_ = reserved_ = false;
  return message;
}

void PacketAssembler::shape(MessageShape shape) {
  RESEAL_CHECK(idle());
  shape_ = shape;
}

void PacketAssembler::fail(std::string why) {
  stage_ = Stage::bad;
  error_ = std::move(why);
  payload_ = {};
}

}  // namespace reseal::wire

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace reseal::wire {

/// A payload of this many bytes is followed by a further packet of the same message, an empty one if need be
/// (MySQL Source Code Documentation, "MySQL Packets": "Sending More Than 16Mb").
inline constexpr std::size_t max_packet_payload = 0xFFFFFF;

/// What no message of a server may exceed: the largest max_allowed_packet (MAX_MAX_ALLOWED_PACKET, sql/sys_vars.h,
/// 1 GiB) and room for what the server puts around an event.
inline constexpr std::size_t max_message = (std::size_t{1} << 30) + (std::size_t{1} << 20);

/// Appends `payload` to `out` as one packet or more. `sequence` numbers the first and is left one past the last.
void append_packets(std::string& out, std::string_view payload, std::uint8_t& sequence);

/// How a message is laid out in memory once it is whole.
enum class MessageShape {
  plain,        ///< the payload as it came
  binlog_event  ///< the status byte apart, and room made at once for the length that the event header gives
};

struct Message {
  std::string payload;
  std::optional<std::uint8_t> status;  ///< only for MessageShape::binlog_event; nothing when the message was empty
};

/// Puts packets together to messages, without I/O: it says where the next bytes belong, and the caller reads them
/// from the network straight into that place. A message costs one buffer of its own size; a length that is only
/// announced costs nothing. Input is hostile: the first bad byte sticks and is told by `error`.
class PacketAssembler {
 public:
  explicit PacketAssembler(MessageShape shape = MessageShape::plain, std::size_t limit = max_message)
      : shape_(shape), limit_(limit) {}

  /// Where the next bytes belong, at least one. Empty when a message is whole or the input is bad. Valid until the
  /// next call of any other member.
  std::span<char> wanted();
  /// The first `count` bytes of `wanted()` have been filled.
  void arrived(std::size_t count);

  bool whole() const noexcept { return stage_ == Stage::whole; }
  bool bad() const noexcept { return stage_ == Stage::bad; }
  const std::string& error() const noexcept { return error_; }
  /// True while nothing of a next message has arrived.
  bool idle() const noexcept { return stage_ == Stage::header && header_size_ == 0 && !continued_; }

  /// The whole message; the assembler then waits for the next.
  Message take();

  /// The shape of the next message; only between messages.
  void shape(MessageShape shape);
  /// The number the next packet must carry; the answer to it is sent with this number too.
  std::uint8_t sequence() const noexcept { return sequence_; }
  void expect_sequence(std::uint8_t sequence) noexcept { sequence_ = sequence; }
  /// From now on packets may carry any numbers, as those within compressed ones may.
  void ignore_sequence() noexcept { sequence_counts_ = false; }

 private:
  enum class Stage { header, status, body, whole, bad };
  void read_header();
  void enter_body();
  void end_packet_if_full();
  void reserve_event();
  void fail(std::string why);

  MessageShape shape_;
  std::size_t limit_;
  Stage stage_ = Stage::header;
  std::array<char, 4> header_{};
  std::size_t header_size_ = 0;
  std::size_t packet_size_ = 0;  ///< payload bytes of the current packet
  std::size_t left_ = 0;         ///< of these, still to come
  bool continued_ = false;       ///< a packet of this message is complete and another follows
  bool reserved_ = false;
  std::size_t received_ = 0;  ///< bytes of the message in `payload_`; behind them is room only
  std::uint8_t sequence_ = 0;
  bool sequence_counts_ = true;
  char status_ = 0;
  bool has_status_ = false;
  std::string payload_;
  std::string error_;
};

}  // namespace reseal::wire

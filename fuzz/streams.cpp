// SPDX-License-Identifier: Apache-2.0
#include "fuzz/streams.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/failure.hpp"
#include "fuzz/memory_meter.hpp"
#include "wire/command_scanner.hpp"
#include "wire/packet_header.hpp"
#include "wire/reply.hpp"
#include "wire/reply_scanner.hpp"

namespace reseal::fuzz {
namespace {

using wire::packet_header_size;

// --- messages
// ----------------------------------------------------------------------------------------------------------

// Grows by strides of 256 KiB, and while it grows the old place is there too.
constexpr std::size_t room_of_assembler = 1024 * 1024;
// A message of no byte takes four of the stream, and here an entry of a vector that grows.
constexpr std::size_t memory_per_byte = 40;

struct Assembled {
  std::vector<wire::Message> messages;
  std::size_t used = 0;  ///< bytes up to the end of the last whole message
  bool bad = false;
  bool idle = false;
  std::uint8_t sequence = 0;
};

Assembled assemble(std::string_view stream, wire::PacketAssembler& assembler, Pieces pieces) {
  Assembled done;
  std::size_t at = 0;
  while (!assembler.bad()) {
    const auto place = assembler.wanted();
    RESEAL_CHECK(place.empty() == (assembler.whole() || assembler.bad()));
    if (assembler.whole()) {
      done.messages.push_back(assembler.take());
      done.used = at;
      continue;
    }
    if (at == stream.size()) break;
    const auto count = std::min({place.size(), stream.size() - at, pieces.next()});
    std::memcpy(place.data(), stream.data() + at, count);
    at += count;
    assembler.arrived(count);
  }
  done.bad = assembler.bad();
  done.idle = assembler.idle();
  done.sequence = assembler.sequence();
  return done;
}

bool same(const Assembled& one, const Assembled& other) {
  return one.used == other.used && one.bad == other.bad && one.idle == other.idle && one.sequence == other.sequence &&
         std::equal(one.messages.begin(), one.messages.end(), other.messages.begin(), other.messages.end(),
                    [](const auto& a, const auto& b) { return a.payload == b.payload && a.status == b.status; });
}

// --- commands
// ----------------------------------------------------------------------------------------------------------

using Found = wire::CommandScanner::Found;

struct Told {
  Found found = Found::nothing;
  std::size_t at = 0;  ///< bytes that had passed
  wire::Command command = wire::Command::sleep;
  std::size_t size = 0;
  std::uint8_t reply_sequence = 0;
  bool operator==(const Told&) const = default;
};

bool file_follows(std::uint8_t files, std::size_t command) { return (files >> command % 8 & 1U) != 0; }

std::vector<Told> scan_commands(std::string_view stream, std::uint8_t files, Pieces pieces) {
  wire::CommandScanner scanner;
  std::vector<Told> told;
  std::size_t shown = 0;
  std::size_t passed = 0;
  std::size_t number = 0;
  const auto show_more = [&] { shown += std::min(stream.size() - shown, pieces.next()); };
  while (true) {
    const auto scanned = scanner.scan(stream.substr(passed, shown - passed));
    RESEAL_CHECK(scanned.pass <= shown - passed);
    passed += scanned.pass;
    switch (scanned.found) {
      case Found::nothing:
        RESEAL_CHECK(shown - passed <= packet_header_size);
        if (shown == stream.size()) return told;
        show_more();
        continue;
      case Found::command:
        RESEAL_CHECK(scanner.between_commands());
        told.push_back({scanned.found, passed, scanned.command, scanned.size, 0});
        while (pieces.flag()) {  // it has to wait
          show_more();
          const auto again = scanner.scan(stream.substr(passed, shown - passed));
          RESEAL_CHECK(again.found == Found::command && again.pass == 0 && again.command == scanned.command &&
                       again.size == scanned.size);
        }
        scanner.accept();
        break;
      case Found::message_end:
        told.push_back({scanned.found, passed, wire::Command::sleep, 0, scanner.reply_sequence()});
        if (file_follows(files, number++)) scanner.begin_file();
        break;
      case Found::file_end:
        told.push_back({scanned.found, passed, wire::Command::sleep, 0, 0});
        break;
      case Found::out_of_order:
        told.push_back({scanned.found, passed, wire::Command::sleep, 0, 0});
        return told;
    }
  }
}

// The same by another way: whole messages, as a server reads them.
class ReadingServer {
 public:
  ReadingServer(std::string_view stream, std::uint8_t files) : stream_(stream), files_(files) {}

  std::vector<Told> read() {
    for (std::size_t number = 0; read_command(); ++number)
      if (file_follows(files_, number) && !read_file()) break;
    return std::move(told_);
  }

 private:
  bool read_command() {
    wire::PacketAssembler assembler(wire::MessageShape::plain, SIZE_MAX);
    const auto rest = stream_.substr(at_);
    if (rest.size() < packet_header_size) return false;
    const auto header = wire::read_packet_header(rest);
    if (header.sequence != 0) return out_of_order();
    if (header.size > 0 && rest.size() == packet_header_size) return false;
    const auto command = header.size == 0 ? wire::Command::sleep : static_cast<wire::Command>(rest[packet_header_size]);
    told_.push_back({Found::command, at_, command, header.size, 0});
    while (!assembler.whole() && !assembler.bad() && at_ < stream_.size()) {
      const auto place = assembler.wanted();
      const auto count = std::min(place.size(), stream_.size() - at_);
      std::memcpy(place.data(), stream_.data() + at_, count);
      at_ += count;
      assembler.arrived(count);
    }
    if (assembler.bad()) {
      at_ -= packet_header_size;  // the scanner does not let such a header pass
      return out_of_order();
    }
    if (!assembler.whole()) return false;
    told_.push_back({Found::message_end, at_, wire::Command::sleep, 0, assembler.sequence()});
    return true;
  }

  // Messages, whatever their numbers are, up to an empty one.
  bool read_file() {
    bool continued = false;
    while (stream_.size() - at_ >= packet_header_size) {
      const auto size = wire::read_packet_header(stream_.substr(at_)).size;
      if (stream_.size() - at_ - packet_header_size < size) return false;
      at_ += packet_header_size + size;
      if (size == 0 && !continued) {
        told_.push_back({Found::file_end, at_, wire::Command::sleep, 0, 0});
        return true;
      }
      continued = size == wire::max_packet_payload;
    }
    return false;
  }

  bool out_of_order() {
    told_.push_back({Found::out_of_order, at_, wire::Command::sleep, 0, 0});
    return false;
  }

  std::string_view stream_;
  std::uint8_t files_;
  std::size_t at_ = 0;
  std::vector<Told> told_;
};

// --- replies
// -----------------------------------------------------------------------------------------------------------

using Progress = wire::ReplyTracker::Progress;

struct Ended {
  Progress progress = Progress::under_way;
  std::size_t at = 0;
  std::uint16_t status = 0;
  bool failed = false;
  bool transaction_unknown = false;
  std::uint32_t prepared_id = 0;
  std::string session_state;
  bool session_state_lost = false;
  std::uint8_t next_sequence = 0;
  bool operator==(const Ended&) const = default;
};

std::vector<Ended> scan_replies(std::string_view stream, std::uint32_t capabilities,
                                const std::vector<wire::Command>& commands, Pieces pieces) {
  wire::ReplyTracker tracker(capabilities);
  wire::ReplyScanner scanner(tracker);
  std::vector<Ended> ended;
  std::size_t shown = 0;
  std::size_t passed = 0;
  std::size_t number = 0;
  while (true) {
    if (!tracker.under_way() && scanner.between_packets() && !commands.empty())
      tracker.begin(commands[number++ % commands.size()]);
    const auto scanned = scanner.scan(stream.substr(passed, shown - passed));
    RESEAL_CHECK(scanned.pass <= shown - passed);
    passed += scanned.pass;
    if (scanned.progress == Progress::under_way) {
      RESEAL_CHECK(shown - passed <= packet_header_size + wire::ReplyTracker::most_wanted);
      if (shown == stream.size()) return ended;
      shown += std::min(stream.size() - shown, pieces.next());
      continue;
    }
    ended.push_back({scanned.progress, passed, tracker.status(), tracker.failed(), tracker.transaction_unknown(),
                     tracker.prepared_id(), tracker.session_state(), tracker.session_state_lost(),
                     scanner.next_sequence()});
    if (scanned.progress == Progress::bad_input) return ended;
    RESEAL_CHECK(scanner.between_packets());
    RESEAL_CHECK(scanned.progress != Progress::ended || !tracker.under_way());
  }
}

// Every end must be one of a whole message.
void check_ends(std::string_view stream, const std::vector<Ended>& ended) {
  std::size_t at = 0;
  for (const auto& end : ended) {
    bool more = false;
    while (at < end.at) {
      const auto size = wire::read_packet_header(stream.substr(at)).size;
      at += packet_header_size + size;
      more = size == wire::max_packet_payload;
    }
    if (end.progress == Progress::ended) RESEAL_CHECK(at == end.at && !more);
  }
}

}  // namespace

void check_packets(std::string_view stream, wire::MessageShape shape, std::size_t limit, std::uint8_t sequence,
                   Pieces pieces) {
  const auto run = [&](Pieces in) {
    wire::PacketAssembler assembler(shape, limit);
    assembler.expect_sequence(sequence);
    const MemoryMeter memory;
    auto done = assemble(stream, assembler, in);
    RESEAL_CHECK(memory.most() <= limit + memory_per_byte * stream.size() + room_of_assembler);
    return done;
  };
  const auto whole = run(Pieces::whole());
  RESEAL_CHECK(same(whole, run(pieces)));
  std::string again;
  auto number = sequence;
  for (const auto& message : whole.messages) {
    RESEAL_CHECK(message.payload.size() <= limit);
    const bool event = shape == wire::MessageShape::binlog_event;
    RESEAL_CHECK(event ? message.status.has_value() || message.payload.empty() : !message.status.has_value());
    std::string payload;
    if (message.status) payload += static_cast<char>(*message.status);
    wire::append_packets(again, payload + message.payload, number);
  }
  RESEAL_CHECK(again == stream.substr(0, whole.used));
}

void check_commands(std::string_view stream, std::uint8_t files, Pieces pieces) {
  const auto whole = scan_commands(stream, files, Pieces::whole());
  RESEAL_CHECK(whole == scan_commands(stream, files, pieces));
  RESEAL_CHECK(whole == ReadingServer(stream, files).read());
}

void check_replies(std::string_view stream, std::uint32_t capabilities, const std::vector<wire::Command>& commands,
                   Pieces pieces) {
  const auto whole = scan_replies(stream, capabilities, commands, Pieces::whole());
  RESEAL_CHECK(whole == scan_replies(stream, capabilities, commands, pieces));
  check_ends(stream, whole);
}

std::string packets(const std::vector<std::string>& messages, std::uint8_t sequence) {
  std::string out;
  for (const auto& message : messages) wire::append_packets(out, message, sequence);
  return out;
}

}  // namespace reseal::fuzz

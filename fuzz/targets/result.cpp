// SPDX-License-Identifier: Apache-2.0
// Two readers of the same answer to a COM_QUERY: what TextResultMachine calls a whole result must end the reply for
// ReplyTracker too, in the same packet and with the same status. And the packets that end a reply, there and back.
#include "base/failure.hpp"
#include "fuzz/memory_meter.hpp"
#include "fuzz/server_says.hpp"
#include "fuzz/target.hpp"
#include "wire/reply.hpp"
#include "wire/reply_tracker.hpp"
#include "wire/text_result_machine.hpp"

namespace reseal::fuzz {
namespace {

using Result = wire::TextResultMachine::Progress;
using Reply = wire::ReplyTracker::Progress;

// A cell takes a byte at least, and here an optional<string> of a vector that grows; a name of a column likewise.
constexpr std::size_t memory_per_byte = 160;
constexpr std::size_t memory_at_least = 4096;

Reply track(wire::ReplyTracker& tracker, std::string_view payload) {
  std::size_t shown = 0;
  for (auto wanted = tracker.wanted(payload.size(), payload.substr(0, shown)); wanted > shown;
       wanted = tracker.wanted(payload.size(), payload.substr(0, shown))) {
    RESEAL_CHECK(wanted <= payload.size() && wanted <= wire::ReplyTracker::most_wanted);
    shown = wanted;
  }
  return tracker.packet(payload.size(), payload.substr(0, shown));
}

void read_result(Input input, std::uint32_t capabilities) {
  wire::TextResultMachine machine(capabilities, 64 * 1024);
  wire::ReplyTracker tracker(capabilities);
  tracker.begin(wire::Command::query);
  while (!input.empty()) {
    const auto payload = input.text();
    const auto read = machine.feed(payload);
    if (read == Result::bad_input) {
      RESEAL_CHECK(!machine.error().empty());
      RESEAL_CHECK(machine.feed(payload) == Result::bad_input);
      return;
    }
    const auto tracked = track(tracker, payload);
    // A cursor is opened by COM_STMT_EXECUTE only, and has no rows in its reply.
    if ((tracker.status() & wire::status::cursor_exists) != 0) return;
    RESEAL_CHECK(tracked == (read == Result::more ? Reply::under_way : Reply::ended));
    if (read == Result::more) continue;
    RESEAL_CHECK(tracker.failed() == (read == Result::server_error));
    for (const auto& row : machine.rows()) RESEAL_CHECK(row.size() == machine.columns().size());
    return;
  }
}

void read_endings(std::string_view payload, std::uint32_t capabilities) {
  if (const auto ok = wire::parse_ok(payload, capabilities); ok.ok())
    RESEAL_CHECK(ok.value().text.size() + ok.value().session_state.size() <= payload.size());
  if (const auto error = wire::parse_error(payload); error.ok()) {
    const auto& read = error.value();
    // Without a state, a text that begins with # would look like one.
    if (!read.sql_state.empty() || !read.text.starts_with('#'))
      RESEAL_CHECK(wire::error_payload(read.code, read.sql_state, read.text) == payload);
  }
  if (const auto eof = wire::parse_eof(payload); eof.ok()) RESEAL_CHECK(payload.size() >= 5);
}

}  // namespace

void run_target(std::string_view bytes) {
  Input input(bytes);
  const auto capabilities = capability_choice(input);
  const MemoryMeter memory;
  read_endings(Input(input).text(), capabilities);
  read_result(input, capabilities);
  RESEAL_CHECK(memory.most() <= memory_at_least + memory_per_byte * bytes.size());
}

std::vector<std::string> seeds() {
  std::vector<std::string> made;
  for (unsigned choice = 0; choice < 4; ++choice) {
    const ServerSays says(capabilities_of(choice));
    for (const auto& messages : {says.result(0), says.result(4), says.two_results(), ServerSays::Messages{says.ok()},
                                 ServerSays::Messages{says.ok_with_state()}, ServerSays::Messages{says.error(1064)},
                                 ServerSays::Messages{"\x01", says.column(), says.error(1317)}}) {
      made.emplace_back(1, static_cast<char>(choice));
      for (const auto& message : messages) made.back() += text_choice(message);
    }
  }
  return made;
}

}  // namespace reseal::fuzz

// SPDX-License-Identifier: Apache-2.0
// Compressed transactions: the fuzzer's bytes as a whole TRANSACTION_PAYLOAD, and as what one holds.
#include "binlog/payload.hpp"

#include <zstd.h>

#include "base/failure.hpp"
#include "binlog/events_for_tests.hpp"
#include "fuzz/input.hpp"
#include "fuzz/memory_meter.hpp"
#include "fuzz/target.hpp"
#include "wire/bytes.hpp"

namespace reseal::fuzz {
namespace {

constexpr binlog::PayloadLimits limits{256 * 1024, 40'000};
// One event, while its buffer grows, and the step in which it does.
constexpr std::size_t most_memory = 4 * 1024 * 1024;

void field(std::string& out, std::uint64_t type, std::uint64_t value) {
  std::string number;
  wire::append_lenenc(number, value);
  wire::append_lenenc(out, type);
  wire::append_lenenc_bytes(out, number);
}

std::string wrapped(std::string_view content, bool compress) {
  std::string packed(content);
  if (compress) {
    packed.resize(ZSTD_compressBound(content.size()));
    packed.resize(ZSTD_compress(packed.data(), packed.size(), content.data(), content.size(), 1));
  }
  std::string body;
  field(body, 2, compress ? 0 : 255);
  field(body, 3, content.size());
  field(body, 1, packed.size());
  wire::append_lenenc(body, 0);
  return body + packed;
}

/// The events that were read, one after the other; nothing when the payload is bad.
std::optional<std::string> read(std::string_view body) {
  const MemoryMeter memory;
  auto reader = binlog::PayloadReader::make(body, limits);
  if (!reader.ok()) return std::nullopt;
  std::string all;
  while (true) {
    const auto event = reader.value().next();
    RESEAL_CHECK(memory.most() <= most_memory + 3 * all.capacity());
    if (!event.ok()) return std::nullopt;
    if (!event.value()) return all;
    const auto& bytes = **event.value();
    RESEAL_CHECK(bytes.size() >= binlog::event_header_size && bytes.size() <= limits.max_event_bytes);
    RESEAL_CHECK(binlog::parse_event_header(bytes).value().event_size == bytes.size());
    if (all.size() < limits.max_event_bytes) all += bytes;
  }
}

}  // namespace

void run_target(std::string_view bytes) {
  Input input(bytes);
  const auto kind = input.below(3);
  const auto content = input.rest();
  if (kind == 0) {
    static_cast<void>(read(content));
    return;
  }
  const auto one = read(wrapped(content, true));
  RESEAL_CHECK(one == read(wrapped(content, false)));
  if (one && content.size() < limits.max_event_bytes) RESEAL_CHECK(*one == content);
}

std::vector<std::string> seeds() {
  std::vector<std::string> made;
  std::string events;
  for (const auto& event : binlog::captured_without_checksums()) {
    const auto header = binlog::parse_event_header(*event).value();
    if (header.type == binlog::EventType::transaction_payload) {
      made.push_back(std::string(1, '\0') +
                     std::string(binlog::event_body(*event, header, binlog::ChecksumAlgorithm::none).value()));
      continue;
    }
    if (events.size() < 2000) events += *event;
  }
  RESEAL_CHECK(!made.empty());
  made.push_back(std::string(1, '\0') + wrapped(events, true));
  made.push_back(std::string(1, '\0') + wrapped(events, false));
  made.push_back("\1" + events);
  return made;
}

}  // namespace reseal::fuzz

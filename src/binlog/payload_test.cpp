// SPDX-License-Identifier: Apache-2.0
#include "binlog/payload.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include "binlog/events_for_tests.hpp"

namespace reseal::binlog {
namespace {

using testing::HasSubstr;

std::string compressed(std::string_view plain) {
  std::string out(ZSTD_compressBound(plain.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), plain.data(), plain.size(), 3));
  return out;
}

std::string number(std::uint64_t value) { return "\xFE" + little_endian(value, 8); }

/// The event's body: `declared` is the plain size in its header.
std::string body(std::uint64_t compression, const std::string& content, std::uint64_t declared) {
  return unhex("02 09") + number(compression) + unhex("03 09") + number(declared) + unhex("01 09") +
         number(content.size()) + std::string(1, '\0') + content;
}

/// The number of events, or why not.
std::string read_all(const std::string& bytes, PayloadLimits limits = {}) {
  auto reader = PayloadReader::make(bytes, limits);
  if (!reader.ok()) return reader.error();
  for (int count = 0;; ++count) {
    const auto next = reader.value().next();
    if (!next.ok()) return next.error();
    if (!next.value()) return std::to_string(count);
  }
}

std::string plain_events(std::size_t count, std::size_t size) {
  std::string plain;
  for (std::size_t i = 0; i < count; ++i) plain += *make_event(EventType::rows_query, std::string(size, 'x'));
  return plain;
}

TEST(payload, reads_events_one_by_one) {
  const auto plain = plain_events(3, 5000000);
  EXPECT_EQ(read_all(body(0, compressed(plain), plain.size())), "3");
  EXPECT_EQ(read_all(body(255, plain, plain.size())), "3");
  EXPECT_EQ(read_all(body(255, "", 0)), "0");
}

TEST(payload, refuses_unknown_compression_and_bad_headers) {
  EXPECT_THAT(read_all(body(7, "x", 1)), HasSubstr("unknown compression type 7"));
  EXPECT_THAT(read_all(""), HasSubstr("ends early"));
  EXPECT_THAT(read_all(std::string(1, '\0')), HasSubstr("bad header"));
  EXPECT_THAT(read_all(body(0, "x", 1) + "more"), HasSubstr("bad header"));
  EXPECT_THAT(read_all(body(0, "rubbish", 7)), HasSubstr("zstd"));
}

TEST(payload, refuses_content_that_does_not_fit_its_header) {
  const auto plain = plain_events(2, 100);
  EXPECT_THAT(read_all(body(0, compressed(plain), plain.size() - 1)), HasSubstr("longer than its header says"));
  EXPECT_THAT(read_all(body(0, compressed(plain), plain.size() + 1)), HasSubstr("shorter than its header says"));
  const auto half = plain.substr(0, plain.size() - 1);
  EXPECT_THAT(read_all(body(0, compressed(half), half.size())), HasSubstr("ends inside an event"));
  const auto frame = compressed(plain);
  EXPECT_THAT(read_all(body(0, frame.substr(0, frame.size() - 1), plain.size())), HasSubstr("event:"));
}

TEST(payload, refuses_events_over_the_limit_before_reading_them) {
  const auto plain = plain_events(1, 1000);
  EXPECT_THAT(read_all(body(0, compressed(plain), plain.size()), {.max_event_bytes = 500}),
              HasSubstr("over the limit"));
}

TEST(payload, takes_memory_as_content_comes_and_not_on_the_senders_word) {
  auto plain = plain_events(1, 100);
  plain.replace(9, 4, little_endian(0x7FFFFFFF, 4));
  EXPECT_THAT(read_all(body(0, compressed(plain), plain.size())), HasSubstr("ends inside an event"));
}

TEST(payload, refuses_growth_beyond_the_ratio) {
  const auto plain = plain_events(1, 50000000);
  EXPECT_EQ(read_all(body(0, compressed(plain), plain.size())), "1");
  EXPECT_THAT(read_all(body(0, compressed(plain), plain.size()), {.max_ratio = 100}), HasSubstr("grows more"));
}

}  // namespace
}  // namespace reseal::binlog

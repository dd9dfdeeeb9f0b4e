// SPDX-License-Identifier: Apache-2.0
#include "mysql/dump_fast_forward.hpp"

#include <gtest/gtest.h>

#include "base/byte_cursor.hpp"
#include "base/failure.hpp"
#include "wire/bytes.hpp"

namespace reseal::mysql {
namespace {

using Verdict = DumpFastForward::Verdict;

constexpr std::uint64_t far = 5ULL << 30;

// An event of `size` bytes that ends at `end` of its file.
std::string event_of(std::uint8_t type, std::uint32_t size, std::uint64_t end, std::uint16_t flags = 0) {
  std::string event;
  wire::append_uint_le(event, 1, 4);
  wire::append_uint_le(event, type, 1);
  wire::append_uint_le(event, 7, 4);
  wire::append_uint_le(event, size, 4);
  wire::append_uint_le(event, end & 0xFFFFFFFF, 4);
  wire::append_uint_le(event, flags, 2);
  event.append(size - event.size(), 'b');
  return event;
}

std::string artificial_rotate() { return event_of(4, 40, 0, 0x20); }
std::string format_description() { return event_of(15, 122, 126); }

// A dump of one file that holds events of 1 GiB: their bodies are left out of the test, only sizes count.
class Dump {
 public:
  explicit Dump(std::uint64_t offset) : forward_(offset, false) {}
  Verdict pass(std::string event) {
    const auto verdict = forward_.pass(event);
    last_ = event;
    return verdict;
  }
  const std::string& last() const { return last_; }
  const DumpFastForward& forward() const { return forward_; }

 private:
  DumpFastForward forward_;
  std::string last_;
};

TEST(DumpFastForward, hands_on_the_front_and_drops_what_lies_before_the_offset) {
  Dump dump(126 + 1000 + 500);
  EXPECT_EQ(dump.pass(artificial_rotate()), Verdict::hand_on);
  base::ByteCursor rotate(dump.last());
  rotate.skip(19);
  EXPECT_EQ(rotate.u64(), 1626U);
  EXPECT_EQ(dump.pass(format_description()), Verdict::hand_on);
  base::ByteCursor description(dump.last());
  description.skip(13);
  EXPECT_EQ(description.u32(), 0U);
  description.skip(71 - 17);
  EXPECT_EQ(description.u32(), 0U);
  EXPECT_EQ(dump.pass(event_of(33, 1000, 1126)), Verdict::drop);
  EXPECT_EQ(dump.pass(event_of(27, 40, 1126)), Verdict::drop);  // a heartbeat meanwhile
  EXPECT_EQ(dump.pass(event_of(16, 500, 1626)), Verdict::drop);
  EXPECT_TRUE(dump.forward().under_way());
  const auto event = event_of(33, 80, 1706);
  EXPECT_EQ(dump.pass(event), Verdict::hand_on);
  EXPECT_EQ(dump.last(), event);
  EXPECT_FALSE(dump.forward().under_way());
}

TEST(DumpFastForward, an_offset_at_the_end_of_the_file_begins_with_the_next) {
  Dump dump(126);
  dump.pass(artificial_rotate());
  dump.pass(format_description());
  EXPECT_EQ(dump.pass(artificial_rotate()), Verdict::hand_on);
  EXPECT_EQ(dump.last(), artificial_rotate());
  EXPECT_FALSE(dump.forward().under_way());
}

TEST(DumpFastForward, counts_past_four_gib_where_the_header_wraps) {
  const std::uint64_t step = 3U << 20;
  const auto steps = (far - 126) / step;
  const auto offset = 126 + steps * step;
  ASSERT_GT(offset, 1ULL << 32);
  Dump dump(offset);
  dump.pass(artificial_rotate());
  dump.pass(format_description());
  auto event = event_of(30, step, 0);
  for (std::uint64_t end = 126 + step; end <= offset; end += step) {
    std::string low;
    wire::append_uint_le(low, end, 4);
    event.replace(13, 4, low);
    ASSERT_EQ(dump.pass(event), Verdict::drop) << end;
  }
  EXPECT_EQ(dump.pass(event_of(33, 80, offset + 80)), Verdict::hand_on);
}

TEST(DumpFastForward, sees_an_offset_inside_an_event_and_behind_the_file) {
  Dump inside(1000);
  inside.pass(artificial_rotate());
  inside.pass(format_description());
  EXPECT_THROW(inside.pass(event_of(33, 1000, 1126)), base::Failure);
  Dump behind(5000);
  behind.pass(artificial_rotate());
  behind.pass(format_description());
  EXPECT_THROW(behind.pass(artificial_rotate()), base::Failure);
}

TEST(DumpFastForward, sees_a_count_that_disagrees_with_the_header) {
  Dump dump(5000);
  dump.pass(artificial_rotate());
  dump.pass(format_description());
  EXPECT_THROW(dump.pass(event_of(33, 1000, 1127)), base::Failure);
}

TEST(DumpFastForward, refuses_an_event_that_is_too_short) {
  for (std::size_t size = 0; size < 40; ++size) {
    Dump dump(5000);
    EXPECT_THROW(dump.pass(artificial_rotate().substr(0, size)), base::Failure);
  }
}

}  // namespace
}  // namespace reseal::mysql

// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "base/bounded_queue.hpp"
#include "base/byte_cursor.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "base/stop_point.hpp"
#include "base/task_group.hpp"

namespace reseal::base {
namespace {

using namespace std::string_view_literals;

TEST(byte_cursor, reads_little_and_big_endian_numbers) {
  ByteCursor cursor("\x01\x02\x03\xFE\xFF\xFF\x01\x00"sv);
  EXPECT_EQ(cursor.u8(), 1);
  EXPECT_EQ(cursor.u16(), 0x0302);
  EXPECT_EQ(cursor.int_le(3), -2);
  EXPECT_EQ(cursor.uint_be(2), 0x0100U);
  EXPECT_TRUE(cursor.ok());
  EXPECT_TRUE(cursor.at_end());
}

TEST(byte_cursor, first_error_sticks_and_later_reads_are_empty) {
  ByteCursor cursor("\x05"sv);
  EXPECT_EQ(cursor.u32(), 0U);
  EXPECT_FALSE(cursor.ok());
  EXPECT_EQ(cursor.u8(), 0);
  EXPECT_EQ(cursor.rest(), ""sv);
  EXPECT_EQ(cursor.error(), "input ends early at byte 0");
}

TEST(byte_cursor, refuses_a_length_that_would_wrap) {
  ByteCursor cursor("\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFxx"sv);
  EXPECT_EQ(cursor.lenenc_bytes(), ""sv);
  EXPECT_FALSE(cursor.ok());
}

TEST(bounded_queue, lets_one_heavy_item_in_and_holds_the_next) {
  BoundedQueue<int> queue(10);
  std::stop_source stop;
  EXPECT_TRUE(queue.push(1, 100, stop.get_token()));
  stop.request_stop();
  EXPECT_FALSE(queue.push(2, 1, stop.get_token()));
  EXPECT_EQ(queue.try_pop(), 1);
  EXPECT_EQ(queue.try_pop(), std::nullopt);
}

TEST(bounded_queue, closing_ends_the_wait_of_a_reader) {
  BoundedQueue<int> queue(10);
  std::jthread closer([&] { queue.close(); });
  EXPECT_EQ(queue.pop({}), std::nullopt);
}

TEST(task_group, first_failure_stops_the_others_and_is_thrown_by_join) {
  TaskGroup group;
  BoundedQueue<int> never(1);
  group.start([&](std::stop_token stop) { never.pop(stop); });
  group.start([](std::stop_token) { throw Failure(FailureKind::local, "disk full"); });
  EXPECT_THROW(group.join(), Failure);
}

TEST(failure, context_is_added_in_front_and_the_kind_is_kept) {
  const auto failure = Failure(FailureKind::target, "duplicate entry", 1062).within("chunk 7 of shop.orders");
  EXPECT_STREQ(failure.what(), "chunk 7 of shop.orders: duplicate entry");
  EXPECT_EQ(failure.kind(), FailureKind::target);
  EXPECT_EQ(failure.server_errno(), 1062U);
}

TEST(log, control_characters_cannot_forge_a_line) { EXPECT_EQ(printable("a\nb\x7F"), "a\\x0ab\\x7f"); }

TEST(stop_point, stands_still_where_it_is_named_and_only_once) {
  const auto child = ::fork();
  if (child == 0) {
    ::setenv("RESEAL_STOP_AT", "other:before,decide:after", 1);
    stop_point("decide", Edge::before);
    stop_point("decide", Edge::after);
    stop_point("decide", Edge::after);
    ::_exit(7);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
  ASSERT_TRUE(WIFSTOPPED(status)) << status;
  ASSERT_EQ(::kill(child, SIGCONT), 0);
  ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
}

}  // namespace
}  // namespace reseal::base

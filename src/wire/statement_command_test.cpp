// SPDX-License-Identifier: Apache-2.0
#include "wire/statement_command.hpp"

#include <gtest/gtest.h>

namespace reseal::wire {
namespace {

using namespace std::string_literals;

constexpr std::uint32_t no_attributes = capability::protocol_41;
constexpr std::uint32_t attributes = capability::protocol_41 | capability::query_attributes;

// Everything before the number of parameters: command, id 7, flags, one time.
std::string execute(char flags) { return "\x17\7\0\0\0"s + flags + "\1\0\0\0"s; }

TEST(ExecuteHeadTest, without_parameters_there_is_nothing_more) {
  ExecuteHead head;
  EXPECT_EQ(read_execute_head(execute(0), 0, no_attributes, head), HeadRead::whole);
  EXPECT_EQ(head.types_flag_at, 0U);
  EXPECT_EQ(read_execute_head(execute(8) + "\0"s, 0, attributes, head), HeadRead::whole);
  EXPECT_EQ(head.parameters, 0U);
}

TEST(ExecuteHeadTest, types_that_are_sent) {
  ExecuteHead head;
  const auto sent = execute(0) + "\0\1\3\0\xfd\0"s;
  EXPECT_EQ(read_execute_head(sent + "values", 2, no_attributes, head), HeadRead::whole);
  EXPECT_EQ(head.types_flag_at, 11U);
  EXPECT_TRUE(head.types_sent);
  EXPECT_EQ(head.types, "\3\0\xfd\0"s);
  for (std::size_t size = 0; size < sent.size(); ++size)
    EXPECT_EQ(read_execute_head(sent.substr(0, size), 2, no_attributes, head), HeadRead::cut_off) << size;
}

TEST(ExecuteHeadTest, types_that_are_not_sent_again) {
  ExecuteHead head;
  EXPECT_EQ(read_execute_head(execute(0) + "\0\0\3\0"s, 9, no_attributes, head), HeadRead::whole);
  EXPECT_FALSE(head.types_sent);
  EXPECT_EQ(head.types_flag_at, 12U);
  EXPECT_EQ(head.types, "");
}

TEST(ExecuteHeadTest, names_of_query_attributes_belong_to_the_types) {
  ExecuteHead head;
  const auto sent = execute(8) + "\2\0\1"s + "\3\0\0"s + "\xfd\0\1n"s;
  EXPECT_EQ(read_execute_head(sent + "values", 1, attributes, head), HeadRead::whole);
  EXPECT_EQ(head.parameters, 2U);
  EXPECT_EQ(head.types, "\3\0\0\xfd\0\1n"s);
  for (std::size_t size = 0; size < sent.size(); ++size)
    EXPECT_EQ(read_execute_head(sent.substr(0, size), 1, attributes, head), HeadRead::cut_off) << size;
}

TEST(ExecuteHeadTest, what_can_be_read_in_two_ways_is_not_read) {
  ExecuteHead head;
  EXPECT_EQ(read_execute_head(execute(0) + "\0\1\3\0"s, 1, attributes, head), HeadRead::no_meaning);
  EXPECT_EQ(read_execute_head(execute(8) + "\1\0\1\3\0\0"s, 2, attributes, head), HeadRead::no_meaning);
  EXPECT_EQ(read_execute_head(execute(8) + "\xfe\xff\xff\xff\xff\xff\xff\xff\xff"s, 2, attributes, head),
            HeadRead::no_meaning);
}

TEST(SchemaChangesTest, counts_them_and_keeps_the_last) {
  const auto nothing = schema_changes("");
  ASSERT_TRUE(nothing);
  EXPECT_EQ(nothing->count, 0U);
  const auto two = schema_changes("\1\5\4shop"s + "\0\4\1a\1b"s + "\1\2\1x"s);
  ASSERT_TRUE(two);
  EXPECT_EQ(two->count, 2U);
  EXPECT_EQ(two->last, "x");
  EXPECT_FALSE(schema_changes("\1\5\4sho"s));
  EXPECT_FALSE(schema_changes("\1\2\4s"s));
}

}  // namespace
}  // namespace reseal::wire

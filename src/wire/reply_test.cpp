// SPDX-License-Identifier: Apache-2.0
#include "wire/reply.hpp"

#include <gtest/gtest.h>

#include "wire/command.hpp"
#include "wire/server_messages_for_tests.hpp"
#include "wire/text_result_machine.hpp"

namespace reseal::wire {
namespace {

using Progress = TextResultMachine::Progress;

std::string eof_message(std::uint16_t server_status = 2) {
  std::string out("\xFE");
  append_uint_le(out, 0, 2);
  append_uint_le(out, server_status, 2);
  return out;
}

std::string column_message(std::string_view name) {
  std::string out;
  for (const auto part : {std::string_view("def"), std::string_view(), std::string_view(), std::string_view(), name})
    append_lenenc_bytes(out, part);
  // Its own name, the size of what follows, character set, length, VAR_STRING, UNSIGNED, decimals, filler.
  return out.append(std::string_view("\0\x0C\xFF\0\1\0\0\0\xFD\x20\0\0\0\0", 14));
}

std::string row_message(std::string_view first) {
  std::string out;
  append_lenenc_bytes(out, first);
  return out + "\xFB";
}

Progress feed_all(TextResultMachine& machine, const std::vector<std::string>& messages) {
  auto progress = Progress::more;
  for (const auto& message : messages) progress = machine.feed(message);
  return progress;
}

TEST(Reply, reads_ok_error_and_eof) {
  const auto ok = parse_ok(std::string("\0\xFC\x2C\x01\x05\x02\0\x03\0done", 13), 0);
  ASSERT_TRUE(ok.ok()) << ok.error();
  EXPECT_EQ(ok.value().affected_rows, 300U);
  EXPECT_EQ(ok.value().last_insert_id, 5U);
  EXPECT_EQ(ok.value().warnings, 3U);
  EXPECT_EQ(ok.value().text, "done");
  const auto error = parse_error(error_message(1236, "purged"));
  ASSERT_TRUE(error.ok());
  EXPECT_EQ(error.value().code, 1236);
  EXPECT_EQ(error.value().sql_state, "28000");
  EXPECT_EQ(error.value().text, "purged");
  EXPECT_EQ(parse_eof(eof_message(8)).value().status, 8);
}

TEST(Reply, reads_the_session_state_of_an_ok) {
  std::string message(3, '\0');
  append_uint_le(message, status::session_state_changed, 2);
  append_uint_le(message, 0, 2);
  append_lenenc_bytes(message, "text");
  append_lenenc_bytes(message, "state");
  const auto ok = parse_ok(message, capability::session_track);
  ASSERT_TRUE(ok.ok());
  EXPECT_EQ(ok.value().text, "text");
  EXPECT_EQ(ok.value().session_state, "state");
  for (std::size_t size = 0; size < message.size(); ++size)
    EXPECT_EQ(parse_ok(message.substr(0, size), capability::session_track).ok(), size == 7) << size;  // 7: no text
}

TEST(Reply, no_prefix_does_harm) {
  const std::string whole = error_message(1045, "");
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(parse_error(whole.substr(0, size)).ok(), size == 3) << size;  // 3: an error without a state
  for (std::size_t size = 0; size < 5; ++size) EXPECT_FALSE(parse_eof(eof_message().substr(0, size)).ok()) << size;
  for (std::size_t size = 0; size < 7; ++size) EXPECT_FALSE(parse_ok(ok_message().substr(0, size), 0).ok()) << size;
}

TEST(TextResult, reads_rows_with_nulls) {
  TextResultMachine machine(0);
  const auto progress = feed_all(machine, {"\x02", column_message("a"), column_message("b"), eof_message(),
                                           row_message("x"), row_message(""), eof_message()});
  ASSERT_EQ(progress, Progress::done) << machine.error();
  ASSERT_EQ(machine.columns().size(), 2U);
  EXPECT_EQ(machine.columns()[1].name, "b");
  EXPECT_EQ(machine.columns()[1].type, 253);
  EXPECT_TRUE(machine.columns()[1].is_unsigned);
  ASSERT_EQ(machine.rows().size(), 2U);
  EXPECT_EQ(machine.rows()[0][0], "x");
  EXPECT_EQ(machine.rows()[1][0], "");
  EXPECT_FALSE(machine.rows()[0][1].has_value());
}

TEST(TextResult, reads_a_result_without_eof_packets) {
  TextResultMachine machine(capability::deprecate_eof);
  auto end = ok_message();
  end[0] = '\xFE';
  EXPECT_EQ(feed_all(machine, {"\x02", column_message("a"), column_message("b"), row_message("x"), end}),
            Progress::done);
  EXPECT_EQ(machine.rows().size(), 1U);
}

TEST(TextResult, a_statement_without_rows_is_done_at_once) {
  TextResultMachine machine(0);
  EXPECT_EQ(machine.feed(ok_message()), Progress::done);
  EXPECT_EQ(machine.feed(ok_message()), Progress::bad_input);
}

TEST(TextResult, keeps_the_servers_error_also_between_rows) {
  TextResultMachine machine(0);
  const auto progress =
      feed_all(machine, {"\x01", column_message("a"), eof_message(), error_message(1317, "interrupted")});
  EXPECT_EQ(progress, Progress::server_error);
  EXPECT_EQ(machine.server_error().code, 1317);
}

TEST(TextResult, refuses_a_request_for_a_file) {
  TextResultMachine machine(0);
  EXPECT_EQ(machine.feed("\xFB/etc/passwd"), Progress::bad_input);
  EXPECT_NE(machine.error().find("file"), std::string::npos);
}

TEST(TextResult, refuses_a_second_result_and_too_large_a_result) {
  TextResultMachine twice(0);
  EXPECT_EQ(twice.feed(ok_message(status::more_results)), Progress::bad_input);
  TextResultMachine large(0, 20);
  EXPECT_EQ(feed_all(large, {"\x02", std::string(20, 'x')}), Progress::bad_input);
}

TEST(TextResult, no_prefix_of_a_message_does_harm) {
  const auto column = column_message("a");
  for (std::size_t size = 0; size + 6 < column.size(); ++size) {
    TextResultMachine machine(0);
    machine.feed("\x01");
    EXPECT_EQ(machine.feed(column.substr(0, size)), Progress::bad_input) << size;
  }
  for (const auto& row : {std::string(), std::string("\x01"), std::string("\xFC"), std::string("\x01x\x05y"),
                          row_message("x") + "z", std::string(9, '\xFF')}) {
    TextResultMachine machine(0);
    feed_all(machine, {"\x02", column_message("a"), column_message("b"), eof_message()});
    EXPECT_NE(machine.feed(row), Progress::more);
  }
}

TEST(Command, dump_commands_have_the_documented_layout) {
  EXPECT_EQ(binlog_dump_command(0x01020304, "binlog.000007", 157),
            std::string("\x12\x9D\0\0\0\0\0\x04\x03\x02\x01", 11) + "binlog.000007");
  const auto done = sql::GtidSet::parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5").value();
  const auto command = binlog_dump_gtid_command(7, done);
  EXPECT_EQ(command.substr(0, 23), std::string("\x1E\x04\0\x07\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0\x30\0\0\0", 23));
  EXPECT_EQ(sql::GtidSet::decode(command.substr(23)).value(), done);
  EXPECT_EQ(register_replica_command(7).size(), 18U);
  EXPECT_EQ(query_command("SELECT 1"), "\x03SELECT 1");
}

}  // namespace
}  // namespace reseal::wire

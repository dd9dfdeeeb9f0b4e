// SPDX-License-Identifier: Apache-2.0
#include "wire/reply_tracker.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "wire/bytes.hpp"
#include "wire/packet.hpp"
#include "wire/reply_scanner.hpp"
#include "wire/server_messages_for_tests.hpp"

namespace reseal::wire {
namespace {

using Progress = ReplyTracker::Progress;
constexpr auto modern = capability::deprecate_eof | capability::session_track;
constexpr auto plain = 0U;

std::string eof_message(std::uint16_t flags = status::autocommit) {
  std::string out(1, '\xFE');
  append_uint_le(out, 0, 2);
  append_uint_le(out, flags, 2);
  return out;
}

// What ends rows for a client that deprecated EOF.
std::string ok_as_eof(std::uint16_t flags = status::autocommit) {
  auto out = ok_message(flags);
  out[0] = '\xFE';
  return out;
}

std::string ok_with_state(std::string_view state) {
  auto out = ok_message(status::autocommit | status::session_state_changed);
  append_lenenc_bytes(out, "text");
  append_lenenc_bytes(out, state);
  return out;
}

std::string column() {
  std::string out;
  append_lenenc_bytes(out, "def");
  return out.append(20, 'c');
}

std::string prepare_ok(std::uint32_t id, std::uint16_t columns, std::uint16_t parameters) {
  std::string out(1, '\0');
  append_uint_le(out, id, 4);
  append_uint_le(out, columns, 2);
  append_uint_le(out, parameters, 2);
  return out.append(3, '\0');
}

std::string stream(const std::vector<std::string>& messages) {
  std::string out;
  std::uint8_t sequence = 1;
  for (const auto& message : messages) append_packets(out, message, sequence);
  return out;
}

// Shows `bytes` in pieces of `piece`; checks that nothing is ended before the last byte, and that all passes.
Progress show(ReplyTracker& tracker, const std::string& bytes, std::size_t piece) {
  ReplyScanner scanner(tracker);
  std::string shown;
  std::size_t passed = 0;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    shown += bytes.substr(at, piece);
    const auto scanned = scanner.scan(shown);
    shown.erase(0, scanned.pass);
    passed += scanned.pass;
    if (scanned.progress != Progress::under_way) {
      if (scanned.progress != Progress::bad_input) {
        EXPECT_EQ(passed, bytes.size());
      }
      return scanned.progress;
    }
  }
  EXPECT_EQ(passed, bytes.size());
  return Progress::under_way;
}

void ends(std::uint32_t capabilities, Command command, const std::vector<std::string>& messages) {
  const auto bytes = stream(messages);
  for (const std::size_t piece : {1UL, 2UL, 3UL, 7UL, 1000UL}) {
    ReplyTracker tracker(capabilities);
    tracker.begin(command);
    EXPECT_EQ(show(tracker, bytes, piece), Progress::ended) << "pieces of " << piece;
    EXPECT_FALSE(tracker.under_way());
  }
}

TEST(ReplyTracker, ends_replies_of_one_packet) {
  for (const auto capabilities : {plain, modern})
    for (const auto command : {Command::ping, Command::init_db, Command::query, Command::stmt_execute,
                               Command::reset_connection, Command::stmt_reset}) {
      ends(capabilities, command, {ok_message()});
      ends(capabilities, command, {error_message(1064, "no")});
    }
  ends(plain, Command::set_option, {eof_message()});
  ends(modern, Command::set_option, {ok_as_eof()});
  ends(modern, Command::statistics, {"Uptime: 7"});
  ends(modern, static_cast<Command>(0x77), {error_message(1047, "unknown command")});
}

TEST(ReplyTracker, commands_without_a_reply_have_none) {
  for (const auto command : {Command::quit, Command::stmt_close, Command::stmt_send_long_data}) {
    ReplyTracker tracker(modern);
    tracker.begin(command);
    EXPECT_FALSE(tracker.under_way());
  }
}

TEST(ReplyTracker, ends_result_sets) {
  ends(plain, Command::query, {"\x02", column(), column(), eof_message(), "\x01x", "\xFB\x01y", eof_message()});
  ends(modern, Command::query, {"\x02", column(), column(), "\x01x", "\xFB\x01y", ok_as_eof()});
  ends(plain, Command::query, {"\x01", column(), eof_message(), "\x01x", error_message(1317, "killed")});
  ends(modern, Command::query, {"\x01", column(), error_message(1317, "killed")});
  ends(plain, Command::query, {"\x01", column(), eof_message(), eof_message()});
}

TEST(ReplyTracker, follows_many_results) {
  const auto more = status::more_results;
  ends(plain, Command::query, {ok_message(more), "\x01", column(), eof_message(more), eof_message(more), ok_message()});
  ends(modern, Command::stmt_execute, {"\x01", column(), std::string("\0\0x", 3), ok_as_eof(more), ok_message()});
  ends(modern, Command::query, {ok_message(more), error_message(1064, "second")});
}

TEST(ReplyTracker, a_cursor_has_no_rows_in_its_first_reply) {
  ends(plain, Command::stmt_execute, {"\x01", column(), eof_message(status::cursor_exists)});
  ends(modern, Command::stmt_execute, {"\x01", column(), ok_as_eof(status::cursor_exists)});
  ends(plain, Command::stmt_fetch, {std::string("\0\0x", 3), eof_message(status::cursor_exists)});
  ends(modern, Command::stmt_fetch, {std::string("\0\0x", 3), ok_as_eof(status::last_row_sent)});
  ends(plain, Command::field_list, {column(), column(), eof_message()});
}

TEST(ReplyTracker, counts_what_a_prepared_statement_describes) {
  ends(plain, Command::stmt_prepare, {prepare_ok(7, 0, 0)});
  ends(plain, Command::stmt_prepare, {prepare_ok(7, 1, 2), column(), column(), eof_message(), column(), eof_message()});
  ends(modern, Command::stmt_prepare, {prepare_ok(7, 1, 2), column(), column(), column()});
  ends(modern, Command::stmt_prepare, {prepare_ok(7, 2, 0), column(), column()});
  ends(modern, Command::stmt_prepare, {error_message(1064, "no")});
  ReplyTracker tracker(modern);
  tracker.begin(Command::stmt_prepare);
  show(tracker, stream({prepare_ok(7, 0, 0)}), 100);
  EXPECT_EQ(tracker.prepared_id(), 7U);
}

TEST(ReplyTracker, a_row_of_many_packets_is_looked_at_once) {
  // The second packet of the row starts as an ERR would, the first as an EOF would.
  std::string row(max_packet_payload + 9, '\xFF');
  row[0] = '\xFE';
  const auto bytes = stream({"\x01", column(), row, ok_as_eof()});
  ReplyTracker tracker(modern);
  tracker.begin(Command::query);
  EXPECT_EQ(show(tracker, bytes, 1U << 20), Progress::ended);
  EXPECT_FALSE(tracker.failed());
  const auto exact =
      stream({"\x01", column(), std::string(max_packet_payload, '\xFF').replace(0, 1, "\xFE"), ok_as_eof()});
  tracker.begin(Command::query);
  EXPECT_EQ(show(tracker, exact, 1U << 20), Progress::ended);
}

TEST(ReplyTracker, a_text_of_many_packets_ends_with_its_last) {
  ReplyTracker tracker(modern);
  tracker.begin(Command::statistics);
  EXPECT_EQ(show(tracker, stream({std::string(max_packet_payload, 'x')}), 1U << 20), Progress::ended);
}

TEST(ReplyTracker, a_file_wish_waits_for_the_file) {
  ReplyTracker tracker(modern | capability::local_files);
  tracker.begin(Command::query);
  EXPECT_EQ(show(tracker, stream({"\xFB/etc/passwd"}), 3), Progress::file_wanted);
  EXPECT_TRUE(tracker.under_way());
  EXPECT_EQ(show(tracker, stream({ok_message()}), 3), Progress::ended);
}

TEST(ReplyTracker, a_file_wish_that_was_not_agreed_on_is_bad_input) {
  ReplyTracker tracker(modern);
  tracker.begin(Command::query);
  EXPECT_EQ(show(tracker, stream({"\xFB/etc/passwd"}), 3), Progress::bad_input);
}

TEST(ReplyTracker, keeps_status_and_session_state) {
  for (const std::size_t piece : {1UL, 5UL, 4000UL}) {
    ReplyTracker tracker(modern);
    tracker.begin(Command::query);
    EXPECT_EQ(show(tracker, stream({ok_with_state("state")}), piece), Progress::ended);
    EXPECT_EQ(tracker.session_state(), "state");
    tracker.begin(Command::query);
    EXPECT_EQ(show(tracker, stream({ok_message(status::in_transaction)}), piece), Progress::ended);
    EXPECT_TRUE(tracker.in_transaction());
    EXPECT_TRUE(tracker.session_state().empty());
    tracker.begin(Command::query);
    EXPECT_EQ(show(tracker, stream({error_message(1064, "no")}), piece), Progress::ended);
    EXPECT_TRUE(tracker.failed());
    EXPECT_TRUE(tracker.in_transaction());
    EXPECT_TRUE(tracker.transaction_unknown());
    tracker.begin(Command::ping);
    EXPECT_EQ(show(tracker, stream({ok_message()}), piece), Progress::ended);
    EXPECT_FALSE(tracker.transaction_unknown());
  }
}

TEST(ReplyTracker, tells_that_a_long_session_state_was_not_read) {
  ReplyTracker tracker(modern);
  tracker.begin(Command::query);
  EXPECT_EQ(show(tracker, stream({ok_with_state(std::string(20'000, 's'))}), 1000), Progress::ended);
  EXPECT_TRUE(tracker.session_state_lost());
}

TEST(ReplyTracker, outside_of_a_reply_only_a_goodbye_is_understood) {
  ReplyTracker tracker(modern);
  EXPECT_EQ(show(tracker, stream({error_message(4031, "idle for too long")}), 5), Progress::ended);
  EXPECT_EQ(show(tracker, stream({ok_message()}), 100), Progress::bad_input);
}

TEST(ReplyTracker, nonsense_is_bad_input) {
  const auto bad = [](Command command, const std::vector<std::string>& messages) {
    ReplyTracker tracker(plain);
    tracker.begin(command);
    EXPECT_EQ(show(tracker, stream(messages), 100), Progress::bad_input);
  };
  bad(Command::query, {""});
  bad(Command::query, {std::string("\x00\x00", 2)});
  bad(Command::query, {"\xFC\x01"});
  bad(Command::query, {"\x01", column(), column()});
  bad(Command::ping, {"pong"});
  bad(Command::stmt_prepare, {std::string("\0\0\0", 3)});
}

}  // namespace
}  // namespace reseal::wire

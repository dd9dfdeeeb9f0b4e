// SPDX-License-Identifier: Apache-2.0
#include "wire/command_scanner.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "wire/command_kind.hpp"
#include "wire/packet.hpp"

namespace reseal::wire {
namespace {

using Found = CommandScanner::Found;

std::string command(Command kind, std::string_view body) {
  std::string out;
  std::uint8_t sequence = 0;
  append_packets(out, std::string(1, static_cast<char>(kind)).append(body), sequence);
  return out;
}

// Accepts every command; returns what was found, in order.
std::vector<Found> walk(CommandScanner& scanner, const std::string& bytes, std::size_t piece) {
  std::vector<Found> found;
  std::string shown;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    shown += bytes.substr(at, piece);
    while (true) {
      const auto scanned = scanner.scan(shown);
      shown.erase(0, scanned.pass);
      if (scanned.found == Found::nothing) break;
      found.push_back(scanned.found);
      if (scanned.found == Found::out_of_order) return found;
      if (scanned.found == Found::command) scanner.accept();
    }
  }
  EXPECT_TRUE(shown.empty());
  return found;
}

TEST(CommandScanner, finds_commands_whatever_the_pieces) {
  const auto bytes = command(Command::query, "SELECT 1") + command(Command::ping, "") + command(Command::quit, "");
  const std::vector<Found> expected = {Found::command,     Found::message_end, Found::command,
                                       Found::message_end, Found::command,     Found::message_end};
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    CommandScanner scanner;
    EXPECT_EQ(walk(scanner, bytes, piece), expected);
    EXPECT_TRUE(scanner.between_commands());
  }
}

TEST(CommandScanner, a_command_waits_until_it_is_accepted) {
  CommandScanner scanner;
  const auto bytes = command(Command::stmt_close, "1234");
  for (int again = 0; again < 3; ++again) {
    const auto scanned = scanner.scan(bytes);
    EXPECT_EQ(scanned.found, Found::command);
    EXPECT_EQ(scanned.command, Command::stmt_close);
    EXPECT_EQ(scanned.size, 5U);
    EXPECT_EQ(scanned.pass, 0U);
  }
  scanner.accept();
  EXPECT_EQ(scanner.scan(bytes).pass, bytes.size());
  EXPECT_EQ(scanner.reply_sequence(), 1);
}

TEST(CommandScanner, an_empty_message_is_a_command) {
  CommandScanner scanner;
  const auto scanned = scanner.scan(std::string(4, '\0'));
  EXPECT_EQ(scanned.found, Found::command);
  EXPECT_EQ(scanned.command, Command::sleep);
}

TEST(CommandScanner, a_long_command_is_one) {
  for (const std::size_t size : {max_packet_payload - 1, max_packet_payload, 2 * max_packet_payload + 5}) {
    CommandScanner scanner;
    const auto bytes = command(Command::query, std::string(size - 1, '\x01')) + command(Command::ping, "");
    const std::vector<Found> expected = {Found::command, Found::message_end, Found::command, Found::message_end};
    EXPECT_EQ(walk(scanner, bytes, 1U << 20), expected);
  }
}

TEST(CommandScanner, sees_a_wrong_number) {
  CommandScanner scanner;
  auto bytes = command(Command::ping, "");
  bytes[3] = 1;
  EXPECT_EQ(walk(scanner, bytes, 100), std::vector<Found>{Found::out_of_order});
  CommandScanner second;
  auto split = command(Command::query, std::string(max_packet_payload, 'x'));
  split[max_packet_payload + 4 + 3] = 7;
  const std::vector<Found> expected = {Found::command, Found::out_of_order};
  EXPECT_EQ(walk(second, split, 1U << 20), expected);
  CommandScanner within_compressed_packets;
  within_compressed_packets.ignore_numbers();
  const std::vector<Found> passed = {Found::command, Found::message_end};
  EXPECT_EQ(walk(within_compressed_packets, split, 1U << 20), passed);
}

TEST(CommandScanner, a_file_ends_with_an_empty_packet) {
  std::string file;
  std::uint8_t sequence = 2;
  append_packets(file, "rows", sequence);
  append_packets(file, std::string(max_packet_payload, 'x'), sequence);  // its empty tail does not end the file
  append_packets(file, "rows", sequence);
  append_packets(file, "", sequence);
  CommandScanner scanner;
  scanner.begin_file();
  const std::vector<Found> expected = {Found::file_end, Found::command, Found::message_end};
  EXPECT_EQ(walk(scanner, file + command(Command::ping, ""), 1U << 20), expected);
}

TEST(CommandKind, knows_every_command) {
  EXPECT_EQ(reply_shape(Command::change_user), ReplyShape::login);
  EXPECT_EQ(reply_shape(Command::stmt_send_long_data), ReplyShape::none);
  EXPECT_EQ(reply_shape(static_cast<Command>(0xEE)), ReplyShape::single);
  for (const auto refused :
       {Command::binlog_dump, Command::binlog_dump_gtid, Command::register_replica, Command::clone})
    EXPECT_TRUE(belongs_to_a_replica(refused));
  EXPECT_FALSE(belongs_to_a_replica(Command::query));
}

}  // namespace
}  // namespace reseal::wire

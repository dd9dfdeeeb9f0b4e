// SPDX-License-Identifier: Apache-2.0
#include "binlog/event.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "binlog/control_events.hpp"
#include "binlog/control_text.hpp"
#include "binlog/events_for_tests.hpp"
#include "binlog/format_description.hpp"

namespace reseal::binlog {
namespace {

using testing::HasSubstr;

TEST(crc32, is_ieee_802_3) {
  EXPECT_EQ(crc32("123456789"), 0xCBF43926U);
  EXPECT_EQ(crc32(""), 0U);
  EXPECT_EQ(crc32("6789", crc32("12345")), 0xCBF43926U);
}

TEST(event_body, checks_size_and_checksum) {
  for (const auto& event : captured()) {
    const auto header = parse_event_header(*event).value();
    const auto body = event_body(*event, header, ChecksumAlgorithm::crc32);
    ASSERT_TRUE(body.ok()) << body.error();
    EXPECT_EQ(body.value().size(), event->size() - event_header_size - checksum_size);
    EXPECT_FALSE(event_body(event->substr(0, event->size() - 1), header, ChecksumAlgorithm::crc32).ok());
  }
}

TEST(event_body, of_a_format_description_is_checked_as_if_its_file_were_closed) {
  auto in_use = *captured()[0];
  in_use[17] = static_cast<char>(in_use[17] | flag_binlog_in_use);
  EXPECT_TRUE(parse_format_description(in_use).ok());
  in_use[17] = static_cast<char>(in_use[17] | 4);
  EXPECT_FALSE(parse_format_description(in_use).ok());
}

TEST(format_description, of_mysql_9_7) {
  const auto format = parse_format_description(*captured()[0]);
  ASSERT_TRUE(format.ok()) << format.error();
  EXPECT_THAT(format.value().server_version, HasSubstr("9.7.4"));
  EXPECT_EQ(format.value().checksum, ChecksumAlgorithm::crc32);
  EXPECT_EQ(format.value().post_header_length(EventType::table_map), 8);
  EXPECT_EQ(format.value().post_header_length(EventType::write_rows), 10);
  EXPECT_EQ(format.value().post_header_length(static_cast<EventType>(200)), 0);
}

TEST(format_description, refuses_versions_without_checksums_and_other_dialects) {
  const auto with_version = [](const std::string& version) {
    auto event = *captured_without_checksums()[0];
    auto text = version;
    text.resize(50, '\0');
    event.replace(event_header_size + 2, 50, text);
    return parse_format_description(event);
  };
  EXPECT_TRUE(with_version("5.7.44-log").ok());
  EXPECT_THAT(with_version("5.5.60").error(), HasSubstr("too old"));
  EXPECT_THAT(with_version("5.6.0").error(), HasSubstr("too old"));
  EXPECT_THAT(with_version("rubbish").error(), HasSubstr("too old"));
  EXPECT_THAT(with_version("10.11.6-MariaDB").error(), HasSubstr("MariaDB"));
}

TEST(rotate, names_a_file_and_a_64_bit_offset) {
  const auto rotate = parse_rotate(little_endian(5000000000, 8) + "binlog.000002");
  ASSERT_TRUE(rotate.ok());
  EXPECT_EQ(rotate.value().file, "binlog.000002");
  EXPECT_EQ(rotate.value().offset, 5000000000U);
  EXPECT_FALSE(parse_rotate(little_endian(4, 8)).ok());
  EXPECT_FALSE(parse_rotate(little_endian(4, 8) + std::string("a\0b", 3)).ok());
  EXPECT_FALSE(parse_rotate(little_endian(4, 8) + std::string(600, 'a')).ok());
}

TEST(gtid, of_every_age) {
  const auto uuid = unhex("3e11fa4771ca11e19e33c80aa9429562");
  const auto head = std::string(1, '\1') + uuid + little_endian(23, 8);
  const auto of_5_6 = parse_gtid(head, EventType::gtid);
  ASSERT_TRUE(of_5_6.ok());
  EXPECT_EQ(of_5_6.value().gtid->text(), "3e11fa47-71ca-11e1-9e33-c80aa9429562:23");

  const auto clock = std::string(1, '\2') + little_endian(5, 8) + little_endian(6, 8);
  EXPECT_EQ(parse_gtid(head + clock, EventType::gtid).value().sequence_number, 6);

  const auto times = little_endian(1700000000000001 | std::uint64_t{1} << 55, 7) + little_endian(1600000000000001, 7);
  const auto both = parse_gtid(head + clock + times + "\x20", EventType::gtid).value();
  EXPECT_EQ(both.immediate_commit_us, 1700000000000001U);
  EXPECT_EQ(both.original_commit_us, 1600000000000001U);
  EXPECT_EQ(both.transaction_length, 32U);

  EXPECT_FALSE(parse_gtid(std::string(1, '\1') + uuid + little_endian(0, 8), EventType::gtid).ok());
  EXPECT_FALSE(parse_gtid(std::string(1, '\1') + uuid + little_endian(1, 8), EventType::anonymous_gtid).ok());
  EXPECT_FALSE(parse_gtid(std::string(1, '\1') + uuid + little_endian(INT64_MAX, 8), EventType::gtid).ok());
}

// Captured from MySQL 9.7.4.
const std::string tagged =
    "02 72 00 00 02 02 b1 03 95 02 84 62 a1 03 60 22 c5 03 f5 02 76 04 f1 03 00 00 00 02 04 04 06 0a 74 61 67 5f 31 08 "
    "0c 0a 10 0c 7f be 85 39 d2 09 61 06 10 05 03 12 83 12 0b";

TEST(gtid_tagged, as_mysql_9_7_writes_it) {
  const auto start = parse_gtid_tagged(unhex(tagged));
  ASSERT_TRUE(start.ok()) << start.error();
  EXPECT_EQ(start.value().gtid->text(), "eca54231-e830-11f1-bd3b-02fc00000001:tag_1:1");
  EXPECT_EQ(start.value().immediate_commit_us, start.value().original_commit_us);
  EXPECT_GT(start.value().immediate_commit_us, 1700000000000000U);
  EXPECT_EQ(start.value().last_committed, 3);
  EXPECT_EQ(start.value().sequence_number, 4);
}

TEST(gtid_tagged, refuses_a_field_that_it_must_know) {
  auto unknown = unhex(tagged);
  unknown[2] = 0x1A;  // last field that must be known: 13
  EXPECT_THAT(parse_gtid_tagged(unknown).error(), HasSubstr("must be known"));
  auto version = unhex(tagged);
  version[0] = 0x04;
  EXPECT_THAT(parse_gtid_tagged(version).error(), HasSubstr("version"));
}

TEST(query, status_variables_are_read) {
  for (const auto& event : captured_without_checksums()) {
    const auto header = parse_event_header(*event).value();
    if (header.type != EventType::query) continue;
    const auto query = parse_query(event_body(*event, header, ChecksumAlgorithm::none).value());
    ASSERT_TRUE(query.ok()) << query.error();
    EXPECT_TRUE(query.value().sql_mode);
    EXPECT_TRUE(query.value().character_set_client);
    EXPECT_FALSE(query.value().text.empty());
  }
}

TEST(query, refuses_variables_that_run_over_their_end) {
  const auto body = [](const std::string& variables) {
    return little_endian(0, 8) + std::string(1, '\1') + little_endian(0, 2) + little_endian(variables.size(), 2) +
           variables + std::string("d\0", 2) + "SELECT 1";
  };
  EXPECT_EQ(parse_query(body("")).value().text, "SELECT 1");
  EXPECT_EQ(parse_query(body("")).value().schema, "d");
  EXPECT_EQ(parse_query(body(std::string("\x63rest", 5))).value().text, "SELECT 1");  // unknown: the rest is skipped
  EXPECT_FALSE(parse_query(body(std::string("\1\2\3", 3))).ok());
  EXPECT_FALSE(parse_query(body(std::string("\5\xFFx", 3))).ok());
}

TEST(control_text, knows_the_servers_words) {
  using Kind = Control::Kind;
  EXPECT_EQ(control_of("BEGIN").kind, Kind::begin);
  EXPECT_EQ(control_of("BEGINNING").kind, Kind::none);
  EXPECT_EQ(control_of("COMMIT").kind, Kind::commit);
  EXPECT_EQ(control_of("ROLLBACK").kind, Kind::rollback);
  EXPECT_EQ(control_of("ROLLBACK TO `a``b`").kind, Kind::rollback_to);
  EXPECT_EQ(control_of("ROLLBACK TO `a``b`").name, "a`b");
  EXPECT_EQ(control_of("SAVEPOINT `x`").name, "x");
  EXPECT_EQ(control_of("XA START X'61',X'',1").kind, Kind::xa_start);
  EXPECT_EQ(control_of("XA END X'61',X'',1").kind, Kind::xa_end);
  EXPECT_EQ(control_of("XA ROLLBACK X'61',X'',1").kind, Kind::xa_outcome);
  EXPECT_EQ(control_of("").kind, Kind::none);
  EXPECT_TRUE(starts_transaction("CREATE TABLE `t` (\n  `id` int\n) START TRANSACTION"));
  EXPECT_FALSE(starts_transaction("CREATE TABLE `t` (c INT COMMENT ' START TRANSACTION')"));
}

TEST(heartbeat, needs_a_file) {
  EXPECT_FALSE(parse_heartbeat("").ok());
  EXPECT_FALSE(parse_heartbeat_v2(unhex("00")).ok());
  EXPECT_FALSE(parse_heartbeat_v2(unhex("01 01 61 02 09 fe 00")).ok());
  EXPECT_EQ(*parse_heartbeat_v2(unhex("01 01 61 63 02 ff ff 02 01 07 00")).value().offset, 7U);  // 0x63 is skipped
}

}  // namespace
}  // namespace reseal::binlog

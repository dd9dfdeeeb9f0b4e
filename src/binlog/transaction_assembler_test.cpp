// SPDX-License-Identifier: Apache-2.0
#include "binlog/transaction_assembler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "binlog/events_for_tests.hpp"

namespace reseal::binlog {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const TransactionAssembler::Options at_start{{"binlog.000003", 4}, ChecksumAlgorithm::none, {}};

/// A stream without checksums whose format is known.
class Assembler : public testing::Test {
 protected:
  Assembler() { feed(captured_without_checksums()[0]); }

  std::string feed(const EventBytes& event) {
    const auto fed = assembler.feed(event, sink);
    return fed.ok() ? "" : fed.error();
  }
  std::string feed(EventType type, std::string_view body = "", std::uint16_t flags = 0) {
    return feed(make_event(type, body, 0, flags));
  }
  std::string feed_query(std::string_view text) {
    return feed(EventType::query, little_endian(0, 13) + std::string(1, '\0') + std::string(text));
  }
  std::string feed_anonymous() { return feed(EventType::anonymous_gtid, little_endian(0, 25)); }

  TransactionAssembler assembler{at_start};
  ReadingSink sink;
};

TEST(captured_file, tells_its_transactions_in_order) {
  TransactionAssembler assembler({{"binlog.000003", 4}, ChecksumAlgorithm::crc32, {}});
  ReadingSink sink;
  for (const auto& event : captured()) {
    const auto fed = assembler.feed(event, sink);
    ASSERT_TRUE(fed.ok()) << fed.error();
  }
  EXPECT_EQ(sink.error, "");
  EXPECT_THAT(sink.lines, ElementsAre("begin", "rows every 2", "rows every 1", "rows every 1", "commit",  //
                                      "begin", "rows js 1", "rows js 1", "rows js 1", "commit",           //
                                      "begin", "rows js 1", "commit",                                     //
                                      "begin", "rows js 1", "commit",                                     //
                                      "begin", "statement", "commit",                                     //
                                      "begin", "rows js 1", "commit",                                     //
                                      "begin", "rows js 1", "savepoint sp", "commit", "begin", "RAND", "USER_VAR",
                                      "statement", "commit",  //
                                      "rotate binlog.000004:4"));
}

TEST(captured_file, gives_literals_of_every_column_type) {
  TransactionAssembler assembler(at_start);
  ReadingSink sink;
  for (const auto& event : captured_without_checksums()) ASSERT_TRUE(assembler.feed(event, sink).ok());
  const std::vector<std::string> first(sink.values.begin(), sink.values.begin() + 28);
  EXPECT_THAT(
      first,
      ElementsAre("1", "-1", "65535", "-2", "3", "18446744073709551615", "-123.45678", "3.5e+00", "-0e+00", "65537",
                  "2024", "2", "5", "'2024-02-29'", "'-00:00:00.001'", "'2024-02-29 12:34:56.123456'",
                  "'2024-02-29 12:34:56.12'", "_binary'ab'", "_binary'é'", "_binary'vc'", "_binary'vcl'",
                  "_binary'" + std::string("\xAA\xBB") + "\\0\\0'", "_binary'vb'", "_binary'text'", "_binary'\\0\xFF'",
                  R"(CAST(_utf8mb4'{\"a\": [1, \"x\", 1.5, {\"b\": null}], \"d\": true}' AS JSON))",
                  testing::StartsWith("_binary'"), testing::StartsWith("_binary'")));
}

/// Whatever is cut off or changed, the answer is an error or a value, and memory stays ours (run under sanitizers).
TEST(hostile_bytes, every_prefix_of_every_event_is_an_error_or_fine) {
  const auto events = captured_without_checksums();
  for (std::size_t i = 0; i < events.size(); ++i) {
    for (std::size_t length = 0; length < events[i]->size(); ++length) {
      TransactionAssembler assembler(at_start);
      ReadingSink sink;
      for (std::size_t k = i > 6 ? i - 6 : 0; k < i; ++k) {
        if (k > 0 && k == i - 6) (void)assembler.feed(events[0], sink);
        (void)assembler.feed(events[k], sink);
      }
      auto cut = events[i]->substr(0, length);
      if (length >= event_header_size) cut.replace(9, 4, little_endian(length, 4));
      (void)assembler.feed(std::make_shared<const std::string>(cut), sink);
      if (length < event_header_size) {
        EXPECT_FALSE(assembler.feed(events[0], sink).ok());
      }
    }
  }
}

TEST(hostile_bytes, every_changed_byte_is_an_error_or_fine) {
  const auto events = captured_without_checksums();
  for (std::size_t i = 0; i < events.size(); ++i) {
    for (std::size_t at = event_header_size; at < events[i]->size(); ++at) {
      for (const unsigned flip : {0x01U, 0x80U, 0xFFU, 0x7FU}) {
        auto changed = *events[i];
        changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ flip);
        TransactionAssembler assembler(at_start);
        ReadingSink sink;
        (void)assembler.feed(events[0], sink);
        const auto bad = std::make_shared<const std::string>(changed);
        for (std::size_t k = i > 4 ? i - 4 : 1; k < std::min(i + 3, events.size()); ++k)
          if (!assembler.feed(k == i ? bad : events[k], sink).ok()) break;
      }
    }
  }
}

TEST(hostile_bytes, a_changed_byte_under_a_checksum_is_always_found) {
  const auto event = captured()[3];
  for (std::size_t at = 0; at < event->size(); ++at) {
    TransactionAssembler assembler({{"binlog.000003", 4}, ChecksumAlgorithm::crc32, {}});
    ReadingSink sink;
    ASSERT_TRUE(assembler.feed(captured()[0], sink).ok());
    auto changed = *event;
    changed[at] = static_cast<char>(changed[at] ^ 4);
    EXPECT_FALSE(assembler.feed(std::make_shared<const std::string>(changed), sink).ok()) << at;
  }
}

TEST_F(Assembler, stays_failed_after_an_error) {
  EXPECT_NE(feed(EventType::incident, "\x01\x00"), "");
  EXPECT_NE(feed_anonymous(), "");
  EXPECT_TRUE(sink.lines.empty());
}

TEST_F(Assembler, refuses_what_it_does_not_know_unless_it_may_be_ignored) {
  EXPECT_EQ(feed(static_cast<EventType>(99), "x", flag_ignorable), "");
  EXPECT_THAT(feed(static_cast<EventType>(99), "x"), HasSubstr("type 99 event is not supported"));
}

TEST_F(Assembler, refuses_events_of_files_and_lost_events) {
  for (const auto type : {EventType::incident, EventType::append_block, EventType::delete_file,
                          EventType::begin_load_query, EventType::execute_load_query, EventType::slave}) {
    TransactionAssembler fresh(at_start);
    ASSERT_TRUE(fresh.feed(captured_without_checksums()[0], sink).ok());
    EXPECT_FALSE(fresh.feed(make_event(type, "x"), sink).ok()) << event_type_name(type);
  }
}

TEST_F(Assembler, needs_a_format_before_anything_else) {
  TransactionAssembler fresh(at_start);
  EXPECT_TRUE(fresh.feed(make_event(EventType::rotate, little_endian(4, 8) + "b.1"), sink).ok());
  EXPECT_THAT(fresh.feed(make_event(EventType::anonymous_gtid, little_endian(0, 25)), sink).error(),
              HasSubstr("before any FORMAT_DESCRIPTION"));
}

TEST_F(Assembler, tells_a_rollback_apart_from_a_commit) {
  for (const char* end : {"ROLLBACK", "COMMIT"}) {
    EXPECT_EQ(feed_anonymous(), "");
    EXPECT_EQ(feed_query("BEGIN"), "");
    EXPECT_EQ(feed_query(end), "");
  }
  EXPECT_THAT(sink.lines, ElementsAre("begin", "rollback", "begin", "commit"));
}

TEST_F(Assembler, takes_transactions_without_gtid_events) {
  for (const char* text : {"BEGIN", "INSERT INTO t VALUES (1)", "COMMIT", "DROP TABLE t"})
    EXPECT_EQ(feed_query(text), "");
  EXPECT_THAT(sink.lines, ElementsAre("begin", "statement", "commit", "begin", "statement", "commit"));
}

TEST_F(Assembler, opens_the_transaction_of_a_create_select) {
  EXPECT_EQ(feed_anonymous(), "");
  EXPECT_EQ(feed_query("CREATE TABLE t (id INT) START TRANSACTION"), "");
  EXPECT_TRUE(assembler.in_transaction());
  EXPECT_EQ(feed(EventType::xid, little_endian(5, 8)), "");
  EXPECT_THAT(sink.lines, ElementsAre("begin", "statement", "commit"));
}

TEST_F(Assembler, refuses_what_breaks_the_grammar) {
  const auto refused = [&](auto... steps) {
    TransactionAssembler fresh(at_start);
    std::swap(assembler, fresh);
    feed(captured_without_checksums()[0]);
    std::string last;
    ((last = steps()), ...);
    return last;
  };
  const auto anonymous = [&] { return feed_anonymous(); };
  const auto query = [&](const char* text) { return [this, text] { return feed_query(text); }; };
  const auto event = [&](EventType type, std::string body) { return [this, type, body] { return feed(type, body); }; };
  EXPECT_THAT(refused(anonymous, anonymous), HasSubstr("inside a transaction"));
  EXPECT_THAT(refused(query("BEGIN"), query("BEGIN")), HasSubstr("begins inside a transaction"));
  EXPECT_THAT(refused(query("BEGIN"), anonymous), HasSubstr("inside a transaction"));
  EXPECT_THAT(refused(query("COMMIT")), HasSubstr("not open"));
  EXPECT_THAT(refused(anonymous, query("ROLLBACK")), HasSubstr("not open"));
  EXPECT_THAT(refused(event(EventType::xid, little_endian(1, 8))), HasSubstr("outside a transaction"));
  EXPECT_THAT(refused(query("SAVEPOINT `a`")), HasSubstr("outside a transaction"));
  EXPECT_THAT(refused(query("BEGIN"), event(EventType::rotate, little_endian(4, 8) + "b.2")),
              HasSubstr("inside a transaction"));
  EXPECT_THAT(refused(query("BEGIN"), event(EventType::stop, "")), HasSubstr("inside a transaction"));
  EXPECT_THAT(refused(query("XA START X'61',X'',1"), query("XA END X'61',X'',1"), query("INSERT x")),
              HasSubstr("after XA END"));
  EXPECT_THAT(refused(query("XA COMMIT X'61',X'',1")), HasSubstr("two-phase XA"));
  EXPECT_THAT(refused(query("XA START X'61',X'',1"), query("XA END X'61',X'',1"),
                      event(EventType::xa_prepare, unhex("00 01000000 01000000 00000000 61"))),
              HasSubstr("two-phase XA"));
  EXPECT_THAT(refused(query("BEGIN"), event(EventType::write_rows, unhex("010000000000 0100 0200 01 ff 00"))),
              HasSubstr("without its TABLE_MAP"));
}

TEST_F(Assembler, follows_offsets_past_four_gigabytes) {
  TransactionAssembler far({{"b.1", 0xFFFFFFF0}, ChecksumAlgorithm::none, {}});
  ASSERT_TRUE(
      far.feed(make_event(EventType::rotate, little_endian(0xFFFFFFF0, 8) + "b.1", 0, flag_artificial), sink).ok());
  ASSERT_TRUE(
      far.feed(make_event(EventType::format_description, captured_without_checksums()[0]->substr(19)), sink).ok());
  ASSERT_TRUE(far.feed(make_event(EventType::stop, "", 3), sink).ok());
  EXPECT_EQ(far.position().offset, 0x100000003U);
}

TEST_F(Assembler, jumps_over_what_a_dump_by_gtid_leaves_out) {
  const auto before = assembler.position().offset;
  EXPECT_EQ(feed(make_event(EventType::stop, "", 5000)), "");
  EXPECT_GT(5000U, before);
  EXPECT_EQ(assembler.position().offset, 5000U);
}

TEST_F(Assembler, tells_heartbeats_of_its_file) {
  EXPECT_EQ(feed(make_event(EventType::heartbeat, "binlog.000003", 9000)), "");
  EXPECT_EQ(feed(EventType::heartbeat_v2, unhex("01 0d") + "binlog.000003" + unhex("02 09 fe 0000000002000000 00")),
            "");
  EXPECT_THAT(sink.lines, ElementsAre("heartbeat binlog.000003:9000", "heartbeat binlog.000003:8589934592"));
  EXPECT_THAT(feed(make_event(EventType::heartbeat, "other.000003", 9000)), HasSubstr("another file"));
}

TEST_F(Assembler, ignores_a_dummy_that_only_ends_a_statement) {
  EXPECT_EQ(feed_query("BEGIN"), "");
  EXPECT_EQ(feed(EventType::delete_rows, unhex("ffffff000000 0100 0200 00")), "");
  EXPECT_THAT(sink.lines, ElementsAre("begin"));
}

TEST_F(Assembler, keeps_the_pointer_of_an_unchanged_table_map) {
  class Pointers final : public TransactionSink {
   public:
    void begin(const Begin&) override {}
    void rows(Rows rows) override { seen.push_back(rows.table); }
    void statement(const Statement&) override {}
    void savepoint(const std::string&) override {}
    void rollback_to(const std::string&) override {}
    void commit(const End&) override {}
    void rollback(const End&) override {}
    void heartbeat(const sql::BinlogPosition&) override {}
    void rotate(const sql::BinlogPosition&) override {}
    std::vector<std::shared_ptr<const TableMap>> seen;
  };
  TransactionAssembler fresh(at_start);
  Pointers pointers;
  for (const auto& event : captured_without_checksums()) ASSERT_TRUE(fresh.feed(event, pointers).ok());
  ASSERT_GE(pointers.seen.size(), 6U);
  EXPECT_EQ(pointers.seen[0], pointers.seen[2]);
  EXPECT_EQ(pointers.seen[3], pointers.seen.back());
  EXPECT_NE(pointers.seen[0], pointers.seen[3]);
}

}  // namespace
}  // namespace reseal::binlog

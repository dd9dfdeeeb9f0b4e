// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/failure.hpp"
#include "sql/gtid_set.hpp"
#include "sql/position.hpp"
#include "sql/quote.hpp"
#include "sql/table.hpp"

namespace reseal::sql {
namespace {

const std::string uuid_a = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const std::string uuid_b = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

GtidSet set_of(const std::string& text) { return GtidSet::parse(text).value(); }

TEST(gtid_set, merges_and_prints_mysqls_form) {
  EXPECT_EQ(set_of(uuid_a + ":1-3:4:7 ,\n" + uuid_a + ":5").text(), uuid_a + ":1-5:7");
  EXPECT_EQ(set_of(uuid_a + ":9:Tag_1:1-2:other:3").text(), uuid_a + ":9:other:3:tag_1:1-2");
  EXPECT_EQ(set_of("").text(), "");
}

TEST(gtid_set, refuses_what_is_not_a_set) {
  EXPECT_FALSE(GtidSet::parse(uuid_a).ok());
  EXPECT_FALSE(GtidSet::parse(uuid_a + ":0").ok());
  EXPECT_FALSE(GtidSet::parse("zz:1").ok());
  EXPECT_FALSE(GtidSet::parse(uuid_a + ":1-x").ok());
  EXPECT_FALSE(GtidSet::parse(uuid_a + ":9223372036854775807").ok());
}

TEST(gtid_set, difference_and_containment) {
  const auto all = set_of(uuid_a + ":1-10," + uuid_b + ":5");
  const auto some = set_of(uuid_a + ":3-4:8");
  EXPECT_EQ(all.minus(some).text(), uuid_a + ":1-2:5-7:9-10," + uuid_b + ":5");
  EXPECT_TRUE(all.contains(some));
  EXPECT_FALSE(some.contains(all));
  Gtid gtid{parse_uuid(uuid_b).value(), "", 5};
  EXPECT_TRUE(all.contains(gtid));
  gtid.tag = "t";
  EXPECT_FALSE(all.contains(gtid));
}

TEST(gtid_set, binary_form_round_trips_with_and_without_tags) {
  for (const auto& text : {uuid_a + ":1-5:7," + uuid_b + ":2", uuid_a + ":1-5:blue:1-3", std::string()}) {
    EXPECT_EQ(GtidSet::decode(set_of(text).encode()).value().text(), text);
  }
  EXPECT_FALSE(GtidSet::decode("short").ok());
  EXPECT_FALSE(GtidSet::decode(set_of(uuid_a + ":1").encode() + "x").ok());
}

TEST(position, orders_by_file_number_and_64_bit_offset) {
  const BinlogPosition a{"binlog.999999", 5'000'000'000};
  const BinlogPosition b{"binlog.1000000", 4};
  EXPECT_LT(a, b);
  EXPECT_EQ(BinlogPosition::parse(a.text()).value(), a);
  EXPECT_FALSE(BinlogPosition::parse("binlog.000001").ok());
  EXPECT_FALSE(BinlogPosition::parse("binlog.000001:4x").ok());
}

TEST(quote, names_and_bytes_cannot_break_out) {
  EXPECT_EQ(quote_name("a`b"), "`a``b`");
  EXPECT_THROW(quote_name(std::string("a\0b", 3)), base::Failure);
  EXPECT_EQ(quote_text("it's\\"), "'it\\'s\\\\'");
  std::string out;
  append_binary_literal(out, std::string_view("\0\n\x1A\"x", 5));
  EXPECT_EQ(out, "_binary'\\0\\n\\Z\\\"x'");
}

TEST(table, row_key_needs_whole_not_null_columns) {
  Table table;
  table.columns = {{.name = "a", .nullable = true}, {.name = "b", .nullable = false}};
  table.keys = {{"ua", true, {{0, std::nullopt, false}}}, {"ub_prefix", true, {{1, 10U, false}}}};
  EXPECT_EQ(table.row_key(), nullptr);
  table.keys.push_back({"ub", true, {{1, std::nullopt, false}}});
  ASSERT_NE(table.row_key(), nullptr);
  EXPECT_EQ(table.row_key()->name, "ub");
}

}  // namespace
}  // namespace reseal::sql

// SPDX-License-Identifier: Apache-2.0
#include "binlog/json_binary.hpp"

#include <gtest/gtest.h>

#include "binlog/events_for_tests.hpp"
#include "binlog/json_diff.hpp"

namespace reseal::binlog {
namespace {

using sql::JsonKind;
using sql::JsonValue;

std::string text(std::string_view hex) {
  const auto value = parse_json_binary(unhex(hex));
  return value.ok() ? sql::json_text(value.value()) : "error: " + value.error();
}

bool refused(std::string_view hex) { return !parse_json_binary(unhex(hex)).ok(); }

TEST(json_binary, scalars) {
  EXPECT_EQ(text(""), "null");
  EXPECT_EQ(text("0400"), "null");
  EXPECT_EQ(text("0401"), "true");
  EXPECT_EQ(text("0402"), "false");
  EXPECT_EQ(text("05ffff"), "-1");
  EXPECT_EQ(text("06ffff"), "65535");
  EXPECT_EQ(text("0700000080"), "-2147483648");
  EXPECT_EQ(text("08ffffffff"), "4294967295");
  EXPECT_EQ(text("090000000000000080"), "-9223372036854775808");
  EXPECT_EQ(text("0affffffffffffffff"), "18446744073709551615");
  EXPECT_EQ(text("0b000000000000f03f"), "1.0");
  EXPECT_EQ(text("0c03616263"), "\"abc\"");
  EXPECT_EQ(parse_json_binary(unhex("060500")).value().kind(), JsonKind::unsigned_integer);
}

TEST(json_binary, opaque_values_keep_their_type) {
  EXPECT_EQ(parse_json_binary(unhex("0ff60403 02 810a")).value(), JsonValue::decimal("1.10"));
  EXPECT_EQ(parse_json_binary(unhex("0ffc02cafe")).value(), JsonValue::opaque(252, "\xCA\xFE"));
  EXPECT_EQ(parse_json_binary(unhex("0f0a08") + little_endian(((2015ULL * 13 + 1) << 5 | 15) << 41, 8)).value(),
            JsonValue::temporal(JsonKind::date, "2015-01-15"));
  EXPECT_EQ(parse_json_binary(unhex("0f0b08") + little_endian(static_cast<std::uint64_t>(-1), 8)).value(),
            JsonValue::temporal(JsonKind::time, "-00:00:00.000001"));
  EXPECT_EQ(parse_json_binary(unhex("0f0c08") + little_endian(0, 8)).value(),
            JsonValue::temporal(JsonKind::datetime, "0000-00-00 00:00:00.000000"));
}

TEST(json_binary, containers) {
  EXPECT_EQ(text("00 0000 0400"), "{}");
  EXPECT_EQ(text("02 0000 0400"), "[]");
  EXPECT_EQ(text("02 0200 0d00 05 0100 0c 0a00 02 6869"), "[1, \"hi\"]");
  EXPECT_EQ(text("00 0100 0c00 0b00 0100 05 0700 61"), "{\"a\": 7}");
  EXPECT_EQ(text("03 01000000 0d000000 07 ffffffff"), "[-1]");
}

TEST(json_binary, refuses_bad_bytes) {
  for (const char* bad : {"0403",
                          "05ff",
                          "0d",
                          "0e00",
                          "10",
                          "ff",
                          "0c05616263",
                          "0cffffffffff7f",
                          "0c808080808000",
                          "02 0200 0d00",
                          "02 ffff ffff",
                          "02 0100 0700 0c ff00",
                          "00 0100 0c00 0b00 ff00 05 0700 61",
                          "00 0100 0c00 ff00 0100 05 0700 61",
                          "02 0100 0300 05 0100",
                          "0f",
                          "0ff6",
                          "0ff60403 05 810a",
                          "0ff602 ff 00",
                          "0f0a0700000000000000",
                          "0f0a08 ffffffffffffffff",
                          "03 ffffffff ffffffff"})
    EXPECT_TRUE(refused(bad)) << bad;
}

TEST(json_binary, refuses_nesting_deeper_than_one_hundred) {
  const auto nested = [](int depth) {
    std::string bytes = little_endian(0, 2) + little_endian(4, 2);
    for (int i = 1; i < depth; ++i)
      bytes = little_endian(1, 2) + little_endian(7 + bytes.size(), 2) + "\x02" + little_endian(7, 2) + bytes;
    return parse_json_binary("\x02" + bytes);
  };
  EXPECT_TRUE(nested(100).ok());
  EXPECT_FALSE(nested(101).ok());
}

TEST(json_binary, an_array_inside_itself_is_refused) { EXPECT_TRUE(refused("02 0100 0700 02 0000")); }

TEST(json_binary, entries_that_share_their_bytes_cannot_multiply) {
  // Ten thousand entries, all pointing at one string of 30,000 bytes: 300 MB from 60 kB.
  constexpr std::size_t count = 9000;
  const auto offset = 4 + 3 * count;
  std::string bytes = little_endian(count, 2) + little_endian(offset + 30003, 2);
  for (std::size_t i = 0; i < count; ++i) bytes += "\x0c" + little_endian(offset, 2);
  bytes += unhex("b0ea01") + std::string(30000, 'x');
  const auto value = parse_json_binary("\x02" + bytes);
  ASSERT_FALSE(value.ok());
  EXPECT_NE(value.error().find("share"), std::string::npos);
}

std::string diff(char operation, const std::string& path, const std::string& value = "") {
  auto bytes = std::string(1, operation) + static_cast<char>(path.size()) + path;
  return operation == 2 ? bytes : bytes + static_cast<char>(value.size()) + value;
}

std::string patched(const std::string& before, const std::string& raw) {
  const auto diffs = parse_json_diffs(raw);
  if (!diffs.ok()) return "error: " + diffs.error();
  const auto after = apply_json_diffs(sql::parse_json_text(before).value(), diffs.value());
  return after.ok() ? sql::json_text(after.value()) : "error: " + after.error();
}

const std::string five = unhex("050500");

TEST(json_diff, replaces_inserts_and_removes) {
  const std::string before = R"({"a": [1, 2], "b": {"c": 1}, "dd": null})";
  EXPECT_EQ(patched(before, diff(0, "$.a[1]", five)), R"({"a": [1, 5], "b": {"c": 1}, "dd": null})");
  EXPECT_EQ(patched(before, diff(0, "$.\"b\".c", five)), R"({"a": [1, 2], "b": {"c": 5}, "dd": null})");
  EXPECT_EQ(patched(before, diff(1, "$.c", five)), R"({"a": [1, 2], "b": {"c": 1}, "c": 5, "dd": null})");
  EXPECT_EQ(patched(before, diff(1, "$.a[0]", five)), R"({"a": [5, 1, 2], "b": {"c": 1}, "dd": null})");
  EXPECT_EQ(patched(before, diff(1, "$.a[9]", five)), R"({"a": [1, 2, 5], "b": {"c": 1}, "dd": null})");
  EXPECT_EQ(patched(before, diff(2, "$.a[0]") + diff(2, "$.b")), R"({"a": [2], "dd": null})");
}

TEST(json_diff, refuses_changes_of_another_document) {
  const std::string before = R"({"a": [1], "b": 2})";
  for (const auto& raw : {diff(0, "$.x", five), diff(0, "$.a[1]", five), diff(0, "$.b[0]", five), diff(1, "$.b", five),
                          diff(1, "$.b.c", five), diff(1, "$.b[0]", five), diff(2, "$.x"), diff(2, "$.a[1]"),
                          diff(0, "$", five), diff(2, "$"), diff(0, "$.*", five)})
    EXPECT_TRUE(patched(before, raw).starts_with("error")) << raw;
}

TEST(json_diff, refuses_bad_bytes) {
  for (const auto& raw : {std::string(1, '\3'), std::string(1, '\0'), diff(0, "$.a", "\x20"), std::string("\0\5$", 3)})
    EXPECT_FALSE(parse_json_diffs(raw).ok());
  EXPECT_TRUE(parse_json_diffs("").value().empty());
}

}  // namespace
}  // namespace reseal::binlog

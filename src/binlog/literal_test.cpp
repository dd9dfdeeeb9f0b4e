// SPDX-License-Identifier: Apache-2.0
#include "binlog/literal.hpp"

#include <gtest/gtest.h>

#include "binlog/events_for_tests.hpp"
#include "binlog/packed_decimal.hpp"
#include "binlog/temporal_text.hpp"

namespace reseal::binlog {
namespace {

ColumnType of(FieldType type, unsigned scale = 0) {
  ColumnType column;
  column.type = type;
  column.scale = static_cast<std::uint8_t>(scale);
  return column;
}

std::string literal(const ColumnType& type, std::string_view raw, const sql::Column& column = {}) {
  std::string out;
  const auto appended = append_literal(out, type, Field{Field::State::present, raw}, column);
  return appended.ok() ? out : "error: " + appended.error();
}

std::string literal(FieldType type, std::string_view hex, unsigned scale = 0) {
  return literal(of(type, scale), unhex(hex));
}

TEST(literal, of_integers_takes_the_sign_from_the_column) {
  sql::Column is_unsigned;
  is_unsigned.is_unsigned = true;
  EXPECT_EQ(literal(of(FieldType::tiny), "\xFF"), "-1");
  EXPECT_EQ(literal(of(FieldType::tiny), "\xFF", is_unsigned), "255");
  EXPECT_EQ(literal(of(FieldType::int24), "\xFE\xFF\xFF"), "-2");
  EXPECT_EQ(literal(of(FieldType::int24), "\xFE\xFF\xFF", is_unsigned), "16777214");
  EXPECT_EQ(literal(of(FieldType::int64), std::string(8, '\xFF'), is_unsigned), "18446744073709551615");
}

TEST(literal, of_old_temporals) {
  EXPECT_EQ(literal(of(FieldType::time), little_endian(8385959, 3)), "'838:59:59'");
  EXPECT_EQ(literal(of(FieldType::time), little_endian(static_cast<std::uint64_t>(-8385959), 3)), "'-838:59:59'");
  EXPECT_EQ(literal(of(FieldType::datetime), little_endian(20160028153042, 8)), "'2016-00-28 15:30:42'");
  EXPECT_EQ(literal(of(FieldType::datetime), little_endian(0, 8)), "'0000-00-00 00:00:00'");
  EXPECT_EQ(literal(of(FieldType::timestamp), little_endian(1700000000, 4)), "'2023-11-14 22:13:20'");
  EXPECT_EQ(literal(of(FieldType::timestamp), little_endian(0, 4)), "'0000-00-00 00:00:00'");
}

TEST(literal, of_negative_times_borrows_across_seconds) {
  EXPECT_EQ(literal(FieldType::time2, "800000"), "'00:00:00'");
  EXPECT_EQ(literal(FieldType::time2, "7fffff"), "'-00:00:01'");
  EXPECT_EQ(literal(FieldType::time2, "7fffffff", 2), "'-00:00:00.01'");
  EXPECT_EQ(literal(FieldType::time2, "7fffff00", 2), "'-00:00:01.00'");
  EXPECT_EQ(literal(FieldType::time2, "7fffffffffff", 6), "'-00:00:00.000001'");
  EXPECT_EQ(literal(FieldType::time2, "7ffffffff6", 3), "'-00:00:00.001'");
}

TEST(literal, refuses_temporals_out_of_range) {
  for (const auto& [type, bytes, scale] : {std::tuple{FieldType::time2, std::string("ffffff"), 0U},
                                           {FieldType::time2, "80003f", 0U},
                                           {FieldType::datetime2, "7fffffffff", 0U},
                                           {FieldType::datetime2, "800000003f", 0U},
                                           {FieldType::datetime2, "ffffffffff", 0U},
                                           {FieldType::datetime2, "8000000000ff", 2U},
                                           {FieldType::timestamp2, "00000001ffffff", 6U},
                                           {FieldType::date, "ffffff", 0U}})
    EXPECT_TRUE(literal(type, bytes, scale).starts_with("error")) << bytes << literal(type, bytes, scale);
  EXPECT_TRUE(literal(of(FieldType::time), little_endian(8389999, 3)).starts_with("error"));
  EXPECT_TRUE(literal(of(FieldType::datetime), little_endian(UINT64_MAX, 8)).starts_with("error"));
}

TEST(literal, of_floats_keeps_every_bit) {
  EXPECT_EQ(literal(FieldType::real32, "c3f54840"), "3.140000104904175e+00");
  EXPECT_EQ(literal(FieldType::real32, "00000080"), "-0e+00");
  EXPECT_EQ(literal(FieldType::real32, "01000000"), "1.401298464324817e-45");
  EXPECT_EQ(literal(FieldType::real64, "0100000000000000"), "5e-324");
  EXPECT_EQ(literal(FieldType::real64, "ffffffffffffef7f"), "1.7976931348623157e+308");
  EXPECT_TRUE(literal(FieldType::real64, "000000000000f07f").starts_with("error"));
  EXPECT_TRUE(literal(FieldType::real32, "0000c07f").starts_with("error"));
}

TEST(literal, of_decimals) {
  EXPECT_EQ(packed_decimal_text(unhex("810dfb38d204d2"), 14, 4).value(), "1234567890.1234");
  EXPECT_EQ(packed_decimal_text(unhex("7ef204c72dfb2d"), 14, 4).value(), "-1234567890.1234");
  EXPECT_EQ(packed_decimal_text(unhex("80"), 1, 0).value(), "0");
  EXPECT_EQ(packed_decimal_text(unhex("7f"), 1, 1).value(), "0.0");
  EXPECT_FALSE(packed_decimal_text(unhex("8b"), 1, 0).ok());
  EXPECT_FALSE(packed_decimal_text(unhex("80"), 5, 0).ok());
  EXPECT_FALSE(packed_decimal_text("", 0, 0).ok());
}

TEST(literal, pads_binary_and_not_varbinary) {
  sql::Column bytes;
  bytes.family = sql::ColumnFamily::bytes;
  auto binary = of(FieldType::string);
  binary.length = 4;
  EXPECT_EQ(literal(binary, "a", bytes), "_binary'a\\0\\0\\0'");
  EXPECT_EQ(literal(of(FieldType::varchar), "a", bytes), "_binary'a'");
  EXPECT_EQ(literal(binary, "a"), "_binary'a'");
}

TEST(literal, of_year_and_bit) {
  EXPECT_EQ(literal(FieldType::year, "00"), "0");
  EXPECT_EQ(literal(FieldType::year, "01"), "1901");
  EXPECT_EQ(literal(FieldType::year, "ff"), "2155");
  EXPECT_EQ(literal(FieldType::bit, "ffffffffffffffff"), "18446744073709551615");
}

TEST(literal, needs_a_value_and_leaves_the_text_alone_without_one) {
  std::string out = "x";
  sql::Column column;
  EXPECT_FALSE(append_literal(out, of(FieldType::tiny), Field{}, column).ok());
  EXPECT_FALSE(append_literal(out, of(FieldType::json), Field{Field::State::json_diff, ""}, column).ok());
  EXPECT_FALSE(append_literal(out, of(FieldType::json), Field{Field::State::present, "\x20"}, column).ok());
  EXPECT_FALSE(append_literal(out, of(FieldType::decimal), Field{Field::State::present, "1"}, column).ok());
  EXPECT_EQ(out, "x");
  EXPECT_TRUE(append_literal(out, of(FieldType::tiny), Field{Field::State::null, ""}, column).ok());
  EXPECT_EQ(out, "xNULL");
}

std::string conflict(std::string_view raw, const sql::Column& column) {
  std::string out;
  append_conflict_bytes(out, Field{Field::State::present, raw}, column);
  return out;
}

TEST(conflict_bytes, are_equal_for_what_an_index_may_call_equal) {
  sql::Column text;
  text.collation = "utf8mb4_0900_ai_ci";
  EXPECT_EQ(conflict("a", text), conflict("A", text));
  text.collation = "utf8mb4_bin";
  EXPECT_NE(conflict("a", text), conflict("A", text));
  EXPECT_EQ(conflict("a", text), conflict("a  ", text));
  sql::Column real;
  real.family = sql::ColumnFamily::real64;
  EXPECT_EQ(conflict(std::string(8, '\0'), real), conflict(std::string(7, '\0') + "\x80", real));
  sql::Column bytes;
  bytes.family = sql::ColumnFamily::bytes;
  bytes.data_type = "varbinary";
  EXPECT_NE(conflict(std::string("a\0", 2), bytes), conflict("a", bytes));
}

TEST(conflict_bytes, tell_apart_null_absent_and_where_one_field_ends) {
  sql::Column column;
  column.family = sql::ColumnFamily::bytes;
  column.data_type = "varbinary";
  const auto bytes = [&](Field::State state, std::string_view raw) {
    std::string out;
    append_conflict_bytes(out, Field{state, raw}, column);
    return out;
  };
  EXPECT_NE(bytes(Field::State::null, ""), bytes(Field::State::absent, ""));
  EXPECT_NE(bytes(Field::State::null, ""), bytes(Field::State::present, ""));
  EXPECT_NE(bytes(Field::State::present, "ab") + bytes(Field::State::present, "c"),
            bytes(Field::State::present, "a") + bytes(Field::State::present, "bc"));
}

}  // namespace
}  // namespace reseal::binlog

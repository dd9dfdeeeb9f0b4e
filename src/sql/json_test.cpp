// SPDX-License-Identifier: Apache-2.0
#include "sql/json.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "base/failure.hpp"
#include "sql/json_path.hpp"

namespace reseal::sql {
namespace {

std::string real_text(double value) { return json_text(JsonValue::real(value)); }

std::string expression(const JsonValue& value) {
  std::string out;
  append_json_expression(out, value);
  return out;
}

TEST(json_text, prints_doubles_as_mysql_does) {
  EXPECT_EQ(real_text(1.0), "1.0");
  EXPECT_EQ(real_text(-0.0), "-0.0");
  EXPECT_EQ(real_text(1e-15), "0.000000000000001");
  EXPECT_EQ(real_text(1e-16), "1e-16");
  EXPECT_EQ(real_text(9.99999999999999e14), "999999999999999.0");
  EXPECT_EQ(real_text(1e15), "1e15");
  EXPECT_EQ(real_text(1234567890123456.8), "1234567890123456.8");
  EXPECT_EQ(real_text(-5e-324), "-5e-324");
  EXPECT_EQ(real_text(1.7976931348623157e308), "1.7976931348623157e308");
  EXPECT_EQ(real_text(1e25), "1e25");
}

TEST(json_text, reads_back_what_it_prints) {
  const std::string text =
      R"({"": null, "a": [1, -2, 18446744073709551615, 0.1, {}, []], "k\"\\\n\u0001é": "x\t\b\f\r/", "t": true})";
  const auto value = parse_json_text(text);
  ASSERT_TRUE(value.ok()) << value.error();
  EXPECT_EQ(json_text(value.value()), text);
}

TEST(json_text, decodes_escapes) {
  EXPECT_EQ(parse_json_text(R"("\u00e9\ud83c\udf7b\/")").value().text(), "é🍻/");
  for (const char* bad :
       {R"("\ud83c")", R"("\udf7b")", R"("\ud83cx")", R"("\u12")", R"("\x")", "\"\x01\"", "\"", "\"\\"})
    EXPECT_FALSE(parse_json_text(bad).ok()) << bad;
}

TEST(json_text, refuses_what_is_no_document) {
  for (const char* bad : {"", " ", "[1,]", "[1", "{\"a\"}", "{\"a\":}", "{1:2}", "01", "1.", ".5", "1e", "+1", "nul",
                          "1 2", "[1]]", "1e999", "-", "{\"a\":1,}"})
    EXPECT_FALSE(parse_json_text(bad).ok()) << bad;
}

TEST(json_text, limits_nesting_to_one_hundred) {
  EXPECT_TRUE(parse_json_text(std::string(100, '[') + "1" + std::string(100, ']')).ok());
  EXPECT_FALSE(parse_json_text(std::string(101, '[') + std::string(101, ']')).ok());
  EXPECT_FALSE(parse_json_text(std::string(1000000, '[')).ok());
}

TEST(json_text, keeps_numbers_apart) {
  EXPECT_EQ(parse_json_text("9223372036854775807").value().kind(), JsonKind::signed_integer);
  EXPECT_EQ(parse_json_text("9223372036854775808").value().kind(), JsonKind::unsigned_integer);
  EXPECT_EQ(parse_json_text("18446744073709551616").value().kind(), JsonKind::real);
  EXPECT_EQ(parse_json_text("-9223372036854775809").value().kind(), JsonKind::real);
  EXPECT_EQ(parse_json_text("1.0").value().kind(), JsonKind::real);
  EXPECT_EQ(parse_json_text("3e-324").value(), JsonValue::real(5e-324));
  EXPECT_EQ(parse_json_text("1e-400").value(), JsonValue::real(0.0));
}

TEST(json_values, tell_bits_apart) {
  EXPECT_NE(JsonValue::real(0.0), JsonValue::real(-0.0));
  EXPECT_NE(JsonValue::signed_integer(1), JsonValue::unsigned_integer(1));
  EXPECT_NE(JsonValue::decimal("1.1"), JsonValue::string("1.1"));
  EXPECT_NE(JsonValue::opaque(252, "a"), JsonValue::opaque(251, "a"));
  EXPECT_EQ(JsonValue::object({{"a", JsonValue()}}), JsonValue::object({{"a", JsonValue()}}));
}

TEST(json_leaves, have_mysqls_paths) {
  const auto value = parse_json_text(R"({"a": [1, {"b\"": 2}], "": 3, "e": [], "o": {}})").value();
  std::vector<std::string> paths;
  leaves(value, [&](const std::string& path, const JsonValue&) { paths.push_back(path); });
  EXPECT_EQ(paths, (std::vector<std::string>{"$.\"a\"[0]", "$.\"a\"[1].\"b\\\"\"", "$.\"\""}));
}

TEST(json_paths, parse_to_their_legs) {
  const auto legs = parse_json_path("$.name.\"odd \\\" name\"[3][0]");
  ASSERT_TRUE(legs.ok()) << legs.error();
  EXPECT_EQ(legs.value(), (std::vector<JsonPathLeg>{std::string("name"), std::string("odd \" name"), std::uint64_t{3},
                                                    std::uint64_t{0}}));
  EXPECT_TRUE(parse_json_path("$").value().empty());
  for (const char* bad : {"", "a", "$.", "$.*", "$[*]", "$**.a", "$[last]", "$[1", "$.\"a", "$[-1]", "$x"})
    EXPECT_FALSE(parse_json_path(bad).ok()) << bad;
}

TEST(retype, keeps_every_digit_of_a_decimal) {
  const auto long_decimal = "12345678901234567890123456789012345.123456789012345678901234567890";
  EXPECT_EQ(retype(parse_json_text(long_decimal).value(), "DECIMAL").value(), JsonValue::decimal(long_decimal));
  EXPECT_EQ(retype(parse_json_text("1.10").value(), "DECIMAL").value(), JsonValue::decimal("1.10"));
  EXPECT_EQ(retype(parse_json_text("7").value(), "DECIMAL").value(), JsonValue::decimal("7"));
}

TEST(retype, decodes_opaque_values) {
  EXPECT_EQ(retype(JsonValue::string("base64:type252:AP8="), "BLOB").value(),
            JsonValue::opaque(252, std::string("\0\xff", 2)));
  EXPECT_EQ(retype(JsonValue::string("base64:type16:"), "BIT").value(), JsonValue::opaque(16, ""));
  for (const char* bad : {"base64:type252", "base64:type999:AA==", "base64:type252:A", "base64:type252:AA=A", "x"})
    EXPECT_FALSE(retype(JsonValue::string(bad), "BLOB").ok()) << bad;
  std::string bytes(1000, '\xA7');
  const auto opaque = JsonValue::opaque(252, bytes);
  const auto read = parse_json_text(json_text(opaque));
  EXPECT_EQ(retype(read.value(), "BLOB").value(), opaque);
}

TEST(retype, refuses_a_type_the_text_cannot_have) {
  const auto string = JsonValue::string("x");
  for (const char* type : {"DECIMAL", "INTEGER", "UNSIGNED INTEGER", "DOUBLE", "BOOLEAN", "NULL", "BLOB", "SOMETHING"})
    EXPECT_FALSE(retype(string, type).ok()) << type;
  EXPECT_FALSE(retype(JsonValue::signed_integer(-1), "UNSIGNED INTEGER").ok());
}

TEST(retype_leaves, goes_in_the_order_of_leaves) {
  auto value = parse_json_text(R"({"a": ["2015-01-15", 1.10], "b": 1})").value();
  ASSERT_TRUE(retype_leaves(value, {"DATE", "DECIMAL", "UNSIGNED INTEGER"}).ok());
  EXPECT_EQ(value.members()[0].value.items()[0], JsonValue::temporal(JsonKind::date, "2015-01-15"));
  EXPECT_EQ(value.members()[1].value, JsonValue::unsigned_integer(1));
  EXPECT_FALSE(retype_leaves(value, {"DATE"}).ok());
  EXPECT_FALSE(retype_leaves(value, {"DATE", "DECIMAL", "UNSIGNED INTEGER", "NULL"}).ok());
}

TEST(survives_text, knows_what_text_loses) {
  constexpr std::uint32_t max = std::numeric_limits<std::uint32_t>::max();
  EXPECT_TRUE(survives_text(JsonValue::signed_integer(max)));
  EXPECT_FALSE(survives_text(JsonValue::signed_integer(std::int64_t{max} + 1)));
  EXPECT_TRUE(survives_text(JsonValue::signed_integer(std::numeric_limits<std::int64_t>::min())));
  EXPECT_FALSE(survives_text(JsonValue::unsigned_integer(max)));
  EXPECT_TRUE(survives_text(JsonValue::unsigned_integer(std::uint64_t{max} + 1)));
  EXPECT_TRUE(survives_text(JsonValue::real(0.1)));
  EXPECT_FALSE(survives_text(JsonValue::real(1e25)));
  EXPECT_FALSE(survives_text(JsonValue::real(0.30000000000000004)));
  EXPECT_FALSE(survives_text(JsonValue::array({JsonValue(), JsonValue::object({{"a", JsonValue::decimal("1")}})})));
  EXPECT_TRUE(survives_text(JsonValue::array({})));
}

TEST(json_expression, escapes_text_for_sql) {
  EXPECT_EQ(expression(JsonValue::object({{"it's", JsonValue::string("\\")}})),
            R"(CAST(_utf8mb4'{\"it\'s\": \"\\\\\"}' AS JSON))");
}

TEST(json_expression, puts_typed_leaves_in_by_path) {
  EXPECT_EQ(expression(JsonValue::array({JsonValue::signed_integer(1), JsonValue::decimal("1.10")})),
            "JSON_REPLACE(CAST(_utf8mb4'[1, null]' AS JSON), _utf8mb4'$[1]', CAST('1.10' AS DECIMAL(65,2)))");
  EXPECT_EQ(expression(JsonValue::unsigned_integer(5)), "CAST(CAST(5 AS UNSIGNED) AS JSON)");
}

TEST(json_expression, refuses_by_name_what_no_expression_makes) {
  try {
    expression(JsonValue::opaque(253, "a"));
    FAIL();
  } catch (const base::Failure& failure) {
    EXPECT_EQ(failure.kind(), base::FailureKind::unsupported);
    EXPECT_NE(std::string(failure.what()).find("field type 253"), std::string::npos);
  }
}

}  // namespace
}  // namespace reseal::sql

// SPDX-License-Identifier: Apache-2.0
#include "verify/row_hash.hpp"

#include <gmock/gmock.h>

#include "verify/row_reader.hpp"

namespace reseal::verify {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

sql::Column column(const std::string& name, const std::string& type, bool nullable) {
  sql::Column made;
  made.name = name;
  made.data_type = type;
  made.family = *sql::family_of(type);
  made.nullable = nullable;
  if (made.family == sql::ColumnFamily::text) made.character_set = "utf8mb4";
  return made;
}

sql::Table table(std::vector<sql::Column> columns) {
  sql::Table made;
  made.name = {"shop", "orders"};
  made.columns = std::move(columns);
  made.keys = {{"PRIMARY", true, {{0, std::nullopt, false}}}};
  return made;
}

RowHash hash_of(std::uint8_t first, std::uint8_t last) {
  RowHash hash{};
  hash.front() = first;
  hash.back() = last;
  return hash;
}

TEST(RowHashExpression, short_columns_are_joined_by_a_binary_comma) {
  EXPECT_EQ(row_hash_expression(table({column("id", "int", false), column("name", "varchar", true)})),
            "UNHEX(SHA2(CONCAT_WS(CAST(',' AS BINARY),r.`id`,IFNULL(LENGTH(r.`name`),'N'),r.`name`),256))");
}

TEST(RowHashExpression, floating_point_enters_as_its_bits) {
  EXPECT_THAT(row_hash_expression(table({column("d", "double", true)})), HasSubstr("ISNULL(r.`d`),POINT(r.`d`,0)"));
}

TEST(RowHashExpression, bit_enum_and_set_enter_as_numbers) {
  const auto text =
      row_hash_expression(table({column("b", "bit", false), column("e", "enum", true), column("s", "set", false)}));
  EXPECT_THAT(text, HasSubstr("CAST(r.`b` AS UNSIGNED),IFNULL(CAST(r.`e` AS UNSIGNED),'N'),CAST(r.`s` AS UNSIGNED)"));
}

TEST(RowHashExpression, long_columns_enter_as_hashes_whose_failure_shows) {
  EXPECT_EQ(row_hash_expression(table({column("id", "int", false), column("body", "longblob", true)})),
            "UNHEX(SHA2(CONCAT(CONCAT_WS(CAST(',' AS BINARY),r.`id`),',',IF(r.`body` IS NULL,'N',SHA2(r.`body`,256))),"
            "256))");
}

TEST(RowHashExpression, json_enters_with_its_types) {
  const auto json = table({column("doc", "json", true)});
  EXPECT_THAT(row_hash_expression(json), HasSubstr("JSON_TABLE(r.`doc`,'$**[*]'"));
  EXPECT_THAT(row_hash_expression(json), HasSubstr("JSON_TABLE(r.`doc`,'$**.*'"));
  EXPECT_TRUE(needs_warning_check(json));
  EXPECT_FALSE(needs_warning_check(table({column("id", "int", false)})));
}

TEST(RowHashExpression, a_backtick_in_a_name_stays_a_name) {
  EXPECT_THAT(row_hash_expression(table({column("a`),(b", "int", false)})), HasSubstr("r.`a``),(b`"));
}

TEST(HashSum, does_not_depend_on_order) {
  HashSum one;
  one.add(hash_of(1, 2));
  one.add(hash_of(3, 4));
  HashSum other;
  other.add(hash_of(3, 4));
  other.add(hash_of(1, 2));
  EXPECT_EQ(one, other);
  EXPECT_EQ(one.count(), 2U);
}

TEST(HashSum, sees_what_xor_is_blind_to) {
  // Two rows that change from the same hash to the same other hash cancel out under XOR.
  HashSum before;
  HashSum after;
  for (int i = 0; i < 2; ++i) {
    before.add(hash_of(1, 1));
    after.add(hash_of(2, 2));
  }
  EXPECT_NE(before, after);
}

TEST(HashSum, carries_into_the_next_limb_and_wraps_at_the_end) {
  RowHash all_ones;
  all_ones.fill(0xFF);
  RowHash one{};
  one[0] = 1;
  HashSum sum;
  sum.add(all_ones);
  sum.add(one);
  EXPECT_EQ(sum.text(), std::string(64, '0') + ":2");
}

TEST(HashSum, of_parts_is_the_sum_of_the_whole) {
  HashSum whole;
  HashSum left;
  HashSum right;
  for (std::uint8_t i = 0; i < 100; ++i) {
    whole.add(hash_of(i, 255));
    (i < 40 ? left : right).add(hash_of(i, 255));
  }
  left.add(right);
  EXPECT_EQ(left, whole);
}

TEST(Key, comes_back_from_its_encoding) {
  const sql::KeyValues key = {"", std::string("a\0,", 3), "7"};
  EXPECT_EQ(decode_key(encode_key(key)), key);
  EXPECT_NE(encode_key({"a", "b"}), encode_key({"a,b"}));
}

TEST(Key, digest_is_what_the_server_makes_of_concat_ws) {
  // SHA2(CONCAT_WS(',', 1, 2), 256), known from printf '1,2' | sha256sum
  EXPECT_EQ(key_digest(encode_key({"1", "2"})), "17f8af97ad4a7f7639a4c9171d5185cbafb85462877a4746c21bdb0a4f940ca0");
}

TEST(UsableKey, passes_over_keys_that_cannot_bound_a_range) {
  auto with_float_key = table({column("f", "float", false), column("id", "int", false)});
  EXPECT_EQ(usable_key(with_float_key), nullptr);
  with_float_key.keys.push_back({"by_id", true, {{1, std::nullopt, false}}});
  ASSERT_NE(usable_key(with_float_key), nullptr);
  EXPECT_EQ(usable_key(with_float_key)->name, "by_id");
  with_float_key.columns[1].nullable = true;
  EXPECT_EQ(usable_key(with_float_key), nullptr);
}

}  // namespace
}  // namespace reseal::verify

// SPDX-License-Identifier: Apache-2.0
#include "sql/key_range.hpp"

#include <gtest/gtest.h>

#include "base/failure.hpp"

namespace reseal::sql {
namespace {

Column column(const std::string& name, const std::string& type, const std::string& character_set = {}) {
  Column made;
  made.name = name;
  made.data_type = type;
  made.family = *family_of(type);
  made.character_set = character_set;
  made.nullable = false;
  return made;
}

Table table(std::vector<Column> columns) {
  Table made;
  made.name = {"shop", "orders"};
  Key primary{"PRIMARY", true, {}};
  for (std::size_t i = 0; i < columns.size(); ++i) primary.parts.push_back({i, std::nullopt, false});
  made.columns = std::move(columns);
  made.keys = {primary};
  return made;
}

const Table one = table({column("id", "bigint")});
const Table three = table({column("a", "int"), column("b", "varchar", "utf8mb4"), column("c", "date")});

TEST(KeyRange, without_bounds_is_every_row) {
  EXPECT_EQ(key_range_condition(one, one.keys[0], std::nullopt, std::nullopt), "TRUE");
}

TEST(KeyRange, lower_is_exclusive_and_upper_inclusive) {
  EXPECT_EQ(key_range_condition(one, one.keys[0], KeyValues{"5"}, KeyValues{"18446744073709551615"}),
            "((`id`>5) AND (`id`<=18446744073709551615))");
  EXPECT_EQ(key_range_condition(one, one.keys[0], std::nullopt, KeyValues{"-9"}), "((`id`<=-9))");
}

TEST(KeyRange, many_parts_compare_row_wise_under_a_bound_on_the_first) {
  EXPECT_EQ(
      key_range_condition(three, three.keys[0], KeyValues{"1", "x", "2024-02-29"}, std::nullopt),
      "((`a`>=1 AND (`a`>1 OR (`a`=1 AND (`b`>_utf8mb4 X'78' OR (`b`=_utf8mb4 X'78' AND (`c`>'2024-02-29')))))))");
  EXPECT_EQ(key_range_condition(three, three.keys[0], std::nullopt, KeyValues{"1", "", "0000-00-00"}),
            "((`a`<=1 AND (`a`<1 OR (`a`=1 AND (`b`<_utf8mb4 X'' OR (`b`=_utf8mb4 X'' AND (`c`<='0000-00-00')))))))");
}

TEST(KeyRange, boundary_is_the_last_row_of_the_chunk) {
  EXPECT_EQ(boundary_query(one, one.keys[0], KeyValues{"5"}, 1000),
            "SELECT `id` FROM `shop`.`orders` FORCE INDEX (PRIMARY) WHERE ((`id`>5)) ORDER BY `id` LIMIT 1 OFFSET 999");
}

TEST(KeyRange, a_list_of_keys_is_one_condition) {
  EXPECT_EQ(key_list_condition(one, one.keys[0], {{"1"}, {"2"}}), "(`id` IN (1,2))");
  EXPECT_EQ(
      key_list_condition(three, three.keys[0], {{"1", "a", "2020-01-01"}, {"2", "", "2020-01-02"}}),
      "((`a`=1 AND `b`=_utf8mb4 X'61' AND `c`='2020-01-01') OR (`a`=2 AND `b`=_utf8mb4 X'' AND `c`='2020-01-02'))");
  EXPECT_EQ(key_list_condition(one, one.keys[0], {}), "FALSE");
}

TEST(KeyRange, strings_go_and_come_as_stored_bytes) {
  EXPECT_EQ(key_columns(three, three.keys[0]), "`a`, CAST(`b` AS BINARY), `c`");
  EXPECT_EQ(key_literal(column("g", "char", "gbk"), "\xBF\x5C'"), "_gbk X'BF5C27'");
  EXPECT_EQ(key_literal(column("v", "varbinary"), std::string("\0\x01", 2)), "X'0001'");
}

TEST(KeyRange, enum_set_and_bit_go_as_numbers) {
  for (const auto* type : {"enum", "set", "bit"}) {
    const auto numbered = table({column("n", type)});
    EXPECT_EQ(key_columns(numbered, numbered.keys[0]), "CAST(`n` AS UNSIGNED)");
    EXPECT_EQ(key_literal(numbered.columns[0], "3"), "3");
  }
}

TEST(KeyRange, a_range_of_a_small_enum_is_a_list) {
  auto one_enum = table({column("e", "enum"), column("id", "int")});
  one_enum.columns[0].column_type = "enum('a','b,''c','d')";
  const auto& key = one_enum.keys[0];
  EXPECT_EQ(key_range_condition(one_enum, key, KeyValues{"2", "5"}, std::nullopt),
            "((`e` IN (2,3) AND (`e` IN (3) OR (`e`=2 AND (`id`>5)))))");
  EXPECT_EQ(key_range_condition(one_enum, key, KeyValues{"3", "5"}, std::nullopt),
            "((`e` IN (3) AND (FALSE OR (`e`=3 AND (`id`>5)))))");
  EXPECT_EQ(key_range_condition(one_enum, key, std::nullopt, KeyValues{"1", "5"}),
            "((`e` IN (0,1) AND (`e` IN (0) OR (`e`=1 AND (`id`<=5)))))");
}

TEST(KeyRange, refuses_bytes_that_the_column_cannot_have_sent) {
  for (const auto* bad : {"", "1 OR 1=1", "1e3", "--1", "1.2.3", ".", "0x10", "1;"})
    EXPECT_THROW(key_literal(column("id", "int"), bad), base::Failure) << bad;
  for (const auto* bad : {"", "2020-01-01' OR '1", "now()"})
    EXPECT_THROW(key_literal(column("d", "date"), bad), base::Failure) << bad;
}

TEST(KeyRange, refuses_keys_that_cannot_bound_a_range) {
  for (const auto* type : {"float", "double", "json", "point"}) {
    const auto bad = table({column("k", type)});
    EXPECT_THROW(key_columns(bad, bad.keys[0]), base::Failure) << type;
    EXPECT_THROW(boundary_query(bad, bad.keys[0], std::nullopt, 10), base::Failure) << type;
  }
  auto prefix = one;
  prefix.keys[0].parts[0].prefix = 10;
  EXPECT_THROW(key_columns(prefix, prefix.keys[0]), base::Failure);
  auto functional = one;
  functional.keys[0].parts[0].functional = true;
  EXPECT_THROW(key_order(functional, functional.keys[0]), base::Failure);
}

TEST(KeyRange, an_index_that_may_be_invisible_is_not_forced) {
  auto secondary = one;
  secondary.keys[0].name = "by_id";
  EXPECT_EQ(key_index_hint(secondary.keys[0]), "");
}

}  // namespace
}  // namespace reseal::sql

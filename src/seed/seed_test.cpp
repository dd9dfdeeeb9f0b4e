// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/failure.hpp"
#include "seed/chunk_store.hpp"
#include "seed/column_transfer.hpp"
#include "seed/exotic_json.hpp"
#include "seed/load_encoder.hpp"

namespace reseal::seed {
namespace {

std::string encoded(std::vector<std::string> values, const std::vector<bool>& null, std::size_t step) {
  std::vector<char*> pointers;
  std::vector<unsigned long> lengths;
  for (std::size_t i = 0; i < values.size(); ++i) {
    pointers.push_back(null[i] ? nullptr : values[i].data());
    lengths.push_back(values[i].size());
  }
  LoadEncoder encoder;
  encoder.begin(mysql::RowView(pointers.data(), lengths.data(), values.size()), values.size());
  std::string out;
  std::vector<char> buffer(step);
  while (!encoder.row_done()) out.append(buffer.data(), encoder.write(buffer.data(), step));
  return out;
}

TEST(load_encoder, writes_the_same_bytes_whatever_the_buffer) {
  const std::vector<std::string> values = {std::string("a\0b", 3), "tab\there", "line\n", "back\\slash", "", "", "x"};
  const std::vector<bool> null = {false, false, false, false, false, true, false};
  const std::string expected = "a\\0b\ttab\\there\tline\\n\tback\\\\slash\t\t\\N\tx\n";
  for (std::size_t step : {1U, 2U, 3U, 7U, 4096U}) EXPECT_EQ(encoded(values, null, step), expected) << step;
}

TEST(column_transfer, what_text_cannot_carry_goes_as_a_number_or_by_its_parts) {
  sql::Table table;
  table.name = {"s", "t"};
  table.columns = {{.name = "f", .family = sql::ColumnFamily::real32},
                   {.name = "e", .family = sql::ColumnFamily::enumeration},
                   {.name = "g", .family = sql::ColumnFamily::integer, .generated = true},
                   {.name = "j", .family = sql::ColumnFamily::json}};
  const auto plan = plan_transfer(table);
  EXPECT_EQ(plan.columns, (std::vector<std::size_t>{0, 1, 3}));
  EXPECT_EQ(plan.json_columns, (std::vector<std::size_t>{2}));
  EXPECT_NE(plan.select_list.find("CAST(`f` AS DOUBLE), CAST(`e` AS UNSIGNED), `j`, CONCAT_WS"), std::string::npos);
  EXPECT_EQ(plan.load_columns, "(`f`, @v1, @v2) SET `e`=CAST(@v1 AS UNSIGNED), `j`=CONVERT(@v2 USING utf8mb4)");
}

TEST(exotic_json, plain_documents_pass_and_typed_ones_are_seen) {
  EXPECT_FALSE(may_lose_by_text(R"({"a": 1})", "OBJECT|INTEGER|"));
  EXPECT_TRUE(may_lose_by_text(R"({"a": 1})", "OBJECT|UNSIGNED INTEGER|"));
  EXPECT_TRUE(may_lose_by_text(R"([1.5])", "ARRAY||DOUBLE"));
  EXPECT_TRUE(may_lose_by_text(R"({"a": 5000000000})", "OBJECT|INTEGER|")) << "the parser makes it unsigned";
}

TEST(exotic_json, parts_are_taken_in_the_servers_order) {
  // $**.* gives a, c, then what is below a: b; $**[*] gives the cells.
  const auto expression =
      rebuild_expression(R"({"a": {"b": 1.10}, "c": ["2024-01-01", "x"]})", "OBJECT|OBJECT,ARRAY,DECIMAL|DATE,STRING");
  EXPECT_NE(expression.find("1.10"), std::string::npos);
  EXPECT_NE(expression.find("CAST('2024-01-01' AS DATE)"), std::string::npos);
  EXPECT_EQ(rebuild_expression(R"({"a": 1.5})", "OBJECT|DOUBLE|"), "") << "this double survives";
}

TEST(exotic_json, types_that_do_not_fit_the_text_are_refused) {
  EXPECT_THROW(rebuild_expression(R"({"a": 1})", "OBJECT|INTEGER,DATE|"), base::Failure);
  EXPECT_THROW(rebuild_expression(R"({"a": 1})", "OBJECT|ARRAY|"), base::Failure);
  EXPECT_THROW(rebuild_expression(R"({"a": 1})", "OBJECT"), base::Failure);
}

TEST(chunk_store, keys_come_back_byte_for_byte) {
  const sql::KeyValues key = {"17", std::string("\0\xFF'", 3), ""};
  EXPECT_EQ(unpack_key(pack_key(key)), key);
  EXPECT_THROW(unpack_key("\x05\0\0\0ab"), base::Failure);
}

}  // namespace
}  // namespace reseal::seed

// SPDX-License-Identifier: Apache-2.0
#include "binlog/rows_event.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "binlog/events_for_tests.hpp"

namespace reseal::binlog {
namespace {

using testing::HasSubstr;

FormatDescription format() { return parse_format_description(*captured()[0]).value(); }

/// The captured table maps, in order.
std::vector<std::shared_ptr<const TableMap>> table_maps() {
  std::vector<std::shared_ptr<const TableMap>> maps;
  for (const auto& event : captured_without_checksums()) {
    const auto header = parse_event_header(*event).value();
    if (header.type != EventType::table_map) continue;
    const auto body = event_body(*event, header, ChecksumAlgorithm::none).value();
    const auto map = parse_table_map(body, format());
    EXPECT_TRUE(map.ok()) << map.error();
    if (map.ok()) maps.push_back(map.value());
  }
  return maps;
}

const ColumnType& column(const TableMap& table, const std::string& name) {
  for (const auto& candidate : table.columns)
    if (candidate.name == name) return candidate;
  throw std::out_of_range(name);
}

/// id 5, schema d, table t; `types` and `metadata` in hexadecimal.
base::Result<std::shared_ptr<const TableMap>> make_map(const std::string& types, const std::string& metadata,
                                                       const std::string& optional = "") {
  const auto wire_types = unhex(types);
  const auto wire_metadata = unhex(metadata);
  const auto body = little_endian(5, 6) + little_endian(1, 2) + std::string("\1d\0\1t\0", 6) +
                    static_cast<char>(wire_types.size()) + wire_types + static_cast<char>(wire_metadata.size()) +
                    wire_metadata + std::string((wire_types.size() + 7) / 8, '\xFF') + unhex(optional);
  return parse_table_map(body, format());
}

TEST(table_map, with_full_metadata) {
  const auto table = table_maps().front();
  EXPECT_EQ(table->name.text(), "cap.every");
  EXPECT_TRUE(table->named());
  EXPECT_EQ(table->columns.size(), 28U);
  EXPECT_EQ(table->primary_key, (std::vector<PrimaryKeyPart>{{0, 0}}));
  EXPECT_FALSE(column(*table, "id").nullable);
  EXPECT_TRUE(column(*table, "c1").nullable);
  EXPECT_EQ(column(*table, "c1").is_unsigned, false);
  EXPECT_EQ(column(*table, "c2").is_unsigned, true);
  EXPECT_EQ(column(*table, "e").type, FieldType::enumeration);
  EXPECT_EQ(column(*table, "e").members, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(column(*table, "s").type, FieldType::set);
  EXPECT_EQ(column(*table, "s").members, (std::vector<std::string>{"x", "y", "z"}));
  EXPECT_EQ(column(*table, "b").length, 17U);
  EXPECT_EQ(column(*table, "dc").precision, 20);
  EXPECT_EQ(column(*table, "dc").scale, 5);
  EXPECT_EQ(column(*table, "chl").length, 1020U);
  EXPECT_EQ(column(*table, "chl").length_bytes, 2);
  EXPECT_EQ(column(*table, "bi").collation, 63U);
  EXPECT_EQ(column(*table, "vb").collation, 63U);
  EXPECT_NE(column(*table, "vc").collation, 63U);
  EXPECT_EQ(column(*table, "g").geometry_type, 1U);
  EXPECT_EQ(column(*table, "ve").type, FieldType::vector);
  EXPECT_EQ(column(*table, "ve").dimensions, 2U);
  EXPECT_EQ(column(*table, "ts").scale, 2);
}

TEST(table_map, without_optional_metadata) {
  const auto table = make_map("03 0f", "0a00");
  ASSERT_TRUE(table.ok()) << table.error();
  EXPECT_FALSE(table.value()->named());
  EXPECT_FALSE(table.value()->columns[0].is_unsigned);
}

TEST(table_map, refuses_unknown_types_and_impossible_metadata) {
  EXPECT_THAT(make_map("14", "").error(), HasSubstr("unknown type 20"));
  EXPECT_THAT(make_map("f4", "").error(), HasSubstr("unknown type 244"));
  EXPECT_THAT(make_map("00", "").error(), HasSubstr("unknown type 0"));
  EXPECT_THAT(make_map("f6", "4201").error(), HasSubstr("impossible metadata"));
  EXPECT_THAT(make_map("fc", "05").error(), HasSubstr("impossible metadata"));
  EXPECT_THAT(make_map("10", "0900").error(), HasSubstr("impossible metadata"));
  EXPECT_THAT(make_map("13", "07").error(), HasSubstr("impossible metadata"));
  EXPECT_THAT(make_map("fe", "f703").error(), HasSubstr("impossible metadata"));
  EXPECT_THAT(make_map("0f", "00").error(), HasSubstr("column metadata"));
  EXPECT_THAT(make_map("03", "00").error(), HasSubstr("longer than its columns"));
  EXPECT_THAT(make_map("", "").error(), HasSubstr("impossible number of columns"));
}

TEST(table_map, skips_descriptions_it_does_not_know_and_refuses_broken_ones) {
  EXPECT_TRUE(make_map("03", "", "63 02 0102 01 01 80").ok());
  EXPECT_TRUE(make_map("03", "", "01 01 80").value()->columns[0].is_unsigned.value());
  EXPECT_FALSE(make_map("03", "", "01 05 80").ok());
  EXPECT_FALSE(make_map("03", "", "01 02 8000").ok());
  EXPECT_FALSE(make_map("03", "", "08 01 05").ok());
  EXPECT_FALSE(make_map("03", "", "04 02 0561").ok());
}

/// One INT column; `event` is the body of a rows event of version 2 in hexadecimal, after table id and flags.
std::string read_rows(EventType type, const std::string& event) {
  const auto body = unhex("050000000000 0100" + event);
  const auto header = parse_rows_header(body, type, format());
  if (!header.ok()) return header.error();
  auto reader = RowReader::make(header.value(), make_map("03", "").value(), nullptr);
  if (!reader.ok()) return reader.error();
  RowChange row;
  std::string seen;
  while (true) {
    const auto more = reader.value().next(row);
    if (!more.ok()) return more.error();
    if (!more.value()) return seen;
    for (const auto* image : {&row.before, &row.after})
      for (const auto& field : image->fields)
        seen += field.state == Field::State::null     ? "n"
                : field.state == Field::State::absent ? "-"
                                                      : field.raw.substr(0, 1);
    seen += ".";
  }
}

TEST(rows, are_read_by_kind) {
  EXPECT_EQ(read_rows(EventType::write_rows, "0200 01 01 00 61000000 01 00 62000000"), "a.n.b.");
  EXPECT_EQ(read_rows(EventType::delete_rows, "0200 01 01 00 61000000"), "a.");
  EXPECT_EQ(read_rows(EventType::update_rows, "0200 01 01 01 00 61000000 00 62000000"), "ab.");
  EXPECT_EQ(read_rows(EventType::update_rows, "0200 01 01 00 00 61000000"), "a-.");
}

TEST(rows, skip_extra_information) {
  EXPECT_EQ(read_rows(EventType::write_rows, "0500 010203 01 01 00 61000000"), "a.");
  EXPECT_THAT(read_rows(EventType::write_rows, "0100 01 01"), HasSubstr("extra row information"));
}

TEST(rows, reject_an_image_shorter_than_its_bitmap_says) {
  EXPECT_THAT(read_rows(EventType::write_rows, "0200 01 01 00 6100"), HasSubstr("ends early"));
  EXPECT_THAT(read_rows(EventType::update_rows, "0200 01 01 01 00 61000000"), HasSubstr("ends early"));
  EXPECT_THAT(read_rows(EventType::write_rows, "0200 09 01"), HasSubstr("ends early"));
}

TEST(rows, reject_another_number_of_columns_and_rows_without_any) {
  EXPECT_THAT(read_rows(EventType::write_rows, "0200 02 03 00 61000000"), HasSubstr("but its table map has 1"));
  EXPECT_THAT(read_rows(EventType::write_rows, "0200 01 00"), HasSubstr("name no column"));
  EXPECT_THAT(read_rows(EventType::write_rows, "0200 01 fe 00"), HasSubstr("name no column"));
  EXPECT_THAT(read_rows(EventType::write_rows, "0200 fd ffff7f"), HasSubstr("impossible number"));
}

TEST(rows, of_partial_updates_tell_changes_from_documents) {
  const auto maps = table_maps();
  const auto& js = *maps.back();
  ASSERT_EQ(js.name.name, "js");
  std::size_t changes = 0;
  for (const auto& event : captured_without_checksums()) {
    const auto header = parse_event_header(*event).value();
    if (header.type != EventType::partial_update_rows) continue;
    const auto body = event_body(*event, header, ChecksumAlgorithm::none).value();
    auto reader = RowReader::make(parse_rows_header(body, header.type, format()).value(), maps.back(), event).value();
    RowChange row;
    ASSERT_TRUE(reader.next(row).value());
    EXPECT_EQ(row.before.fields[1].state, Field::State::present);
    EXPECT_EQ(row.after.fields[1].state, Field::State::json_diff);
    // The other document: set from NULL in the first change, left alone (no changes listed) in the second.
    EXPECT_EQ(row.after.fields[2].state, changes == 0 ? Field::State::present : Field::State::json_diff);
    if (changes == 1) {
      EXPECT_EQ(row.after.fields[2].raw, "");
    }
    EXPECT_FALSE(reader.next(row).value());
    ++changes;
  }
  EXPECT_EQ(changes, 2U);
}

}  // namespace
}  // namespace reseal::binlog

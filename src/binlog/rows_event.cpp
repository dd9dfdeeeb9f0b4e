// SPDX-License-Identifier: Apache-2.0
#include "binlog/rows_event.hpp"

#include <algorithm>
#include <optional>

#include "binlog/packed_decimal.hpp"

namespace reseal::binlog {
namespace {

using base::BadInput;
using base::ByteCursor;
using base::Result;

bool bit(std::string_view bitmap, std::size_t index) {
  return (static_cast<unsigned char>(bitmap[index / 8]) >> (index % 8) & 1U) != 0;
}

/// How many of `columns` columns the bitmap has; the bits that fill its last byte do not count.
std::size_t count_bits(std::string_view bitmap, std::size_t columns) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < columns && i / 8 < bitmap.size(); ++i) count += bit(bitmap, i) ? 1 : 0;
  return count;
}

RowChange::Kind kind_of(EventType type) {
  switch (type) {
    case EventType::write_rows_v1:
    case EventType::write_rows:
      return RowChange::Kind::insert;
    case EventType::delete_rows_v1:
    case EventType::delete_rows:
      return RowChange::Kind::remove;
    default:
      return RowChange::Kind::update;
  }
}

/// Bytes of a value whose size follows from its type; nothing for those with a length in front.
std::optional<std::uint64_t> fixed_size(const ColumnType& column) {
  const std::uint64_t fraction = (column.scale + 1U) / 2U;
  switch (column.type) {
    case FieldType::null:
      return 0;
    case FieldType::tiny:
    case FieldType::year:
      return 1;
    case FieldType::int16:
      return 2;
    case FieldType::int24:
    case FieldType::date:
    case FieldType::newdate:
    case FieldType::time:
      return 3;
    case FieldType::int32:
    case FieldType::real32:
    case FieldType::timestamp:
      return 4;
    case FieldType::int64:
    case FieldType::real64:
    case FieldType::datetime:
      return 8;
    case FieldType::time2:
      return 3 + fraction;
    case FieldType::timestamp2:
      return 4 + fraction;
    case FieldType::datetime2:
      return 5 + fraction;
    case FieldType::bit:
      return (column.length + 7) / 8;
    case FieldType::enumeration:
    case FieldType::set:
      return column.length;
    case FieldType::new_decimal:
      return packed_decimal_size(column.precision, column.scale);
    default:
      return std::nullopt;
  }
}

}  // namespace

Result<RowsHeader> parse_rows_header(std::string_view body, EventType type, const FormatDescription& format) {
  constexpr unsigned header_v1 = 8;
  constexpr unsigned header_v2 = 10;
  ByteCursor cursor(body);
  RowsHeader header;
  const auto header_length = format.post_header_length(type);
  if (header_length != header_v1 && header_length != header_v2)
    return BadInput{event_type_name(type) + " event: unknown header length"};
  header.kind = kind_of(type);
  header.partial = type == EventType::partial_update_rows;
  header.table_id = cursor.uint_le(6);
  header.flags = cursor.u16();
  if (header_length == header_v2) {
    // Extra row information (NDB, partition numbers) does not change what the rows say; its length counts itself.
    const auto extra = cursor.u16();
    if (extra < 2) cursor.fail("impossible length of the extra row information");
    cursor.skip(extra < 2 ? 0 : extra - 2U);
  }
  header.column_count = cursor.lenenc();
  if (header.column_count > 4096) cursor.fail("impossible number of columns");
  const auto bitmap_size = (header.column_count + 7) / 8;
  const auto columns = cursor.bytes(bitmap_size);
  const auto second = header.kind == RowChange::Kind::update ? cursor.bytes(bitmap_size) : columns;
  if (header.kind != RowChange::Kind::insert) header.before_columns = columns;
  if (header.kind != RowChange::Kind::remove) header.after_columns = second;
  header.rows = cursor.rest();
  if (!cursor.ok()) return BadInput{event_type_name(type) + " event: " + cursor.error()};
  return header;
}

RowReader::RowReader(const RowsHeader& header, std::shared_ptr<const TableMap> table, EventBytes owner)
    : header_(header), table_(std::move(table)), owner_(std::move(owner)), cursor_(header.rows) {}

Result<RowReader> RowReader::make(const RowsHeader& header, std::shared_ptr<const TableMap> table, EventBytes owner) {
  if (header.column_count != table->columns.size())
    return BadInput{"rows of " + table->name.text() + " have " + std::to_string(header.column_count) +
                    " columns, but its table map has " + std::to_string(table->columns.size())};
  // Such rows take no bytes, so nobody can count them (an INSERT of nothing but defaults under
  // binlog_row_image=MINIMAL).
  const auto columns = table->columns.size();
  if (count_bits(header.before_columns, columns) + count_bits(header.after_columns, columns) == 0 && !header.partial)
    return BadInput{"rows of " + table->name.text() + " name no column"};
  return RowReader(header, std::move(table), std::move(owner));
}

void RowReader::read_diff_columns(std::string_view& diff_columns) {
  // mysql-server sql/rpl_record.cc, unpack_row: options, and with PARTIAL_JSON_UPDATES one bit per JSON column of the
  // table, whether the image has it or not.
  constexpr std::uint64_t partial_json_updates = 1;
  const auto options = cursor_.lenenc();
  if ((options & ~partial_json_updates) != 0) cursor_.fail("unknown row value options");
  if ((options & partial_json_updates) == 0) return;
  const auto json_columns = std::count_if(table_->columns.begin(), table_->columns.end(),
                                          [](const ColumnType& column) { return column.type == FieldType::json; });
  diff_columns = cursor_.bytes((static_cast<std::uint64_t>(json_columns) + 7) / 8);
}

void RowReader::read_image(RowImage& image, std::string_view columns, bool after_of_partial) {
  const auto& types = table_->columns;
  image.fields.assign(types.size(), Field{});
  std::string_view diff_columns;
  if (after_of_partial) read_diff_columns(diff_columns);
  const auto nulls = cursor_.bytes((count_bits(columns, types.size()) + 7) / 8);
  if (!cursor_.ok()) return;
  std::size_t position = 0;
  std::size_t json_position = 0;
  for (std::size_t i = 0; i < types.size() && cursor_.ok(); ++i) {
    const bool is_json = types[i].type == FieldType::json;
    const bool is_diff = is_json && !diff_columns.empty() && bit(diff_columns, json_position);
    json_position += is_json ? 1 : 0;
    if (!bit(columns, i)) continue;
    auto& field = image.fields[i];
    if (bit(nulls, position++)) {
      field.state = Field::State::null;
      continue;
    }
    field.state = is_diff ? Field::State::json_diff : Field::State::present;
    const auto size = fixed_size(types[i]);
    field.raw = cursor_.bytes(size ? *size : cursor_.uint_le(types[i].length_bytes));
    if (types[i].type == FieldType::string && field.raw.size() > types[i].length) cursor_.fail("string too long");
  }
}

Result<bool> RowReader::next(RowChange& row) {
  if (cursor_.ok() && cursor_.at_end()) return false;
  row.kind = header_.kind;
  row.owner = owner_;
  row.before.fields.clear();
  row.after.fields.clear();
  if (header_.kind != RowChange::Kind::insert) read_image(row.before, header_.before_columns, false);
  if (cursor_.ok() && header_.kind != RowChange::Kind::remove)
    read_image(row.after, header_.after_columns, header_.partial);
  if (!cursor_.ok()) return BadInput{"row of " + table_->name.text() + ": " + cursor_.error()};
  return true;
}

}  // namespace reseal::binlog

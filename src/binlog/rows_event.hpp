// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/byte_cursor.hpp"
#include "binlog/event.hpp"
#include "binlog/format_description.hpp"
#include "binlog/table_map.hpp"

namespace reseal::binlog {

/// One column of one row image. Not in the image (binlog_row_image=MINIMAL or NOBLOB) is not NULL.
struct Field {
  enum class State : std::uint8_t {
    absent,
    null,
    present,
    json_diff  ///< `raw` is a list of changes against the before image (binlog_row_value_options=PARTIAL_JSON)
  };
  State state = State::absent;
  std::string_view raw;  ///< stored bytes as in the image, without the length in front of strings and blobs
};

/// One entry per column of the table map.
struct RowImage {
  std::vector<Field> fields;
};

/// One changed row. `before` is filled for updates and deletes, `after` for inserts and updates; the other has no
/// fields. The views live as long as `owner`.
struct RowChange {
  enum class Kind : std::uint8_t { insert, update, remove };
  Kind kind = Kind::insert;
  RowImage before;
  RowImage after;
  EventBytes owner;
};

/// The head of a rows event, enough to find its table.
struct RowsHeader {
  std::uint64_t table_id = 0;
  std::uint16_t flags = 0;
  RowChange::Kind kind = RowChange::Kind::insert;
  bool partial = false;  ///< PARTIAL_UPDATE_ROWS
  std::uint64_t column_count = 0;
  std::string_view before_columns;  ///< bitmaps
  std::string_view after_columns;
  std::string_view rows;

  bool last_of_statement() const { return (flags & 1) != 0; }
  /// The event that only ends a statement and names no table (table id 0xFFFFFF).
  bool dummy() const { return table_id == 0xFFFFFF; }
};
base::Result<RowsHeader> parse_rows_header(std::string_view body, EventType type, const FormatDescription& format);

/// Reads the rows of one event front to back, holding one row at a time. Not thread-safe; may be moved to another
/// thread.
class RowReader {
 public:
  /// `owner` keeps the bytes of `header` alive. The header's column count must be the table's (checked by `make`).
  static base::Result<RowReader> make(const RowsHeader& header, std::shared_ptr<const TableMap> table,
                                      EventBytes owner);

  /// Reads the next row into `row`, whose memory is reused. False at the end.
  base::Result<bool> next(RowChange& row);
  /// Bytes not read yet: a weight for flow control.
  std::size_t remaining() const { return cursor_.remaining(); }

 private:
  RowReader(const RowsHeader& header, std::shared_ptr<const TableMap> table, EventBytes owner);
  void read_image(RowImage& image, std::string_view columns, bool after_of_partial);
  void read_diff_columns(std::string_view& diff_columns);

  RowsHeader header_;
  std::shared_ptr<const TableMap> table_;
  EventBytes owner_;
  base::ByteCursor cursor_;
};

}  // namespace reseal::binlog

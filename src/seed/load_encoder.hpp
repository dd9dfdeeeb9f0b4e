// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "mysql/session.hpp"

namespace reseal::seed {

/// Writes rows in the text format of LOAD DATA (MySQL manual, "LOAD DATA Statement", Field and Line Handling:
/// TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n', NULL as \N) piece by piece into small buffers, so that
/// a huge value is never copied whole.
class LoadEncoder {
 public:
  /// Starts the next row: its first `columns` values. The row's views must live until `row_done`.
  void begin(const mysql::RowView& row, std::size_t columns);
  bool row_done() const { return column_ == columns_; }
  /// Continues the row; returns the bytes written, fewer than `size` only when the row is done.
  std::size_t write(char* buffer, std::size_t size);

 private:
  std::optional<mysql::RowView> row_;
  std::size_t columns_ = 0;
  std::size_t column_ = 0;
  std::size_t offset_ = 0;
  char pending_ = 0;  ///< second half of an escape that did not fit
  bool has_pending_ = false;
};

}  // namespace reseal::seed

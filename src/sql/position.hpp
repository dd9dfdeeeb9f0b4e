// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "sql/gtid_set.hpp"

namespace reseal::sql {

/// A place in a server's binary log. Ordered by file number, then offset (64 bits: files pass 4 GiB).
/// File names are compared by the number after the last dot, so that .999999 sorts before .1000000.
struct BinlogPosition {
  std::string file;
  std::uint64_t offset = 0;

  std::strong_ordering operator<=>(const BinlogPosition& other) const;
  bool operator==(const BinlogPosition& other) const { return std::is_eq(*this <=> other); }
  /// "binlog.000004:157"
  std::string text() const { return file + ":" + std::to_string(offset); }
  static base::Result<BinlogPosition> parse(std::string_view text);
  bool empty() const { return file.empty(); }
};

/// Where a reader stands: always the binlog position, and with GTID on the set that is done.
struct SourcePosition {
  BinlogPosition binlog;
  GtidSet gtids;  ///< empty when the source runs without GTID

  std::string text() const { return gtids.empty() ? binlog.text() : binlog.text() + " " + gtids.text(); }
};

}  // namespace reseal::sql

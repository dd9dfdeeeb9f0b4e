// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "sql/key_range.hpp"
#include "sql/table.hpp"

namespace reseal::verify {

/// One row that is not the same on both sides.
struct Difference {
  enum class Kind { only_on_source, only_on_target, differs };
  sql::TableName table;
  std::string key_text;  ///< SHA-256 of the row's key in hexadecimal; never a value of the row
  Kind kind = Kind::differs;
};

/// "shop.orders: row 3f5a… is missing on the target", for a person.
std::string text(const Difference& difference);

/// A table, or a part of one, that was looked at and could not be judged, with the reason in words.
struct Unjudged {
  enum class Why {
    needs_quiet,    ///< no key to look rows up by: differs, but the differing rows may be on their way
    unsettled,      ///< rows that changed at every look: neither equal nor different
    not_comparable  ///< the tables cannot be compared at all: missing, or other columns
  };
  sql::TableName table;
  Why why = Why::needs_quiet;
  std::string reason;
  std::vector<sql::KeyValues> rows;  ///< of an unsettled table, when all its unsettled rows are known by key
};

std::string text(const Unjudged& unjudged);

/// What a comparison found. Equal only when `equal()`: an unjudged table is never counted as equal.
struct VerifyReport {
  std::uint64_t tables = 0;
  std::uint64_t rows = 0;  ///< rows of the source that were hashed in the first look
  std::uint64_t chunks = 0;
  std::uint64_t suspects = 0;           ///< rows looked at again since the first look differed
  std::vector<Difference> differences;  ///< at most Options::max_differences per table
  /// Tables with more differences than that: different as a whole; `differences` holds only some of their rows.
  std::vector<sql::TableName> different_tables;
  std::vector<Unjudged> unjudged;
  std::chrono::milliseconds duration{0};
  /// SHA-256 over each table's sum of row hashes on the source (modulo 2^256) and count, in name order; hexadecimal.
  /// The same for the same rows whatever the chunks were; only meaningful when nothing moved.
  std::string digest;

  bool equal() const { return differences.empty() && different_tables.empty() && unjudged.empty(); }
};

}  // namespace reseal::verify

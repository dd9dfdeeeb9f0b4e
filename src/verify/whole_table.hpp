// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "mysql/session.hpp"
#include "sql/table.hpp"
#include "verify/report.hpp"
#include "verify/row_hash.hpp"
#include "verify/second_look.hpp"

namespace reseal::verify {

/// All rows of a table without a usable key, as sums over 4096 buckets by the hash's first bits: 320 KiB per server,
/// whatever the table's size. Multiplicity counts: three equal rows are not two.
class BucketSums final {
 public:
  BucketSums();
  void add(const RowHash& hash) { sums_[bucket(hash)].add(hash); }
  HashSum total() const;
  static std::size_t bucket(const RowHash& hash) { return std::size_t{hash[0]} << 4 | hash[1] >> 4; }
  const HashSum& operator[](std::size_t i) const { return sums_[i]; }
  std::size_t size() const { return sums_.size(); }
  bool operator==(const BucketSums&) const = default;

 private:
  std::vector<HashSum> sums_;
};

struct WholeTableFinding {
  enum class State { equal, different, needs_quiet };
  State state = State::equal;
  HashSum source;
  /// Only when different: rows by their own hash as key_text; a row that differs shows as one row on each side. Empty
  /// when there are more than the limit.
  std::vector<Difference> differences;
};

/// Compares one table as a whole. Without `wait_until_followed` nothing moves, and one reading decides. With it, the
/// table is read up to `looks` times, the source, then the wait, then the target. Equal sums at any look are equality.
/// The table differs when two looks in a row show the same two sums and they are not equal: a table that stands still
/// can be judged by the argument of SuspectMachine, with the table in the place of the row. One that keeps moving needs
/// quiet.
WholeTableFinding compare_whole_table(mysql::Session& source, mysql::Session& target, const sql::Table& table,
                                      const WaitUntilFollowed& wait_until_followed, unsigned looks,
                                      std::size_t max_differences, std::stop_token stop);

}  // namespace reseal::verify

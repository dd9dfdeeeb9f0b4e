// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace reseal::sql {

/// One transaction's identity: source id, optional tag (MySQL 8.3), number.
struct Gtid {
  std::array<std::uint8_t, 16> uuid{};
  std::string tag;  ///< lower case, at most 32 characters; empty for an untagged GTID
  std::uint64_t number = 0;
  std::string text() const;
};

/// "8-4-4-4-12" lower-case hexadecimal, with or without dashes.
base::Result<std::array<std::uint8_t, 16>> parse_uuid(std::string_view text);
std::string uuid_text(const std::array<std::uint8_t, 16>& uuid);

/// A set of GTIDs with MySQL's text form "uuid:1-5:7,uuid:tag:1-3". Intervals are kept sorted and merged.
/// Also speaks the binary form of COM_BINLOG_DUMP_GTID and of PREVIOUS_GTIDS events (mysql-server
/// sql/rpl_gtid_set.cc, Gtid_set::encode).
class GtidSet {
 public:
  static base::Result<GtidSet> parse(std::string_view text);
  static base::Result<GtidSet> decode(std::string_view bytes);
  std::string text() const;
  /// The binary form: tagged (format 1) only when the set holds a tag, since servers before 8.3 read format 0 only.
  std::string encode() const;

  void add(const Gtid& gtid);
  void add(const GtidSet& other);
  bool contains(const Gtid& gtid) const;
  bool contains(const GtidSet& other) const;
  /// What is in this set and not in `other`.
  GtidSet minus(const GtidSet& other) const;
  bool empty() const { return sids_.empty(); }
  bool operator==(const GtidSet& other) const = default;

 private:
  struct Interval {
    std::uint64_t first;
    std::uint64_t last;  ///< inclusive
    bool operator==(const Interval&) const = default;
  };
  using Sid = std::pair<std::array<std::uint8_t, 16>, std::string>;
  void add(const Sid& sid, Interval interval);
  static constexpr std::uint64_t max_number = 0x7FFFFFFFFFFFFFFEULL;

  std::map<Sid, std::vector<Interval>> sids_;
};

}  // namespace reseal::sql

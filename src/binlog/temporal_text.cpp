// SPDX-License-Identifier: Apache-2.0
#include "binlog/temporal_text.hpp"

#include <cstdio>

namespace reseal::binlog {
namespace {

using base::BadInput;
using base::Result;

constexpr std::int64_t fraction_range = std::int64_t{1} << 24;

std::string padded(std::uint64_t value, std::size_t width) {
  auto digits = std::to_string(value);
  return digits.size() < width ? std::string(width - digits.size(), '0') + digits : digits;
}

std::string fraction_text(std::uint64_t microseconds, unsigned scale) {
  return scale == 0 ? "" : "." + padded(microseconds, 6).substr(0, scale);
}

std::string clock_text(std::uint64_t hour, std::uint64_t minute, std::uint64_t second) {
  return padded(hour, 2) + ":" + padded(minute, 2) + ":" + padded(second, 2);
}

bool valid_clock(std::uint64_t minute, std::uint64_t second, std::uint64_t microseconds) {
  return minute < 60 && second < 60 && microseconds < 1000000;
}

}  // namespace

Result<std::string> time_text(std::int64_t packed, unsigned scale) {
  if (packed == INT64_MIN) return BadInput{"TIME out of range"};
  const bool negative = packed < 0;
  const auto magnitude = static_cast<std::uint64_t>(negative ? -packed : packed);
  const auto clock = magnitude >> 24;
  const auto microseconds = magnitude & (fraction_range - 1);
  const auto hour = clock >> 12;
  const auto minute = clock >> 6 & 63;
  const auto second = clock & 63;
  if (hour > 838 || !valid_clock(minute, second, microseconds)) return BadInput{"TIME out of range"};
  return (negative ? "-" : "") + clock_text(hour, minute, second) + fraction_text(microseconds, scale);
}

Result<std::string> date_text(unsigned year, unsigned month, unsigned day) {
  if (year > 9999 || month > 12 || day > 31) return BadInput{"date out of range"};
  return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2);
}

Result<std::string> datetime_text(std::int64_t packed, unsigned scale) {
  if (packed < 0) return BadInput{"DATETIME out of range"};
  const auto bits = static_cast<std::uint64_t>(packed);
  const auto microseconds = bits & (fraction_range - 1);
  const auto clock = bits >> 24;
  const auto days = clock >> 17;
  const auto hour = clock >> 12 & 31;
  const auto minute = clock >> 6 & 63;
  const auto second = clock & 63;
  const auto months = days >> 5;
  if (months / 13 > 9999 || hour > 23 || !valid_clock(minute, second, microseconds))
    return BadInput{"DATETIME out of range"};
  auto date = date_text(static_cast<unsigned>(months / 13), static_cast<unsigned>(months % 13),
                        static_cast<unsigned>(days & 31));
  if (!date.ok()) return date;
  return std::move(date).value() + " " + clock_text(hour, minute, second) + fraction_text(microseconds, scale);
}

Result<std::string> date_text(std::int64_t packed) {
  if (packed < 0 || (packed & ((std::int64_t{1} << 41) - 1)) != 0) return BadInput{"DATE out of range"};
  auto text = datetime_text(packed, 0);
  if (!text.ok()) return text;
  return text.value().substr(0, text.value().find(' '));
}

Result<std::string> timestamp_text(std::uint64_t seconds, std::uint32_t microseconds, unsigned scale) {
  if (microseconds >= 1000000) return BadInput{"TIMESTAMP out of range"};
  if (seconds == 0 && microseconds == 0) return "0000-00-00 00:00:00" + fraction_text(0, scale);
  // Days to civil date after H. Hinnant, "chrono-Compatible Low-Level Date Algorithms"; years start in March.
  const auto days = seconds / 86400 + 719468;
  const auto era = days / 146097;
  const auto day_of_era = days % 146097;
  const auto year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const auto day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const auto shifted = (5 * day_of_year + 2) / 153;
  const auto month = shifted < 10 ? shifted + 3 : shifted - 9;
  const auto year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  auto date = date_text(static_cast<unsigned>(year), static_cast<unsigned>(month),
                        static_cast<unsigned>(day_of_year - (153 * shifted + 2) / 5 + 1));
  if (!date.ok()) return date;
  const auto clock = seconds % 86400;
  return std::move(date).value() + " " + clock_text(clock / 3600, clock / 60 % 60, clock % 60) +
         fraction_text(microseconds, scale);
}

}  // namespace reseal::binlog

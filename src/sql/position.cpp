// SPDX-License-Identifier: Apache-2.0
#include "sql/position.hpp"

#include <charconv>

namespace reseal::sql {
namespace {

std::uint64_t number_after(std::string_view text, char separator) {
  const auto at = text.rfind(separator);
  if (at == std::string_view::npos) return 0;
  std::uint64_t number = 0;
  std::from_chars(text.data() + at + 1, text.data() + text.size(), number);
  return number;
}

}  // namespace

std::strong_ordering BinlogPosition::operator<=>(const BinlogPosition& other) const {
  if (const auto by_file = number_after(file, '.') <=> number_after(other.file, '.'); std::is_neq(by_file))
    return by_file;
  return offset <=> other.offset;
}

base::Result<BinlogPosition> BinlogPosition::parse(std::string_view text) {
  const auto at = text.rfind(':');
  if (at == std::string_view::npos || at == 0) return base::BadInput{"a binlog position reads FILE:OFFSET"};
  BinlogPosition position{std::string(text.substr(0, at)), 0};
  const auto digits = text.substr(at + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), position.offset);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.empty())
    return base::BadInput{"a binlog position reads FILE:OFFSET"};
  return position;
}

}  // namespace reseal::sql

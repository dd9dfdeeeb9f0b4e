// SPDX-License-Identifier: Apache-2.0
#include "run/way.hpp"

#include <array>

namespace reseal::run {
namespace {
constexpr std::array ways = {Way::stream, Way::dump};
}

WayParts parts(Way way) { return {way == Way::dump ? FenceTime::before_copy : FenceTime::at_switch}; }

std::string_view name(Way way) { return way == Way::stream ? "stream" : "dump"; }

std::optional<Way> way_named(std::string_view text) {
  for (const auto way : ways)
    if (name(way) == text) return way;
  return std::nullopt;
}

std::string way_names() {
  std::string names;
  for (const auto way : ways) names += (names.empty() ? "" : ", ") + std::string(name(way));
  return names;
}

}  // namespace reseal::run

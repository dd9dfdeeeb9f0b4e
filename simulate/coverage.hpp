// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "cutover/machine.hpp"

namespace reseal::simulate {

constexpr unsigned steps = static_cast<unsigned>(cutover::Step::ask_decision) + 1;

/// What the runs came by.
struct Coverage {
  std::uint64_t runs = 0;
  std::uint64_t events = 0;
  std::uint64_t attempts = 0;
  std::uint64_t decided = 0;
  std::uint64_t closed = 0;
  std::uint64_t tool_kills = 0;
  std::uint64_t proxy_kills = 0;
  std::uint64_t server_crashes = 0;
  std::uint64_t commits = 0;
  std::uint64_t settled = 0;  ///< proxies that asked the record
  std::uint64_t source_ends = 0;
  std::uint64_t target_ends = 0;
  std::array<std::uint64_t, steps> taken{};
  std::array<std::uint64_t, steps> killed_at{};   ///< the tool died in this step
  std::array<std::uint64_t, steps> crashed_at{};  ///< a server crashed on an order of this step
  std::array<std::uint64_t, steps> unknown_at{};  ///< an order of this step was carried out and not answered

  void add(const Coverage& more);
};

}  // namespace reseal::simulate

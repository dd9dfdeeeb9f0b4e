// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "rds/clock.hpp"

namespace reseal::rds {

/// Time that passes only by waiting, and chance that is always the same. Must outlive the clocks that it gives.
struct ClockForTests {
  Time now = Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 25));
  double chance = 0.5;
  std::vector<std::chrono::milliseconds> waits;
  /// Called at each wait, before time passes. May be empty.
  std::function<void()> at_wait;

  Clock clock() {
    return {[this] { return now; },
            [this](std::chrono::milliseconds duration, const std::stop_token&) {
              waits.push_back(duration);
              if (at_wait) at_wait();
              now += duration;
            },
            [this] { return chance; }};
  }
};

}  // namespace reseal::rds

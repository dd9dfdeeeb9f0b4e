// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>

namespace reseal::rds {

using Time = std::chrono::system_clock::time_point;

/// Time and chance, handed in, so that a test decides both. Copies are cheap; any thread may call them.
struct Clock {
  std::function<Time()> now;
  /// Waits, and returns early when a stop is asked for.
  std::function<void(std::chrono::milliseconds, const std::stop_token&)> wait;
  /// A number in [0, 1).
  std::function<double()> chance;

  static Clock system();
};

}  // namespace reseal::rds

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <thread>

namespace reseal::run {

/// Calls `tick` every `interval` from a thread of its own, and once more at the end. `tick` must not throw.
class Ticker {
 public:
  Ticker(std::chrono::milliseconds interval, std::function<void()> tick);
  ~Ticker();

 private:
  std::function<void()> tick_;
  std::jthread thread_;
};

/// "1,234,567"
std::string grouped(std::uint64_t number);
/// "812.4 MiB"
std::string bytes_text(std::uint64_t bytes);
/// "2h11m", "45s"
std::string duration_text(std::chrono::seconds duration);

/// "clone   1.2 GiB of 3.4 GiB  210.0 MiB/s  ETA 12s", of what goes on since `start`.
std::string copy_line(const std::string& what, std::uint64_t done, std::uint64_t all,
                      std::chrono::steady_clock::time_point start);

}  // namespace reseal::run

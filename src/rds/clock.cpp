// SPDX-License-Identifier: Apache-2.0
#include "rds/clock.hpp"

#include <condition_variable>
#include <mutex>
#include <random>

namespace reseal::rds {

Clock Clock::system() {
  return {[] { return std::chrono::system_clock::now(); },
          [](std::chrono::milliseconds duration, const std::stop_token& stop) {
            std::mutex mutex;
            std::condition_variable_any never;
            std::unique_lock lock(mutex);
            never.wait_for(lock, stop, duration, [] { return false; });
          },
          [] {
            thread_local std::mt19937_64 random{std::random_device{}()};
            return std::uniform_real_distribution<double>(0, 1)(random);
          }};
}

}  // namespace reseal::rds

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <stop_token>

#include "mysql/session.hpp"

namespace reseal::seed {

/// Holds the copy back: by bytes per second over all workers, and by how busy the source is. Safe from any thread.
class Throttle {
 public:
  struct Limits {
    std::uint64_t bytes_per_second = 0;  ///< 0: no limit
    unsigned max_threads_running = 0;    ///< on the source, our own included; 0: no limit
  };
  explicit Throttle(Limits limits) : limits_(limits) {}

  /// Accounts for bytes sent; sleeps when they came too fast. Returns early when stopped.
  void spend(std::size_t bytes, std::stop_token stop);
  /// Before a chunk: waits until the source has no more threads running than the limit. Returns early when stopped.
  void wait_for_source(mysql::Session& source, std::stop_token stop);
  /// A sleep that a stop request ends.
  void rest(std::chrono::steady_clock::duration time, std::stop_token stop);
  /// All bytes so far.
  std::uint64_t spent() const { return spent_; }

 private:
  const Limits limits_;
  std::atomic<std::uint64_t> spent_{0};
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

}  // namespace reseal::seed

// SPDX-License-Identifier: Apache-2.0
#include "seed/wait_until.hpp"

#include <condition_variable>
#include <mutex>

#include "base/failure.hpp"

namespace reseal::seed {

bool wait_until(const std::function<bool()>& done, std::chrono::seconds bound, const std::stop_token& stop,
                std::string_view what) {
  const auto end = std::chrono::steady_clock::now() + bound;
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  while (!done()) {
    if (stop.stop_requested())
      throw base::Failure(base::FailureKind::interrupted,
                          "stopped while waiting for " + std::string(what) + "; run again to go on from here");
    if (std::chrono::steady_clock::now() >= end) return false;
    wake.wait_for(lock, stop, std::chrono::milliseconds(100), [] { return false; });
  }
  return true;
}

}  // namespace reseal::seed

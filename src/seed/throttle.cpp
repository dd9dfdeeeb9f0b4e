// SPDX-License-Identifier: Apache-2.0
#include "seed/throttle.hpp"

#include <condition_variable>

namespace reseal::seed {
void Throttle::rest(std::chrono::steady_clock::duration time, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, std::move(stop), time, [] { return false; });
}

void Throttle::spend(std::size_t bytes, std::stop_token stop) {
  const auto total = spent_.fetch_add(bytes) + bytes;
  if (limits_.bytes_per_second == 0) return;
  const auto due =
      std::chrono::duration<double>(static_cast<double>(total) / static_cast<double>(limits_.bytes_per_second));
  const auto ahead = started_ + std::chrono::duration_cast<std::chrono::steady_clock::duration>(due) -
                     std::chrono::steady_clock::now();
  if (ahead > std::chrono::milliseconds(10)) rest(ahead, std::move(stop));
}

void Throttle::wait_for_source(mysql::Session& source, std::stop_token stop) {
  if (limits_.max_threads_running == 0) return;
  while (!stop.stop_requested()) {
    const auto rows = source.query("SHOW GLOBAL STATUS LIKE 'Threads_running'");
    if (rows.empty() || std::stoul(rows[0][1].value_or("0")) <= limits_.max_threads_running) return;
    rest(std::chrono::milliseconds(200), stop);
  }
}

}  // namespace reseal::seed

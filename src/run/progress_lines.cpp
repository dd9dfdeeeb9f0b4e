// SPDX-License-Identifier: Apache-2.0
#include "run/progress_lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>

namespace reseal::run {

Ticker::Ticker(std::chrono::milliseconds interval, std::function<void()> tick)
    : tick_(std::move(tick)), thread_([this, interval](std::stop_token stop) {
        std::mutex mutex;
        std::condition_variable_any never;
        while (!stop.stop_requested()) {
          std::unique_lock lock(mutex);
          never.wait_for(lock, stop, interval, [] { return false; });
          tick_();
        }
      }) {}

Ticker::~Ticker() = default;

std::string grouped(std::uint64_t number) {
  const auto digits = std::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> units = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

std::string duration_text(std::chrono::seconds duration) {
  const auto seconds = duration.count();
  if (seconds >= 3600) return fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
  if (seconds >= 60) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  return fmt::format("{}s", seconds);
}

std::string copy_line(const std::string& what, std::uint64_t done, std::uint64_t all,
                      std::chrono::steady_clock::time_point start) {
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - start).count();
  const auto rate = done / static_cast<std::uint64_t>(std::max<std::int64_t>(seconds, 1));
  auto line =
      fmt::format("{:<7} {} of {}  {}/s", what, bytes_text(done), bytes_text(std::max(all, done)), bytes_text(rate));
  if (rate > 0 && all > done)
    line += "  ETA " + duration_text(std::chrono::seconds(static_cast<std::int64_t>((all - done) / rate)));
  return line;
}

}  // namespace reseal::run

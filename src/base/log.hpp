// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace reseal::base {

/// The program's log: one line per event on stderr, with UTC time. Control characters are escaped, so that no name
/// or server text can forge a line. Callers never pass row values or secrets. Safe to call from any thread.
class Log {
 public:
  enum class Level { quiet, normal, verbose };
  explicit Log(Level level = Level::normal) : level_(level) {}

  void info(std::string_view text) { write("info", text, Level::normal); }
  void warn(std::string_view text) { write("warn", text, Level::quiet); }
  void error(std::string_view text) { write("error", text, Level::quiet); }
  void debug(std::string_view text) { write("debug", text, Level::verbose); }

 private:
  void write(std::string_view severity, std::string_view text, Level needed);
  Level level_;
  std::mutex mutex_;
};

/// `text` with control characters written as \xNN.
std::string printable(std::string_view text);

}  // namespace reseal::base

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace reseal::rds {

/// Looks one environment variable up; nothing when it is absent or empty. Asked anew each time, so that no copy of a
/// secret lies about.
class Environment {
 public:
  using Lookup = std::function<const char*(const char* name)>;
  explicit Environment(Lookup lookup) : lookup_(std::move(lookup)) {}
  /// getenv of this process
  static Environment of_process();

  std::optional<std::string> operator()(const char* name) const {
    const char* value = lookup_(name);
    return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
  }
  /// "true", in any case
  bool flag(const char* name) const;

 private:
  Lookup lookup_;
};

}  // namespace reseal::rds

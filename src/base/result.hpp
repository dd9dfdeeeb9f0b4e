// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/failure.hpp"

namespace reseal::base {

/// What is wrong with bytes or text that came from outside.
struct BadInput {
  std::string what;
};

/// A value, or why the input is bad. Never throws on input; asking a bad result for its value is our bug.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(BadInput bad) : bad_(std::move(bad)) {}

  bool ok() const noexcept { return value_.has_value(); }
  explicit operator bool() const noexcept { return ok(); }
  const T& value() const& {
    RESEAL_CHECK(ok());
    return *value_;
  }
  T& value() & {
    RESEAL_CHECK(ok());
    return *value_;
  }
  T&& value() && {
    RESEAL_CHECK(ok());
    return std::move(*value_);
  }
  const std::string& error() const { return bad_.what; }
  BadInput bad() const { return bad_; }

 private:
  std::optional<T> value_;
  BadInput bad_;
};

/// The value of `result`, or an `unsupported` Failure that says where the bad input was seen.
template <typename T>
T value_or_fail(Result<T> result, std::string_view where, FailureKind kind = FailureKind::unsupported) {
  if (!result.ok()) throw Failure(kind, std::string(where) + ": " + result.error());
  return std::move(result).value();
}

}  // namespace reseal::base

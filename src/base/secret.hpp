// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace reseal::base {

/// A password in memory: wiped when it goes, never formatted, never compared in a log line.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : text_(other.text_) { other.wipe(); }
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret() { wipe(); }

  bool empty() const noexcept { return text_.empty(); }
  /// The clear text, for the one call that needs it.
  std::string_view reveal() const noexcept { return text_; }
  const char* reveal_c_str() const noexcept { return text_.c_str(); }

 private:
  void wipe() noexcept;
  std::string text_;
};

/// Turns core dumps off for this process (Linux, prctl PR_SET_DUMPABLE), so that no crash writes secrets to disk.
void forbid_core_dumps() noexcept;

}  // namespace reseal::base

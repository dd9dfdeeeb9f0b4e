// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace reseal::fuzz {

/// Measures what operator new gives out. One at a time.
class MemoryMeter {
 public:
  MemoryMeter() noexcept;
  /// The most bytes that were in use at one moment since the construction, beyond those in use then.
  std::size_t most() const noexcept;

 private:
  std::size_t before_;
};

}  // namespace reseal::fuzz

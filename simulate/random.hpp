// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace reseal::simulate {

/// splitmix64: the same seed gives the same numbers on every machine. Not thread-safe.
class Random final {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  /// 0 to `bound`-1.
  std::uint32_t below(std::uint32_t bound) noexcept {
    return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
  }
  std::uint32_t between(std::uint32_t least, std::uint32_t most) noexcept { return least + below(most - least + 1); }
  bool coin() noexcept { return (next() >> 63) != 0; }
  /// True in `times` of 65536.
  bool chance(std::uint32_t times) noexcept { return (next() >> 48) < times; }

 private:
  std::uint64_t state_;
};

}  // namespace reseal::simulate

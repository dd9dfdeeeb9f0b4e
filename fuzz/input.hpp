// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace reseal::fuzz {

/// Choices and bytes for one run, taken front to back from what the fuzzer made. Behind its end all choices are 0 and
/// all texts empty. Views live as long as the fuzzer's bytes.
class Input {
 public:
  explicit Input(std::string_view bytes) noexcept : bytes_(bytes) {}

  bool empty() const noexcept { return bytes_.empty(); }
  /// 0 to `bound` - 1; `bound` is 256 at most.
  unsigned below(unsigned bound) noexcept { return static_cast<unsigned>(number(1) % bound); }
  bool flag() noexcept { return below(2) == 1; }
  /// Little-endian.
  std::uint64_t number(unsigned width) noexcept {
    std::uint64_t value = 0;
    unsigned shift = 0;
    for (const char c : take(width)) {
      value |= std::uint64_t{static_cast<unsigned char>(c)} << shift;
      shift += 8;
    }
    return value;
  }
  std::string_view take(std::size_t size) noexcept {
    const auto taken = bytes_.substr(0, size);
    bytes_.remove_prefix(taken.size());
    return taken;
  }
  /// Up to 255 bytes, with a byte of length in front.
  std::string_view text() noexcept { return take(number(1)); }
  std::string_view rest() noexcept { return take(bytes_.size()); }

 private:
  std::string_view bytes_;
};

/// What `Input::text` reads as `text`, which has 255 bytes at most.
inline std::string text_choice(std::string_view text) {
  return std::string(1, static_cast<char>(text.size())).append(text);
}

/// Sizes of the pieces in which a network hands over a stream, made from one number: many of one byte, few large ones.
class Pieces {
 public:
  explicit Pieces(std::uint64_t seed) noexcept : state_(seed * 2 + 1) {}
  /// Everything at once.
  static Pieces whole() noexcept {
    Pieces pieces(0);
    pieces.whole_ = true;
    return pieces;
  }

  /// At least 1.
  std::size_t next() noexcept {
    if (whole_) return SIZE_MAX;
    const auto random = turn();
    const auto widths = random % 8;
    return 1 + (widths < 4 ? random / 8 % 4 : widths < 7 ? random / 8 % 64 : random / 8 % 40'000);
  }
  bool flag() noexcept { return !whole_ && turn() % 2 == 1; }

 private:
  std::uint64_t turn() noexcept {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return state_ >> 33;
  }
  std::uint64_t state_;
  bool whole_ = false;
};

}  // namespace reseal::fuzz

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reseal::base {

/// Reads hostile bytes front to back. The first read past the end (or `fail`) sticks: every later read returns
/// zero or an empty view, and `ok()` is false. Does not own the bytes; views it returns live as long as they do.
class ByteCursor {
 public:
  explicit ByteCursor(std::string_view bytes) noexcept : bytes_(bytes) {}

  bool ok() const noexcept { return error_.empty(); }
  const std::string& error() const noexcept { return error_; }
  std::size_t remaining() const noexcept { return ok() ? bytes_.size() - position_ : 0; }
  std::size_t position() const noexcept { return position_; }
  bool at_end() const noexcept { return remaining() == 0; }
  /// Marks the input as bad; the first reason is kept.
  void fail(std::string_view why);

  /// Little-endian unsigned of `width` bytes, 1 to 8.
  std::uint64_t uint_le(unsigned width);
  /// Little-endian, sign extended from `width` bytes.
  std::int64_t int_le(unsigned width);
  /// Big-endian unsigned of `width` bytes, 1 to 8.
  std::uint64_t uint_be(unsigned width);
  std::uint8_t u8() { return static_cast<std::uint8_t>(uint_le(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(uint_le(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(uint_le(4)); }
  std::uint64_t u64() { return uint_le(8); }
  /// Length-encoded integer of the client/server protocol (MySQL internals manual, "Protocol::LengthEncodedInteger").
  /// The NULL marker 0xFB and 0xFF are bad input here.
  std::uint64_t lenenc();
  std::string_view bytes(std::uint64_t count);
  std::string_view lenenc_bytes() { return bytes(lenenc()); }
  /// Up to and without the next NUL, which is consumed.
  std::string_view nul_terminated();
  std::string_view rest() { return bytes(remaining()); }
  void skip(std::uint64_t count) { bytes(count); }
  /// The next byte without consuming it; 0 at the end.
  std::uint8_t peek() const noexcept;

 private:
  std::string_view bytes_;
  std::size_t position_ = 0;
  std::string error_;
};

}  // namespace reseal::base

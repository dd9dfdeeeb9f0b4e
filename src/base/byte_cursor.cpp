// SPDX-License-Identifier: Apache-2.0
#include "base/byte_cursor.hpp"

#include "base/failure.hpp"

namespace reseal::base {

void ByteCursor::fail(std::string_view why) {
  if (error_.empty()) error_ = std::string(why) + " at byte " + std::to_string(position_);
}

std::string_view ByteCursor::bytes(std::uint64_t count) {
  if (!ok()) return {};
  if (count > bytes_.size() - position_) {
    fail("input ends early");
    return {};
  }
  const auto view = bytes_.substr(position_, count);
  position_ += count;
  return view;
}

std::uint64_t ByteCursor::uint_le(unsigned width) {
  RESEAL_CHECK(width >= 1 && width <= 8);
  const auto view = bytes(width);
  std::uint64_t value = 0;
  for (std::size_t i = view.size(); i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(view[i]);
  return value;
}

std::int64_t ByteCursor::int_le(unsigned width) {
  const auto value = uint_le(width);
  const unsigned shift = 64 - 8 * width;
  return static_cast<std::int64_t>(value << shift) >> shift;
}

std::uint64_t ByteCursor::uint_be(unsigned width) {
  RESEAL_CHECK(width >= 1 && width <= 8);
  std::uint64_t value = 0;
  for (const char byte : bytes(width)) value = value << 8 | static_cast<std::uint8_t>(byte);
  return value;
}

std::uint64_t ByteCursor::lenenc() {
  const auto first = u8();
  switch (first) {
    case 0xFC:
      return uint_le(2);
    case 0xFD:
      return uint_le(3);
    case 0xFE:
      return uint_le(8);
    case 0xFB:
    case 0xFF:
      fail("not a length-encoded integer");
      return 0;
    default:
      return first;
  }
}

std::string_view ByteCursor::nul_terminated() {
  if (!ok()) return {};
  const auto end = bytes_.find('\0', position_);
  if (end == std::string_view::npos) {
    fail("string without its NUL");
    return {};
  }
  const auto view = bytes(end - position_);
  skip(1);
  return view;
}

std::uint8_t ByteCursor::peek() const noexcept {
  return remaining() == 0 ? std::uint8_t{0} : static_cast<std::uint8_t>(bytes_[position_]);
}

}  // namespace reseal::base

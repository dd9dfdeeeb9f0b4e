// SPDX-License-Identifier: Apache-2.0
#include "binlog/packed_decimal.hpp"

#include <array>
#include <cstdint>

namespace reseal::binlog {
namespace {

using base::BadInput;
using base::Result;

constexpr unsigned group_digits = 9;
constexpr std::array<unsigned, group_digits + 1> bytes_of_digits{0, 1, 1, 2, 2, 3, 3, 4, 4, 4};

/// Reads groups of digits; a group that is no number of its width makes the whole bad.
class DigitReader {
 public:
  DigitReader(std::string_view raw, bool negative) : raw_(raw), negative_(negative) {}

  void read(std::string& out, unsigned digits) {
    if (digits == 0) return;
    std::uint32_t value = 0;
    for (unsigned i = 0; i < bytes_of_digits[digits]; ++i) value = value << 8 | next();
    auto text = std::to_string(value);
    if (text.size() > digits && value != 0) bad_ = true;
    out.append(text.size() < digits ? digits - text.size() : 0, '0');
    out += text;
  }
  bool bad() const { return bad_; }

 private:
  std::uint8_t next() {
    auto byte = static_cast<std::uint8_t>(raw_[at_]);
    if (at_++ == 0) byte ^= 0x80;  // the sign bit is stored inverted so that bytes compare like numbers
    if (negative_) byte = static_cast<std::uint8_t>(~byte);
    return byte;
  }

  std::string_view raw_;
  std::size_t at_ = 0;
  bool negative_;
  bool bad_ = false;
};

}  // namespace

std::size_t packed_decimal_size(unsigned precision, unsigned scale) {
  const unsigned whole = precision - scale;
  return whole / group_digits * 4 + bytes_of_digits[whole % group_digits] + scale / group_digits * 4 +
         bytes_of_digits[scale % group_digits];
}

Result<std::string> packed_decimal_text(std::string_view raw, unsigned precision, unsigned scale) {
  if (precision == 0 || scale > precision || raw.size() != packed_decimal_size(precision, scale))
    return BadInput{"DECIMAL does not fit its bytes"};
  const bool negative = (static_cast<unsigned char>(raw[0]) & 0x80) == 0;
  const unsigned whole = precision - scale;
  DigitReader reader(raw, negative);
  std::string digits;
  reader.read(digits, whole % group_digits);
  for (unsigned i = 0; i < whole / group_digits; ++i) reader.read(digits, group_digits);
  std::string fraction;
  for (unsigned i = 0; i < scale / group_digits; ++i) reader.read(fraction, group_digits);
  reader.read(fraction, scale % group_digits);
  if (reader.bad()) return BadInput{"DECIMAL has digits out of range"};
  digits.erase(0, digits.find_first_not_of('0'));
  const bool zero = digits.empty() && fraction.find_first_not_of('0') == std::string::npos;
  std::string text = negative && !zero ? "-" : "";
  text += digits.empty() ? "0" : digits;
  if (scale > 0) text += "." + fraction;
  return text;
}

}  // namespace reseal::binlog

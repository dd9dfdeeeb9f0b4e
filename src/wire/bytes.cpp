// SPDX-License-Identifier: Apache-2.0
#include "wire/bytes.hpp"

#include "base/failure.hpp"

namespace reseal::wire {

void append_uint_le(std::string& out, std::uint64_t value, unsigned width) {
  RESEAL_CHECK(width <= 8);
  for (unsigned i = 0; i < width; ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
}

void append_lenenc(std::string& out, std::uint64_t value) {
  if (value < 0xFB) return append_uint_le(out, value, 1);
  const unsigned width = value <= 0xFFFF ? 2 : value <= 0xFFFFFF ? 3 : 8;
  out += static_cast<char>(width == 2 ? 0xFC : width == 3 ? 0xFD : 0xFE);
  append_uint_le(out, value, width);
}

void append_lenenc_bytes(std::string& out, std::string_view bytes) {
  append_lenenc(out, bytes.size());
  out += bytes;
}

void append_nul_terminated(std::string& out, std::string_view text) {
  RESEAL_CHECK(text.find('\0') == std::string_view::npos);
  out += text;
  out += '\0';
}

}  // namespace reseal::wire

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// The writing side of base::ByteCursor ("Basic Data Types", MySQL Source Code Documentation).
namespace reseal::wire {

/// The lowest `width` bytes of `value`, little-endian.
void append_uint_le(std::string& out, std::uint64_t value, unsigned width);
/// Protocol::LengthEncodedInteger
void append_lenenc(std::string& out, std::uint64_t value);
/// Protocol::LengthEncodedString
void append_lenenc_bytes(std::string& out, std::string_view bytes);
/// Protocol::NullTerminatedString; `text` holds no NUL.
void append_nul_terminated(std::string& out, std::string_view text);

}  // namespace reseal::wire

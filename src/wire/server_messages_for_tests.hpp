// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wire/bytes.hpp"
#include "wire/protocol.hpp"

// What a server says, for the tests of this folder.
namespace reseal::wire {

inline constexpr std::string_view test_nonce = "0123456789abcdefghij";
inline constexpr std::uint32_t server_capabilities =
    capability::long_password | capability::long_flag | capability::connect_with_db | capability::protocol_41 |
    capability::ssl | capability::transactions | capability::secure_connection | capability::plugin_auth |
    capability::connect_attributes | capability::lenenc_auth_data | capability::session_track |
    capability::deprecate_eof;

inline std::string greeting_message(std::uint32_t capabilities = server_capabilities,
                                    std::string_view plugin = "caching_sha2_password") {
  std::string out(1, '\x0A');
  append_nul_terminated(out, "9.7.4");
  append_uint_le(out, 12, 4);
  out += test_nonce.substr(0, 8);
  append_uint_le(out, 0, 1);
  append_uint_le(out, capabilities & 0xFFFF, 2);
  append_uint_le(out, 255, 1);
  append_uint_le(out, 2, 2);
  append_uint_le(out, capabilities >> 16, 2);
  append_uint_le(out, 21, 1);
  out.append(10, '\0');
  append_nul_terminated(out, test_nonce.substr(8));
  if ((capabilities & capability::plugin_auth) != 0) append_nul_terminated(out, plugin);
  return out;
}

inline std::string auth_switch_message(std::string_view plugin) {
  std::string out(1, '\xFE');
  append_nul_terminated(out, plugin);
  append_nul_terminated(out, test_nonce);
  return out;
}

inline std::string ok_message(std::uint16_t status = 2) {
  std::string out(3, '\0');
  append_uint_le(out, status, 2);
  append_uint_le(out, 0, 2);
  return out;
}

inline std::string error_message(std::uint16_t code, std::string_view text) {
  std::string out(1, '\xFF');
  append_uint_le(out, code, 2);
  return out.append("#28000").append(text);
}

}  // namespace reseal::wire

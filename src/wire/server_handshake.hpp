// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "wire/handshake.hpp"

// The server's side of a login: what it writes and what it reads.
namespace reseal::wire {

/// Protocol::HandshakeV10. The nonce has 20 bytes, version and plugin hold no NUL.
std::string greeting_payload(const Greeting& greeting);

/// True when this is the 32 bytes of a Protocol::SSLRequest, after which TLS begins.
bool is_ssl_request(std::string_view payload) noexcept;

/// Protocol::HandshakeResponse41. Attributes are checked as a block, not decoded.
base::Result<HandshakeResponse> parse_handshake_response(std::string_view payload);

/// Clears, in the first four bytes of a response or SSL request, every flag that was not offered. A flag that decides
/// which fields follow cannot be cleared: it is bad input when the client sets it without having been offered it.
base::Result<std::uint32_t> mask_capabilities(std::string& payload, std::uint32_t offered);

/// "COM_CHANGE_USER", the whole payload with its command byte.
struct ChangeUser {
  std::string user;
  std::string auth_data;
  std::string schema;       ///< empty for none
  std::string auth_plugin;  ///< empty when the client did not name one
};
base::Result<ChangeUser> parse_change_user(std::string_view payload, std::uint32_t capabilities);

/// ERR_Packet; `sql_state` has five characters, or none before the greeting, as a server does it.
std::string error_payload(std::uint16_t code, std::string_view sql_state, std::string_view text);
/// Protocol::AuthMoreData
std::string auth_more_data_payload(std::string_view data);

}  // namespace reseal::wire

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace reseal::wire {

/// The server's first message (MySQL Source Code Documentation, "Protocol::HandshakeV10").
struct Greeting {
  std::string server_version;
  std::uint32_t connection_id = 0;
  std::string nonce;  ///< for the scramble: 20 bytes, without the closing NUL
  std::uint32_t capabilities = 0;
  std::uint8_t collation = 0;
  std::uint16_t status = 0;
  std::string auth_plugin;  ///< empty without capability::plugin_auth
};

/// Bad input for any other protocol version than 10 as well.
base::Result<Greeting> parse_greeting(std::string_view payload);

/// The client's answer, Protocol::HandshakeResponse41.
struct HandshakeResponse {
  std::uint32_t capabilities = 0;  ///< decides which of the fields below are sent
  std::uint32_t max_packet = 1U << 30;
  std::uint8_t collation = 0;
  std::string user;
  std::string auth_data;
  std::string database;
  std::string auth_plugin;
  std::vector<std::pair<std::string, std::string>> attributes;
  std::uint8_t zstd_level = 0;  ///< with capability::zstd_compression
};

/// User, database and plugin must not hold a NUL.
std::string handshake_response(const HandshakeResponse& response);
/// Protocol::SSLRequest: the head of the response, sent before TLS starts.
std::string ssl_request(const HandshakeResponse& response);

/// Protocol::AuthSwitchRequest
struct AuthSwitch {
  std::string plugin;
  std::string nonce;  ///< without the closing NUL
};
base::Result<AuthSwitch> parse_auth_switch(std::string_view payload);

}  // namespace reseal::wire

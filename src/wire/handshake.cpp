// SPDX-License-Identifier: Apache-2.0
#include "wire/handshake.hpp"

#include <algorithm>

#include "base/byte_cursor.hpp"
#include "wire/bytes.hpp"
#include "wire/protocol.hpp"

namespace reseal::wire {
namespace {

constexpr std::uint8_t protocol_version = 10;
constexpr std::size_t first_nonce_part = 8;
// auth-plugin-data-part-2 is at least 13 bytes, the last of them a NUL ("Protocol::HandshakeV10").
constexpr std::size_t least_second_nonce_part = 13;
constexpr std::size_t reserved_bytes = 10;
constexpr std::size_t response_filler = 23;

void drop_closing_nul(std::string& nonce) {
  if (!nonce.empty() && nonce.back() == '\0') nonce.pop_back();
}

std::string response_head(const HandshakeResponse& response) {
  std::string out;
  append_uint_le(out, response.capabilities, 4);
  append_uint_le(out, response.max_packet, 4);
  append_uint_le(out, response.collation, 1);
  out.append(response_filler, '\0');
  return out;
}

}  // namespace

base::Result<Greeting> parse_greeting(std::string_view payload) {
  base::ByteCursor cursor(payload);
  if (const auto version = cursor.u8(); cursor.ok() && version != protocol_version)
    return base::BadInput{"protocol version " + std::to_string(version) + ", not 10"};
  Greeting greeting;
  greeting.server_version = std::string(cursor.nul_terminated());
  greeting.connection_id = cursor.u32();
  greeting.nonce = std::string(cursor.bytes(first_nonce_part));
  cursor.skip(1);
  greeting.capabilities = cursor.u16();
  greeting.collation = cursor.u8();
  greeting.status = cursor.u16();
  greeting.capabilities |= static_cast<std::uint32_t>(cursor.u16()) << 16;
  const std::size_t nonce_size = cursor.u8();
  cursor.skip(reserved_bytes);
  const auto second = nonce_size > first_nonce_part ? nonce_size - first_nonce_part : 0;
  greeting.nonce += cursor.bytes(std::max(least_second_nonce_part, second));
  drop_closing_nul(greeting.nonce);
  // Servers make none, and whoever passes the greeting on could not write it again.
  if (greeting.nonce.find('\0') != std::string::npos) cursor.fail("a NUL byte within the nonce");
  if ((greeting.capabilities & capability::plugin_auth) != 0)
    greeting.auth_plugin = std::string(cursor.nul_terminated());
  if (!cursor.ok()) return base::BadInput{"greeting: " + cursor.error()};
  return greeting;
}

std::string ssl_request(const HandshakeResponse& response) { return response_head(response); }

std::string handshake_response(const HandshakeResponse& response) {
  auto out = response_head(response);
  append_nul_terminated(out, response.user);
  if ((response.capabilities & capability::lenenc_auth_data) != 0) {
    append_lenenc_bytes(out, response.auth_data);
  } else {
    RESEAL_CHECK(response.auth_data.size() <= 0xFF);
    append_uint_le(out, response.auth_data.size(), 1);
    out += response.auth_data;
  }
  if ((response.capabilities & capability::connect_with_db) != 0) append_nul_terminated(out, response.database);
  if ((response.capabilities & capability::plugin_auth) != 0) append_nul_terminated(out, response.auth_plugin);
  if ((response.capabilities & capability::connect_attributes) != 0) {
    std::string attributes;
    for (const auto& [name, value] : response.attributes) {
      append_lenenc_bytes(attributes, name);
      append_lenenc_bytes(attributes, value);
    }
    append_lenenc_bytes(out, attributes);
  }
  if ((response.capabilities & capability::zstd_compression) != 0) append_uint_le(out, response.zstd_level, 1);
  return out;
}

base::Result<AuthSwitch> parse_auth_switch(std::string_view payload) {
  base::ByteCursor cursor(payload);
  if (cursor.u8() != reply_byte::eof) cursor.fail("not an auth switch");
  AuthSwitch request;
  request.plugin = std::string(cursor.nul_terminated());
  request.nonce = std::string(cursor.rest());
  drop_closing_nul(request.nonce);
  if (!cursor.ok()) return base::BadInput{"auth switch: " + cursor.error()};
  return request;
}

}  // namespace reseal::wire

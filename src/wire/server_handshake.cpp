// SPDX-License-Identifier: Apache-2.0
#include "wire/server_handshake.hpp"

#include "base/byte_cursor.hpp"
#include "base/failure.hpp"
#include "wire/bytes.hpp"
#include "wire/protocol.hpp"

namespace reseal::wire {
namespace {

constexpr std::uint8_t protocol_version = 10;
constexpr std::size_t nonce_size = 20;
constexpr std::size_t first_nonce_part = 8;
constexpr std::size_t greeting_reserved = 10;
constexpr std::size_t response_filler = 23;
constexpr std::size_t ssl_request_size = 32;
constexpr std::uint32_t layout_flags =
    capability::protocol_41 | capability::connect_with_db | capability::secure_connection | capability::plugin_auth |
    capability::connect_attributes | capability::lenenc_auth_data | capability::zstd_compression;

bool has(std::uint32_t capabilities, std::uint32_t flag) { return (capabilities & flag) != 0; }

std::uint32_t flags_of(std::string_view payload) {
  base::ByteCursor cursor(payload);
  return cursor.u32();
}

}  // namespace

std::string greeting_payload(const Greeting& greeting) {
  RESEAL_CHECK(greeting.nonce.size() == nonce_size);
  std::string out;
  append_uint_le(out, protocol_version, 1);
  append_nul_terminated(out, greeting.server_version);
  append_uint_le(out, greeting.connection_id, 4);
  out += std::string_view(greeting.nonce).substr(0, first_nonce_part);
  append_uint_le(out, 0, 1);
  append_uint_le(out, greeting.capabilities & 0xFFFF, 2);
  append_uint_le(out, greeting.collation, 1);
  append_uint_le(out, greeting.status, 2);
  append_uint_le(out, greeting.capabilities >> 16, 2);
  append_uint_le(out, has(greeting.capabilities, capability::plugin_auth) ? nonce_size + 1 : 0, 1);
  out.append(greeting_reserved, '\0');
  append_nul_terminated(out, std::string_view(greeting.nonce).substr(first_nonce_part));
  if (has(greeting.capabilities, capability::plugin_auth)) append_nul_terminated(out, greeting.auth_plugin);
  return out;
}

bool is_ssl_request(std::string_view payload) noexcept {
  return payload.size() == ssl_request_size && has(flags_of(payload), capability::ssl);
}

base::Result<HandshakeResponse> parse_handshake_response(std::string_view payload) {
  base::ByteCursor cursor(payload);
  HandshakeResponse response;
  response.capabilities = cursor.u32();
  if (cursor.ok() && !has(response.capabilities, capability::protocol_41))
    return base::BadInput{"a client of before MySQL 4.1"};
  response.max_packet = cursor.u32();
  response.collation = cursor.u8();
  cursor.skip(response_filler);
  response.user = std::string(cursor.nul_terminated());
  if (has(response.capabilities, capability::lenenc_auth_data))
    response.auth_data = std::string(cursor.lenenc_bytes());
  else if (has(response.capabilities, capability::secure_connection))
    response.auth_data = std::string(cursor.bytes(cursor.u8()));
  else
    response.auth_data = std::string(cursor.nul_terminated());
  if (has(response.capabilities, capability::connect_with_db) && !cursor.at_end())
    response.database = std::string(cursor.nul_terminated());
  if (has(response.capabilities, capability::plugin_auth) && !cursor.at_end())
    response.auth_plugin = std::string(cursor.nul_terminated());
  if (has(response.capabilities, capability::connect_attributes) && !cursor.at_end()) cursor.lenenc_bytes();
  if (has(response.capabilities, capability::zstd_compression) && !cursor.at_end()) response.zstd_level = cursor.u8();
  if (!cursor.ok()) return base::BadInput{"handshake response: " + cursor.error()};
  return response;
}

base::Result<std::uint32_t> mask_capabilities(std::string& payload, std::uint32_t offered) {
  if (payload.size() < 4) return base::BadInput{"handshake response: too short"};
  const auto asked = flags_of(payload);
  if (has(asked & ~offered, layout_flags | capability::ssl))
    return base::BadInput{"handshake response: the client uses what it was not offered"};
  std::string masked;
  append_uint_le(masked, asked & offered, 4);
  payload.replace(0, masked.size(), masked);
  return asked & offered;
}

base::Result<ChangeUser> parse_change_user(std::string_view payload, std::uint32_t capabilities) {
  base::ByteCursor cursor(payload);
  if (cursor.u8() != static_cast<std::uint8_t>(Command::change_user)) cursor.fail("not a change of user");
  ChangeUser change;
  change.user = std::string(cursor.nul_terminated());
  if (has(capabilities, capability::secure_connection))
    change.auth_data = std::string(cursor.bytes(cursor.u8()));
  else
    change.auth_data = std::string(cursor.nul_terminated());
  change.schema = std::string(cursor.nul_terminated());
  if (!cursor.at_end()) cursor.skip(2);
  if (has(capabilities, capability::plugin_auth) && !cursor.at_end())
    change.auth_plugin = std::string(cursor.nul_terminated());
  if (!cursor.ok()) return base::BadInput{"change of user: " + cursor.error()};
  return change;
}

std::string error_payload(std::uint16_t code, std::string_view sql_state, std::string_view text) {
  RESEAL_CHECK(sql_state.empty() || sql_state.size() == 5);
  std::string out(1, static_cast<char>(reply_byte::error));
  append_uint_le(out, code, 2);
  if (!sql_state.empty()) out.append("#").append(sql_state);
  return out.append(text);
}

std::string auth_more_data_payload(std::string_view data) {
  return std::string(1, static_cast<char>(reply_byte::auth_more_data)).append(data);
}

}  // namespace reseal::wire

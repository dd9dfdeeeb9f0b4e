// SPDX-License-Identifier: Apache-2.0
#include "wire/server_handshake.hpp"

#include <gtest/gtest.h>

#include "wire/bytes.hpp"
#include "wire/protocol.hpp"
#include "wire/reply.hpp"
#include "wire/server_messages_for_tests.hpp"

namespace reseal::wire {
namespace {

HandshakeResponse anna() {
  HandshakeResponse response;
  response.capabilities = server_capabilities & ~capability::ssl;
  response.collation = 45;
  response.user = "anna";
  response.auth_data = std::string(32, '\x07');
  response.database = "shop";
  response.auth_plugin = "caching_sha2_password";
  response.attributes = {{"_client_name", "test"}};
  return response;
}

TEST(ServerHandshake, a_greeting_comes_back_as_it_was) {
  const auto message = greeting_message();
  const auto greeting = parse_greeting(message).value();
  EXPECT_EQ(greeting_payload(greeting), message);
}

TEST(ServerHandshake, reads_a_response) {
  const auto response = parse_handshake_response(handshake_response(anna())).value();
  EXPECT_EQ(response.user, "anna");
  EXPECT_EQ(response.auth_data, std::string(32, '\x07'));
  EXPECT_EQ(response.database, "shop");
  EXPECT_EQ(response.auth_plugin, "caching_sha2_password");
}

TEST(ServerHandshake, no_prefix_of_a_response_does_harm) {
  const auto whole = handshake_response(anna());
  const auto least = 32 + std::string_view("anna").size() + 1 + 33;  // what a client may leave out comes after that
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto parsed = parse_handshake_response(whole.substr(0, size));
    if (size < least) {
      EXPECT_FALSE(parsed.ok()) << size;
    }
  }
}

TEST(ServerHandshake, a_length_that_lies_is_bad_input) {
  auto response = anna();
  response.capabilities = capability::protocol_41 | capability::secure_connection;
  auto payload = handshake_response(response);
  payload[32 + 5] = '\x7F';
  EXPECT_FALSE(parse_handshake_response(payload).ok());
}

TEST(ServerHandshake, tells_an_ssl_request_from_a_response) {
  auto response = anna();
  EXPECT_FALSE(is_ssl_request(ssl_request(response)));
  response.capabilities |= capability::ssl;
  EXPECT_TRUE(is_ssl_request(ssl_request(response)));
  EXPECT_FALSE(is_ssl_request(handshake_response(response)));
  EXPECT_FALSE(is_ssl_request(""));
}

TEST(ServerHandshake, clears_what_was_not_offered) {
  auto payload = handshake_response(anna());
  const auto offered = server_capabilities & ~capability::session_track;
  const auto masked = mask_capabilities(payload, offered);
  EXPECT_EQ(masked.value() & capability::session_track, 0U);
  EXPECT_EQ(parse_handshake_response(payload).value().capabilities, masked.value());
}

TEST(ServerHandshake, refuses_a_layout_that_was_not_offered) {
  auto payload = handshake_response(anna());
  EXPECT_FALSE(mask_capabilities(payload, server_capabilities & ~capability::connect_attributes).ok());
  std::string little("abc");
  EXPECT_FALSE(mask_capabilities(little, server_capabilities).ok());
}

TEST(ServerHandshake, reads_a_change_of_user) {
  std::string payload(1, '\x11');
  append_nul_terminated(payload, "bert");
  append_uint_le(payload, 3, 1);
  payload += "abc";
  append_nul_terminated(payload, "shop");
  const auto without_plugin = payload.size();
  append_uint_le(payload, 45, 2);
  append_nul_terminated(payload, "caching_sha2_password");
  const auto change = parse_change_user(payload, server_capabilities).value();
  EXPECT_EQ(change.user, "bert");
  EXPECT_EQ(change.auth_data, "abc");
  EXPECT_EQ(change.auth_plugin, "caching_sha2_password");
  EXPECT_TRUE(parse_change_user(payload.substr(0, without_plugin), server_capabilities).ok());
  for (std::size_t size = 0; size < without_plugin; ++size)
    EXPECT_FALSE(parse_change_user(payload.substr(0, size), server_capabilities).ok()) << size;
}

TEST(ServerHandshake, an_error_can_be_read_again) {
  const auto error = parse_error(error_payload(1040, "08004", "Too many connections")).value();
  EXPECT_EQ(error.code, 1040);
  EXPECT_EQ(error.sql_state, "08004");
  EXPECT_EQ(error.text, "Too many connections");
}

}  // namespace
}  // namespace reseal::wire

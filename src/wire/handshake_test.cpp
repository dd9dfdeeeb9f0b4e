// SPDX-License-Identifier: Apache-2.0
#include "wire/handshake.hpp"

#include <gtest/gtest.h>

#include "base/byte_cursor.hpp"
#include "wire/bytes.hpp"
#include "wire/protocol.hpp"
#include "wire/server_messages_for_tests.hpp"

namespace reseal::wire {
namespace {

TEST(Handshake, reads_a_greeting) {
  const auto parsed = parse_greeting(greeting_message());
  ASSERT_TRUE(parsed.ok()) << parsed.error();
  const auto& greeting = parsed.value();
  EXPECT_EQ(greeting.server_version, "9.7.4");
  EXPECT_EQ(greeting.connection_id, 12U);
  EXPECT_EQ(greeting.nonce, test_nonce);
  EXPECT_EQ(greeting.capabilities, server_capabilities);
  EXPECT_EQ(greeting.collation, 255);
  EXPECT_EQ(greeting.auth_plugin, "caching_sha2_password");
}

TEST(Handshake, every_prefix_of_a_greeting_is_refused_without_harm) {
  const auto whole = greeting_message();
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_greeting(whole.substr(0, size)).ok()) << size;
}

TEST(Handshake, another_protocol_version_is_refused) {
  auto message = greeting_message();
  message[0] = 9;
  EXPECT_NE(parse_greeting(message).error().find("version 9"), std::string::npos);
}

TEST(Handshake, the_ssl_request_is_the_head_of_the_response_and_names_nobody) {
  HandshakeResponse response;
  response.capabilities = server_capabilities;
  response.user = "anna";
  const auto head = ssl_request(response);
  EXPECT_EQ(head.size(), 32U);
  EXPECT_EQ(handshake_response(response).substr(0, 32), head);
  EXPECT_EQ(head.find("anna"), std::string::npos);
}

TEST(Handshake, the_response_holds_what_its_capabilities_announce) {
  HandshakeResponse response;
  response.capabilities = capability::protocol_41 | capability::plugin_auth | capability::lenenc_auth_data |
                          capability::connect_with_db | capability::connect_attributes;
  response.collation = utf8mb4_general_ci;
  response.user = "anna";
  response.auth_data = "scramble";
  response.database = "shop";
  response.auth_plugin = "caching_sha2_password";
  response.attributes = {{"program_name", "reseal"}};
  const auto message = handshake_response(response);

  base::ByteCursor cursor(message);
  EXPECT_EQ(cursor.u32(), response.capabilities);
  EXPECT_EQ(cursor.u32(), 1U << 30);
  EXPECT_EQ(cursor.u8(), 45);
  EXPECT_EQ(cursor.bytes(23), std::string(23, '\0'));
  EXPECT_EQ(cursor.nul_terminated(), "anna");
  EXPECT_EQ(cursor.lenenc_bytes(), "scramble");
  EXPECT_EQ(cursor.nul_terminated(), "shop");
  EXPECT_EQ(cursor.nul_terminated(), "caching_sha2_password");
  base::ByteCursor attributes(cursor.lenenc_bytes());
  EXPECT_EQ(attributes.lenenc_bytes(), "program_name");
  EXPECT_EQ(attributes.lenenc_bytes(), "reseal");
  EXPECT_TRUE(cursor.ok() && cursor.at_end() && attributes.at_end());
}

TEST(Handshake, reads_an_auth_switch) {
  const auto parsed = parse_auth_switch(auth_switch_message("mysql_native_password"));
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed.value().plugin, "mysql_native_password");
  EXPECT_EQ(parsed.value().nonce, test_nonce);
  EXPECT_FALSE(parse_auth_switch("\xFE").ok());
  EXPECT_FALSE(parse_auth_switch("").ok());
}

TEST(Bytes, length_encoded_integers_come_back) {
  for (const std::uint64_t value : {0ULL, 250ULL, 251ULL, 0xFFFFULL, 0x10000ULL, 0xFFFFFFULL, 0x1000000ULL, ~0ULL}) {
    std::string out;
    append_lenenc(out, value);
    base::ByteCursor cursor(out);
    EXPECT_EQ(cursor.lenenc(), value);
    EXPECT_TRUE(cursor.ok() && cursor.at_end());
  }
}

}  // namespace
}  // namespace reseal::wire

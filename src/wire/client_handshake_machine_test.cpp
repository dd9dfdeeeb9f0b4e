// SPDX-License-Identifier: Apache-2.0
#include "wire/client_handshake_machine.hpp"

#include <gtest/gtest.h>

#include "wire/auth.hpp"
#include "wire/server_messages_for_tests.hpp"

namespace reseal::wire {
namespace {

using Machine = ClientHandshakeMachine;
using Reason = Machine::Failed::Reason;

const std::string fast_login("\x01\x03");
const std::string full_login("\x01\x04");

ClientHandshakeOptions options(TlsWish tls = TlsWish::always, Carrier carrier = Carrier::network) {
  ClientHandshakeOptions result;
  result.user = "anna";
  result.password = base::Secret("secret");
  result.tls = tls;
  result.carrier = carrier;
  return result;
}

template <typename Kind>
bool is(const Machine::Step& step) {
  return std::holds_alternative<Kind>(step);
}

std::string sent(const Machine::Step& step) {
  if (const auto* send = std::get_if<Machine::Send>(&step)) return send->payload;
  if (const auto* start = std::get_if<Machine::StartTls>(&step)) return start->payload;
  return {};
}

bool failed(const Machine::Step& step, Reason reason, std::string_view words = "") {
  const auto* failure = std::get_if<Machine::Failed>(&step);
  return failure != nullptr && failure->reason == reason && failure->text.find(words) != std::string::npos;
}

// A machine that has sent its response over TLS.
Machine past_response(ClientHandshakeOptions how = options()) {
  Machine machine(std::move(how));
  if (is<Machine::StartTls>(machine.feed(greeting_message()))) machine.tls_started();
  return machine;
}

TEST(ClientHandshake, logs_in_over_tls_by_the_fast_path) {
  Machine machine(options());
  const auto start = machine.feed(greeting_message());
  ASSERT_TRUE(is<Machine::StartTls>(start));
  EXPECT_EQ(sent(start).size(), 32U);
  const auto response = machine.tls_started();
  ASSERT_TRUE(is<Machine::Send>(response));
  EXPECT_NE(sent(response).find(caching_sha2_scramble("secret", test_nonce)), std::string::npos);
  EXPECT_EQ(sent(response).find("secret"), std::string::npos);
  EXPECT_TRUE(is<Machine::Wait>(machine.feed(fast_login)));
  EXPECT_TRUE(is<Machine::Done>(machine.feed(ok_message())));
  EXPECT_FALSE(machine.full_authentication());
  EXPECT_EQ(machine.greeting().server_version, "9.7.4");
}

TEST(ClientHandshake, sends_the_password_over_tls_when_it_is_asked_for) {
  auto machine = past_response();
  const auto step = machine.feed(full_login);
  ASSERT_TRUE(is<Machine::Send>(step));
  EXPECT_EQ(sent(step), std::string("secret\0", 7));
  EXPECT_TRUE(is<Machine::Done>(machine.feed(ok_message())));
  EXPECT_TRUE(machine.full_authentication());
}

TEST(ClientHandshake, sends_the_password_over_a_unix_socket) {
  auto machine = past_response(options(TlsWish::never, Carrier::unix_socket));
  EXPECT_EQ(sent(machine.feed(full_login)), std::string("secret\0", 7));
}

TEST(ClientHandshake, never_sends_the_password_over_a_plain_network) {
  for (const auto tls : {TlsWish::never, TlsWish::if_offered}) {
    Machine machine(options(tls));
    const auto plain = server_capabilities & ~capability::ssl;
    ASSERT_TRUE(is<Machine::Send>(machine.feed(greeting_message(plain))));
    EXPECT_TRUE(failed(machine.feed(full_login), Reason::refused, "TLS"));
  }
}

TEST(ClientHandshake, sends_the_password_at_most_once) {
  auto machine = past_response();
  machine.feed(full_login);
  EXPECT_TRUE(failed(machine.feed(full_login), Reason::bad_input));
}

TEST(ClientHandshake, tells_nothing_to_a_server_without_tls) {
  Machine machine(options());
  const auto step = machine.feed(greeting_message(server_capabilities & ~capability::ssl));
  EXPECT_TRUE(failed(step, Reason::refused, "did not offer TLS"));
}

TEST(ClientHandshake, uses_tls_when_it_is_offered) {
  Machine machine(options(TlsWish::if_offered));
  EXPECT_TRUE(is<Machine::StartTls>(machine.feed(greeting_message())));
}

TEST(ClientHandshake, answers_nothing_between_the_ssl_request_and_tls) {
  Machine machine(options());
  machine.feed(greeting_message());
  EXPECT_TRUE(failed(machine.feed(ok_message()), Reason::bad_input));
}

TEST(ClientHandshake, speaks_native_password_when_the_greeting_names_it) {
  Machine machine(options(TlsWish::never));
  const auto step = machine.feed(greeting_message(server_capabilities, "mysql_native_password"));
  EXPECT_NE(sent(step).find(native_scramble("secret", test_nonce)), std::string::npos);
  EXPECT_TRUE(is<Machine::Done>(machine.feed(ok_message())));
}

TEST(ClientHandshake, follows_an_auth_switch_once) {
  auto machine = past_response();
  EXPECT_EQ(sent(machine.feed(auth_switch_message("mysql_native_password"))), native_scramble("secret", test_nonce));
  EXPECT_TRUE(failed(machine.feed(auth_switch_message("caching_sha2_password")), Reason::bad_input));
}

TEST(ClientHandshake, a_native_login_does_not_give_the_password) {
  auto machine = past_response();
  machine.feed(auth_switch_message("mysql_native_password"));
  EXPECT_TRUE(failed(machine.feed(full_login), Reason::bad_input));
}

TEST(ClientHandshake, refuses_plugins_it_does_not_speak) {
  for (const auto* plugin : {"mysql_clear_password", "sha256_password", "mysql_old_password"}) {
    auto machine = past_response();
    EXPECT_TRUE(failed(machine.feed(auth_switch_message(plugin)), Reason::refused, plugin));
  }
  auto machine = past_response();
  EXPECT_TRUE(failed(machine.feed("\xFE"), Reason::refused));
}

TEST(ClientHandshake, keeps_the_servers_error) {
  auto machine = past_response();
  const auto step = machine.feed(error_message(1045, "Access denied"));
  ASSERT_TRUE(failed(step, Reason::server_error, "Access denied"));
  EXPECT_EQ(std::get<Machine::Failed>(step).server_errno, 1045U);
  Machine early(options());
  EXPECT_TRUE(failed(early.feed(std::string("\xFF\x10\x04Too many connections")), Reason::server_error, "Too many"));
}

TEST(ClientHandshake, asks_only_for_what_the_server_has_and_never_for_files_or_many_statements) {
  auto how = options(TlsWish::never);
  how.capabilities = capability::session_track | capability::deprecate_eof;
  how.database = "shop";
  Machine machine(how);
  machine.feed(greeting_message(server_capabilities & ~capability::deprecate_eof));
  EXPECT_EQ(machine.capabilities() & ~server_capabilities, 0U);
  EXPECT_EQ(machine.capabilities() & capability::deprecate_eof, 0U);
  EXPECT_NE(machine.capabilities() & capability::session_track, 0U);
  EXPECT_NE(machine.capabilities() & capability::connect_with_db, 0U);
  EXPECT_EQ(machine.capabilities() & ((1U << 7) | (1U << 16)), 0U);
}

TEST(ClientHandshake, a_user_name_with_a_nul_is_refused) {
  auto how = options();
  how.user = std::string("an\0na", 5);
  Machine machine(how);
  EXPECT_TRUE(failed(machine.feed(greeting_message()), Reason::refused));
}

TEST(ClientHandshake, no_prefix_of_a_message_does_harm_or_logs_in) {
  const auto greeting = greeting_message();
  for (std::size_t size = 0; size < greeting.size(); ++size) {
    Machine machine(options());
    EXPECT_TRUE(is<Machine::Failed>(machine.feed(greeting.substr(0, size)))) << size;
  }
  for (const auto& message :
       {auth_switch_message("mysql_native_password"), ok_message(), full_login, fast_login, error_message(1045, "")}) {
    const auto closing_nul = message.front() == '\xFE' ? 1U : 0U;  // of the nonce; some servers leave it out
    for (std::size_t size = 0; size + closing_nul < message.size(); ++size) {
      auto machine = past_response();
      const auto step = machine.feed(message.substr(0, size));
      EXPECT_TRUE(is<Machine::Failed>(step)) << size;
      EXPECT_TRUE(is<Machine::Failed>(machine.feed(ok_message())));  // over is over
    }
  }
}

}  // namespace
}  // namespace reseal::wire

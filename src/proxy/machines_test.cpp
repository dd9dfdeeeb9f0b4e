// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "proxy/login_machine.hpp"
#include "proxy/password_key.hpp"
#include "proxy/pipe.hpp"
#include "proxy/vault.hpp"
#include "wire/auth.hpp"
#include "wire/bytes.hpp"
#include "wire/server_handshake.hpp"

namespace reseal::proxy {
namespace {

using Outcome = LoginMachine::Outcome;

const std::string nonce = "0123456789abcdefghij";
const std::string fast("\x01\x03");
const std::string full("\x01\x04");
const std::string ok(std::string("\0\0\0\x02\0\0\0", 7));
const std::string denied = wire::error_payload(1045, "28000", "Access denied");
constexpr std::string_view sha2 = "caching_sha2_password";

const PasswordKey& own_key() {
  static const auto key = PasswordKey::make();
  return key;
}

std::string with_nul(std::string_view text) { return std::string(text) + '\0'; }

std::string auth_switch(std::string_view plugin) {
  std::string out(1, '\xFE');
  wire::append_nul_terminated(out, plugin);
  wire::append_nul_terminated(out, nonce);
  return out;
}

class Login : public testing::Test {
 protected:
  LoginMachine machine(LoginTerms terms, std::string_view password = "secret") {
    return {terms, vault, own_key(), "anna", std::string(sha2), nonce, wire::caching_sha2_scramble(password, nonce)};
  }
  bool remembers(std::string_view password) const {
    return vault.find("anna", sha2, nonce, wire::caching_sha2_scramble(password, nonce)).has_value();
  }
  static constexpr LoginTerms over_tls{true, true, false};
  static constexpr LoginTerms plain{false, false, false};
  static constexpr LoginTerms plain_asking{false, false, true};
  Vault vault{8};
};

TEST_F(Login, turns_the_fast_path_into_a_full_one_over_tls) {
  auto login = machine(over_tls);
  EXPECT_EQ(login.from_server(fast).to_client, full);
  EXPECT_FALSE(login.from_server(ok).to_client.has_value());  // waits for the client
  const auto end = login.from_client(with_nul("secret"));
  EXPECT_EQ(end.to_client, ok);
  EXPECT_FALSE(end.to_server.has_value());
  EXPECT_EQ(end.outcome, Outcome::accepted);
  EXPECT_TRUE(login.password_known());
  EXPECT_TRUE(remembers("secret"));
}

TEST_F(Login, the_servers_ok_may_come_after_the_password) {
  auto login = machine(over_tls);
  login.from_server(fast);
  EXPECT_EQ(login.from_client(with_nul("secret")).outcome, Outcome::going);
  EXPECT_EQ(login.from_server(ok).outcome, Outcome::accepted);
  EXPECT_TRUE(remembers("secret"));
}

TEST_F(Login, a_known_password_keeps_the_fast_path) {
  vault.remember("anna", "other");
  vault.remember("anna", "secret");
  auto login = machine(plain);
  EXPECT_EQ(login.from_server(fast).to_client, fast);
  EXPECT_EQ(login.from_server(ok).outcome, Outcome::accepted);
  EXPECT_TRUE(login.password_known());
}

TEST_F(Login, a_password_that_was_changed_is_asked_for_again) {
  vault.remember("anna", "stale");
  auto login = machine(over_tls);
  EXPECT_EQ(login.from_server(fast).to_client, full);
}

TEST_F(Login, a_plain_client_keeps_the_fast_path_and_cannot_be_moved) {
  auto login = machine(plain);
  EXPECT_EQ(login.from_server(fast).to_client, fast);
  EXPECT_EQ(login.from_server(ok).outcome, Outcome::accepted);
  EXPECT_FALSE(login.password_known());
  EXPECT_NE(login.unknown_because().find("without TLS"), std::string::npos);
}

TEST_F(Login, a_plain_client_sends_its_password_with_our_key) {
  auto login = machine(plain_asking);
  EXPECT_EQ(login.from_server(fast).to_client, full);
  const auto key = login.from_client("\x02");
  ASSERT_TRUE(key.to_client.has_value());
  EXPECT_FALSE(key.to_server.has_value());
  const auto theirs = PasswordKey::read(std::string_view(*key.to_client).substr(1));
  ASSERT_TRUE(theirs.has_value());
  login.from_server(ok);
  EXPECT_EQ(login.from_client(theirs->encrypt(base::Secret("secret"), nonce)).outcome, Outcome::accepted);
  EXPECT_TRUE(remembers("secret"));
}

TEST_F(Login, a_full_login_over_tls_passes_the_password_on) {
  auto login = machine(over_tls);
  EXPECT_EQ(login.from_server(full).to_client, full);
  EXPECT_EQ(login.from_client(with_nul("secret")).to_server, with_nul("secret"));
  EXPECT_EQ(vault.size(), 0U);  // not before the server has said yes
  EXPECT_EQ(login.from_server(ok).outcome, Outcome::accepted);
  EXPECT_TRUE(remembers("secret"));
}

TEST_F(Login, a_full_login_without_tls_uses_both_keys) {
  const auto servers = PasswordKey::make();
  auto login = machine(plain);
  login.from_server(full);
  const auto ours = login.from_client("\x02");
  const auto key = PasswordKey::read(std::string_view(*ours.to_client).substr(1));
  EXPECT_EQ(login.from_client(key->encrypt(base::Secret("secret"), nonce)).to_server, "\x02");
  const auto last = login.from_server(wire::auth_more_data_payload(servers.pem()));
  ASSERT_TRUE(last.to_server.has_value());
  EXPECT_FALSE(last.to_client.has_value());
  EXPECT_EQ(servers.decrypt(*last.to_server, nonce)->reveal(), "secret");
  EXPECT_EQ(login.from_server(ok).outcome, Outcome::accepted);
  EXPECT_TRUE(login.password_known());
}

TEST_F(Login, a_client_with_the_servers_key_in_a_file_is_passed_through) {
  auto login = machine(plain);
  login.from_server(full);
  const std::string encrypted(256, '\x5A');
  EXPECT_EQ(login.from_client(encrypted).to_server, encrypted);
  EXPECT_EQ(login.from_server(ok).outcome, Outcome::accepted);
  EXPECT_FALSE(login.password_known());
}

TEST_F(Login, a_refused_login_leaves_nothing_in_the_vault) {
  auto login = machine(over_tls, "wrong");
  login.from_server(full);
  login.from_client(with_nul("wrong"));
  const auto end = login.from_server(denied);
  EXPECT_EQ(end.outcome, Outcome::refused);
  EXPECT_EQ(end.to_client, denied);
  EXPECT_EQ(vault.size(), 0U);
  auto late = machine(over_tls);  // content with the password, not with the account
  late.from_server(fast);
  late.from_server(denied);
  EXPECT_EQ(late.from_client(with_nul("secret")).outcome, Outcome::refused);
  EXPECT_EQ(vault.size(), 0U);
}

TEST_F(Login, a_password_that_does_not_fit_its_scramble_is_not_remembered) {
  auto login = machine(over_tls);
  login.from_server(fast);
  login.from_server(ok);
  EXPECT_EQ(login.from_client(with_nul("something else")).outcome, Outcome::accepted);  // the server said so
  EXPECT_FALSE(login.password_known());
  EXPECT_EQ(vault.size(), 0U);
}

TEST_F(Login, follows_an_auth_switch) {
  LoginMachine login(over_tls, vault, own_key(), "anna", "mysql_native_password", "xxxxxxxxxxxxxxxxxxxx", "whatever");
  EXPECT_EQ(login.from_server(auth_switch(sha2)).to_client, auth_switch(sha2));
  const auto scramble = wire::caching_sha2_scramble("secret", nonce);
  EXPECT_EQ(login.from_client(scramble).to_server, scramble);
  EXPECT_EQ(login.from_server(fast).to_client, full);
  login.from_client(with_nul("secret"));
  EXPECT_EQ(login.from_server(ok).outcome, Outcome::accepted);
  EXPECT_TRUE(remembers("secret"));
}

TEST_F(Login, passes_other_plugins_on_as_they_are) {
  LoginMachine login(over_tls, vault, own_key(), "anna", std::string(sha2), nonce, "");
  login.from_server(auth_switch("authentication_ldap_sasl_client"));
  EXPECT_EQ(login.from_client("token").to_server, "token");
  EXPECT_EQ(login.from_server(std::string("\x01") + "challenge").to_client, std::string("\x01") + "challenge");
  EXPECT_EQ(login.from_client("answer").to_server, "answer");
  EXPECT_EQ(login.from_server(ok).outcome, Outcome::accepted);
  EXPECT_FALSE(login.password_known());
}

TEST_F(Login, an_empty_password_is_known) {
  for (const auto* auth_data : {"", "\0"}) {
    const std::string data(auth_data, std::strlen(auth_data));
    LoginMachine login(plain, vault, own_key(), "anna", std::string(sha2), nonce, data);
    EXPECT_EQ(login.from_server(ok).outcome, Outcome::accepted);
    EXPECT_TRUE(login.password_known());
  }
}

TEST_F(Login, nonsense_ends_it) {
  auto login = machine(over_tls);
  EXPECT_EQ(login.from_server("hello").outcome, Outcome::failed);
  auto second = machine(over_tls);
  second.from_server(full);
  EXPECT_EQ(second.from_client("no closing NUL").outcome, Outcome::failed);
  auto third = machine(plain);
  third.from_server(full);
  third.from_client("\x02");
  EXPECT_EQ(third.from_client(std::string(256, 'x')).outcome, Outcome::failed);
}

TEST(VaultTest, keeps_the_newest_passwords_of_an_account) {
  Vault vault(16);
  const auto knows = [&](const std::string& user, const std::string& password) {
    return vault.find(user, sha2, nonce, wire::caching_sha2_scramble(password, nonce)).has_value();
  };
  for (const auto* password : {"1", "2", "3", "4", "2", "5"}) EXPECT_TRUE(vault.remember("anna", password));
  EXPECT_FALSE(knows("anna", "1"));
  for (const auto* password : {"2", "3", "4", "5"}) EXPECT_TRUE(knows("anna", password));
  EXPECT_FALSE(knows("bert", "2"));
  EXPECT_EQ(vault.size(), 4U);
}

TEST(VaultTest, has_bounds) {
  Vault vault(2);
  EXPECT_TRUE(vault.remember("a", std::string(256, 'x')));
  EXPECT_FALSE(vault.remember("a", std::string(300, 'x')));
  EXPECT_TRUE(vault.remember("b", "2"));
  EXPECT_FALSE(vault.remember("c", "3"));
}

TEST(PasswordKeyTest, takes_only_what_it_encrypted) {
  const auto encrypted = own_key().encrypt(base::Secret("p\xC3\xA4sswort"), nonce);
  EXPECT_EQ(own_key().decrypt(encrypted, nonce)->reveal(), "p\xC3\xA4sswort");
  EXPECT_FALSE(own_key().decrypt(encrypted, "another nonce, wrong").has_value());
  EXPECT_FALSE(own_key().decrypt("short", nonce).has_value());
  EXPECT_FALSE(PasswordKey::read("no key").has_value());
  EXPECT_TRUE(own_key().encrypt(base::Secret(std::string(400, 'x')), nonce).empty());
}

TEST(PipeTest, moves_bytes_through_one_buffer) {
  BufferPool pool;
  Pipe pipe;
  std::string sent;
  std::string came;
  for (int round = 0; round < 2000; ++round) {
    const auto room = pipe.room(pool);
    const auto count = std::min<std::size_t>(room.size(), 1 + round * 37 % 9000);
    for (std::size_t i = 0; i < count; ++i) room[i] = static_cast<char>(round + i);
    sent.append(room.data(), count);
    pipe.filled(count);
    pipe.judge(pipe.unjudged().size() * 2 / 3);
    const auto take = pipe.judged().size() / 2 + 1;
    if (!pipe.judged().empty()) {
      came += pipe.judged().substr(0, take);
      pipe.written(std::min(take, pipe.judged().size()));
    }
  }
  pipe.judge_all();
  came += pipe.judged();
  EXPECT_TRUE(sent == came);
}

}  // namespace
}  // namespace reseal::proxy

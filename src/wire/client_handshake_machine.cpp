// SPDX-License-Identifier: Apache-2.0
#include "wire/client_handshake_machine.hpp"

#include "wire/auth.hpp"
#include "wire/protocol.hpp"
#include "wire/reply.hpp"

namespace reseal::wire {
namespace {

using Reason = ClientHandshakeMachine::Failed::Reason;

constexpr std::uint32_t needed = capability::protocol_41 | capability::secure_connection | capability::plugin_auth;
constexpr std::uint32_t used = needed | capability::long_password | capability::long_flag | capability::transactions |
                               capability::lenenc_auth_data;

// "Caching_sha2_password information": the byte after AuthMoreData's 0x01 (fast_auth_success, perform_full_auth).
constexpr std::string_view fast_login_done = "\x03";
constexpr std::string_view full_login_wanted = "\x04";

constexpr std::size_t nonce_size = 20;  // SCRAMBLE_LENGTH, include/mysql_com.h

}  // namespace

ClientHandshakeMachine::Step ClientHandshakeMachine::feed(std::string_view payload) {
  switch (state_) {
    case State::greeting:
      return on_greeting(payload);
    case State::answer:
      return on_answer(payload);
    case State::tls:
    case State::over:
      break;
  }
  return fail(Reason::bad_input, "a message came where none was due");
}

ClientHandshakeMachine::Step ClientHandshakeMachine::on_greeting(std::string_view payload) {
  if (is_error(payload)) return fail_with_error(payload);
  auto parsed = parse_greeting(payload);
  if (!parsed.ok()) return fail(Reason::bad_input, parsed.error());
  greeting_ = std::move(parsed).value();
  if ((greeting_.capabilities & needed) != needed)
    return fail(Reason::refused, "the server lacks the authentication of MySQL 5.5 and later");
  if (options_.user.find('\0') != std::string::npos || options_.database.find('\0') != std::string::npos)
    return fail(Reason::refused, "a user or schema name holds a NUL byte");

  const bool offered = (greeting_.capabilities & capability::ssl) != 0;
  if (!offered && options_.tls == TlsWish::always)
    return fail(Reason::refused, "the server did not offer TLS, and the connection must be encrypted");

  auto wanted = used | options_.capabilities;
  if (!options_.database.empty()) wanted |= capability::connect_with_db;
  if (!options_.attributes.empty()) wanted |= capability::connect_attributes;
  if (offered && options_.tls != TlsWish::never) wanted |= capability::ssl;
  response_.capabilities = wanted & greeting_.capabilities;
  response_.collation = options_.collation;
  response_.zstd_level = options_.zstd_level;
  response_.user = options_.user;
  response_.database = options_.database;
  response_.attributes = options_.attributes;
  plugin_ = greeting_.auth_plugin == native_password ? native_password : caching_sha2_password;
  nonce_ = greeting_.nonce;
  if ((response_.capabilities & capability::ssl) == 0) return respond();
  state_ = State::tls;
  return StartTls{ssl_request(response_)};
}

ClientHandshakeMachine::Step ClientHandshakeMachine::tls_started() {
  if (state_ != State::tls) return fail(Reason::bad_input, "TLS started where none was due");
  tls_ = true;
  return respond();
}

ClientHandshakeMachine::Step ClientHandshakeMachine::respond() {
  if (nonce_.size() != nonce_size) return fail(Reason::bad_input, "the server's nonce is not 20 bytes long");
  response_.auth_plugin = plugin_;
  response_.auth_data = scramble();
  state_ = State::answer;
  return Send{handshake_response(response_)};
}

ClientHandshakeMachine::Step ClientHandshakeMachine::on_answer(std::string_view payload) {
  if (is_error(payload)) return fail_with_error(payload);
  if (is_ok(payload)) {
    const auto reply = parse_ok(payload, response_.capabilities);
    if (!reply.ok()) return fail(Reason::bad_input, reply.error());
    state_ = State::over;
    return Done{};
  }
  if (!payload.empty()) {
    const auto first = static_cast<std::uint8_t>(payload.front());
    if (first == reply_byte::eof) return on_auth_switch(payload);
    if (first == reply_byte::auth_more_data) return on_more_data(payload.substr(1));
  }
  return fail(Reason::bad_input, "an unknown message during the login");
}

ClientHandshakeMachine::Step ClientHandshakeMachine::on_auth_switch(std::string_view payload) {
  if (switched_ || full_authentication_) return fail(Reason::bad_input, "the server changed its mind about the login");
  switched_ = true;
  auto request = parse_auth_switch(payload);
  // Before MySQL 4.1 the switch had no plugin name: mysql_old_password, which is not safe.
  if (!request.ok()) return fail(payload.size() == 1 ? Reason::refused : Reason::bad_input, request.error());
  const auto& wanted = request.value();
  if (wanted.plugin != native_password && wanted.plugin != caching_sha2_password)
    return fail(Reason::refused, "the account uses the authentication plugin '" + wanted.plugin +
                                     "', which is not spoken here; use caching_sha2_password");
  if (wanted.nonce.size() != nonce_size) return fail(Reason::bad_input, "the server's nonce is not 20 bytes long");
  plugin_ = wanted.plugin;
  nonce_ = wanted.nonce;
  return Send{scramble()};
}

ClientHandshakeMachine::Step ClientHandshakeMachine::on_more_data(std::string_view data) {
  if (plugin_ != caching_sha2_password || full_authentication_)
    return fail(Reason::bad_input, "the server asks for more than the login has");
  if (data == fast_login_done) return Wait{};
  if (data == full_login_wanted) return send_password();
  return fail(Reason::bad_input, "an unknown request of caching_sha2_password");
}

ClientHandshakeMachine::Step ClientHandshakeMachine::send_password() {
  if (!private_channel())
    return fail(Reason::refused,
                "the server asks for the password itself, which travels only over TLS or a Unix socket; "
                "turn TLS on for this endpoint");
  full_authentication_ = true;
  std::string payload;
  payload.reserve(options_.password.reveal().size() + 1);  // no second copy is left behind by growing
  payload += options_.password.reveal();
  payload += '\0';
  return Send{std::move(payload)};
}

std::string ClientHandshakeMachine::scramble() const {
  return plugin_ == native_password ? native_scramble(options_.password.reveal(), nonce_)
                                    : caching_sha2_scramble(options_.password.reveal(), nonce_);
}

ClientHandshakeMachine::Step ClientHandshakeMachine::fail(Failed::Reason reason, std::string text,
                                                          unsigned server_errno) {
  state_ = State::over;
  return Failed{reason, std::move(text), server_errno};
}

ClientHandshakeMachine::Step ClientHandshakeMachine::fail_with_error(std::string_view payload) {
  const auto error = parse_error(payload);
  if (!error.ok()) return fail(Reason::bad_input, error.error());
  return fail(Reason::server_error, error.value().text, error.value().code);
}

}  // namespace reseal::wire

// SPDX-License-Identifier: Apache-2.0
#include "proxy/login_machine.hpp"

#include "wire/auth.hpp"
#include "wire/handshake.hpp"
#include "wire/protocol.hpp"
#include "wire/reply.hpp"
#include "wire/server_handshake.hpp"

namespace reseal::proxy {
namespace {

// "Caching_sha2_password information": what follows AuthMoreData's 0x01, and the client's wish for the key.
constexpr std::string_view fast_login_done = "\x03";
constexpr std::string_view full_login_wanted = "\x04";
constexpr std::string_view key_wanted = "\x02";

// For an empty password some clients send one NUL, others nothing.
std::string without_lone_nul(std::string auth_data) {
  if (auth_data.size() == 1 && auth_data.front() == '\0') auth_data.clear();
  return auth_data;
}

std::uint8_t first_of(std::string_view payload) { return payload.empty() ? 0 : static_cast<std::uint8_t>(payload[0]); }

}  // namespace

LoginMachine::LoginMachine(LoginTerms terms, Vault& vault, const PasswordKey& own_key, std::string user,
                           std::string plugin, std::string nonce, std::string auth_data)
    : terms_(terms),
      vault_(&vault),
      own_key_(&own_key),
      user_(std::move(user)),
      plugin_(std::move(plugin)),
      nonce_(std::move(nonce)),
      scramble_(without_lone_nul(std::move(auth_data))) {}

LoginMachine::Step LoginMachine::from_server(std::string_view payload) {
  if (wire::is_ok(payload) || wire::is_error(payload)) return on_verdict(payload);
  switch (first_of(payload)) {
    case wire::reply_byte::eof:
      return on_auth_switch(payload);
    case wire::reply_byte::auth_more_data:
      return on_more_data(payload);
    case wire::reply_byte::auth_next_factor:
      unknown_because_ = "the account has more than one factor";
      plugin_.clear();
      return {std::string(payload), {}, Outcome::going, {}};
    default:
      return fail("the server sent an unknown message during the login");
  }
}

LoginMachine::Step LoginMachine::on_auth_switch(std::string_view payload) {
  const auto request = wire::parse_auth_switch(payload);
  if (request.ok()) {
    plugin_ = request.value().plugin;
    nonce_ = request.value().nonce;
    state_ = State::scramble_due;
  }
  return {std::string(payload), {}, Outcome::going, {}};
}

LoginMachine::Step LoginMachine::on_more_data(std::string_view payload) {
  const auto data = payload.substr(1);
  if (plugin_ == wire::caching_sha2_password) {
    if (state_ == State::server_key) return on_server_key(data);
    if (data == fast_login_done) return on_fast_success(payload);
    if (data == full_login_wanted) state_ = State::full;
  }
  return {std::string(payload), {}, Outcome::going, {}};
}

LoginMachine::Step LoginMachine::on_fast_success(std::string_view payload) {
  if (look_into_vault()) return {std::string(payload), {}, Outcome::going, {}};
  if (!vault_->usable() || (!terms_.client_private && !terms_.ask_plain_clients)) {
    unknown_because_ = vault_->usable() ? "the client logged in without TLS, and was not asked for its password"
                                        : "the proxy may not lock memory, so it keeps no password";
    return {std::string(payload), {}, Outcome::going, {}};
  }
  turned_ = true;
  state_ = State::asking;
  return {wire::auth_more_data_payload(full_login_wanted), {}, Outcome::going, {}};
}

LoginMachine::Step LoginMachine::on_verdict(std::string_view payload) {
  if (state_ == State::asking) {  // told when the client has answered
    held_verdict_ = std::string(payload);
    return {};
  }
  Step step{std::string(payload), {}, Outcome::accepted, {}};
  if (wire::is_error(payload)) {
    password_.reset();
    step.outcome = Outcome::refused;
    return step;
  }
  if (!password_ && plugin_ == wire::caching_sha2_password && scramble_.empty()) password_ = base::Secret();
  if (!password_ && plugin_ == wire::native_password) look_into_vault();
  if (password_ && !fits_scramble(*password_)) password_.reset();
  if (password_ && !vault_->remember(user_, password_->reveal())) {
    unknown_because_ = "the proxy has no locked memory left for its password";
    password_.reset();
  }
  return step;
}

LoginMachine::Step LoginMachine::from_client(std::string_view payload) {
  if (state_ == State::scramble_due) {
    scramble_ = without_lone_nul(std::string(payload));
    state_ = State::relaying;
  } else if (state_ == State::asking || state_ == State::full) {
    return on_password(payload);
  }
  return {{}, std::string(payload), Outcome::going, {}};
}

LoginMachine::Step LoginMachine::on_password(std::string_view payload) {
  if (terms_.client_private) {
    if (payload.empty() || payload.back() != '\0') return fail("the client sent no password where one was due");
    password_ = base::Secret(std::string(payload.substr(0, payload.size() - 1)));
    return password_came();
  }
  if (payload == key_wanted) {
    own_key_given_ = true;
    return {wire::auth_more_data_payload(own_key_->pem()), {}, Outcome::going, {}};
  }
  if (own_key_given_) {
    password_ = own_key_->decrypt(payload, nonce_);
    if (!password_) return fail("the client's password could not be decrypted");
    return password_came();
  }
  // The client has the server's own key in a file: nobody but the server can read what it sends.
  unknown_because_ = "the client encrypts its password with a key of the server that it has in a file";
  state_ = State::verdict;
  if (turned_) {
    if (!held_verdict_) return {};
    return on_verdict(*held_verdict_);
  }
  if (terms_.server_private)
    return fail(
        "the client encrypted its password with the server's key, but the server's "
        "side of the proxy is private and takes none");
  return {{}, std::string(payload), Outcome::going, {}};
}

LoginMachine::Step LoginMachine::password_came() {
  if (!turned_) return pass_password_on();
  if (!fits_scramble(*password_)) unknown_because_ = "the password it sent does not fit what it had proven before";
  state_ = State::verdict;
  if (!held_verdict_) return {};
  return on_verdict(*held_verdict_);
}

LoginMachine::Step LoginMachine::pass_password_on() {
  if (!terms_.server_private) {
    state_ = State::server_key;
    return {{}, std::string(key_wanted), Outcome::going, {}};
  }
  state_ = State::verdict;
  std::string clear;
  clear.reserve(password_->reveal().size() + 1);
  clear += password_->reveal();
  clear += '\0';
  return {{}, std::move(clear), Outcome::going, {}};
}

LoginMachine::Step LoginMachine::on_server_key(std::string_view pem) {
  const auto key = PasswordKey::read(pem);
  auto encrypted = key ? key->encrypt(*password_, nonce_) : std::string();
  if (encrypted.empty()) return fail("the server's public key cannot be used");
  state_ = State::verdict;
  return {{}, std::move(encrypted), Outcome::going, {}};
}

bool LoginMachine::fits_scramble(const base::Secret& password) const {
  const auto made = plugin_ == wire::native_password ? wire::native_scramble(password.reveal(), nonce_)
                                                     : wire::caching_sha2_scramble(password.reveal(), nonce_);
  return made == scramble_;
}

bool LoginMachine::look_into_vault() {
  password_ = vault_->find(user_, plugin_, nonce_, scramble_);
  return password_.has_value();
}

LoginMachine::Step LoginMachine::fail(std::string why) {
  password_.reset();
  return {{}, {}, Outcome::failed, std::move(why)};
}

}  // namespace reseal::proxy

// SPDX-License-Identifier: Apache-2.0
// A login through the proxy: any client, any server, any order of what they say. Nobody is let in without the server's
// OK, no password gets into the vault that does not make the client's scramble, and none leaves in clear where the
// client had sent it encrypted.
#include "base/failure.hpp"
#include "fuzz/server_says.hpp"
#include "fuzz/target.hpp"
#include "proxy/login_machine.hpp"
#include "wire/auth.hpp"
#include "wire/reply.hpp"

namespace reseal::fuzz {
namespace {

using proxy::LoginMachine;
using Outcome = LoginMachine::Outcome;

const std::string right = "correct horse battery staple";
const std::string wrong = "hunter2 hunter2 hunter2";

// The proxy's, and a server's.
const proxy::PasswordKey& own_key() {
  static const auto key = proxy::PasswordKey::make();
  return key;
}
const proxy::PasswordKey& server_key() {
  static const auto key = proxy::PasswordKey::make();
  return key;
}

constexpr std::string_view plugins[] = {"caching_sha2_password", "mysql_native_password", "sha256_password", ""};
constexpr std::string_view nonces[] = {"0123456789abcdefghij", "jihgfedcba9876543210", "short", ""};

std::string scramble(std::string_view password, std::string_view plugin, std::string_view nonce) {
  return plugin == wire::native_password ? wire::native_scramble(password, nonce)
                                         : wire::caching_sha2_scramble(password, nonce);
}

class Login {
 public:
  explicit Login(Input& input) {
    terms_.client_private = input.flag();
    terms_.server_private = input.flag();
    terms_.ask_plain_clients = input.flag();
    plugin_ = plugins[input.below(4)];
    nonce_ = nonces[input.below(4)];
    if (input.flag()) vault_.remember("anna", right);
    if (input.flag()) vault_.remember("anna", wrong);
    remembered_ = vault_.size();
    std::string auth_data;
    switch (input.below(4)) {
      case 0:
        auth_data = scramble(right, plugin_, nonce_);
        break;
      case 1:
        auth_data = scramble(wrong, plugin_, nonce_);
        break;
      case 2:
        auth_data = input.text();
        break;
      default:
        break;
    }
    machine_.emplace(terms_, vault_, own_key(), "anna", std::string(plugin_), std::string(nonce_),
                     std::move(auth_data));
  }

  void talk(Input& input) {
    while (!input.empty() && outcome_ == Outcome::going) {
      const auto choice = input.below(16);
      if (choice < 8)
        from_server(server_says(choice, input));
      else
        from_client(client_says(choice, input));
    }
  }

 private:
  std::string server_says(unsigned choice, Input& input) {
    switch (choice) {
      case 0:
        return "\x01\x03";
      case 1:
        return "\x01\x04";
      case 2:
        return ServerSays::ok();
      case 3:
        return ServerSays::error(1045);
      case 4:
        plugin_ = plugins[input.below(4)];
        nonce_ = nonces[input.below(4)];
        return "\xFE" + std::string(plugin_) + '\0' + std::string(nonce_) + '\0';
      case 5:
        return "\x01" + server_key().pem();
      case 6:
        return "\x01" + std::string(input.text());
      default:
        return std::string(input.text());
    }
  }

  std::string client_says(unsigned choice, Input& input) {
    const auto& password = input.flag() ? wrong : right;
    switch (choice) {
      case 8:
        return password + '\0';
      case 9:
        return "\x02";
      case 10:
        return own_key().encrypt(base::Secret(password), nonce_);
      case 11:
        return server_key().encrypt(base::Secret(password), nonce_);
      case 12:
        return scramble(password, plugin_, nonce_);
      default:
        return std::string(input.text());
    }
  }

  void from_server(const std::string& payload) {
    if (wire::is_ok(payload)) ok_ = payload;
    if (wire::is_error(payload)) error_ = payload;
    take(machine_->from_server(payload), payload);
  }

  void from_client(const std::string& payload) {
    clear_came_ = clear_came_ || payload.find(right) != std::string::npos || payload.find(wrong) != std::string::npos;
    take(machine_->from_client(payload), payload);
  }

  void take(const LoginMachine::Step& step, const std::string& answered) {
    outcome_ = step.outcome;
    if (step.to_server) check_to_server(*step.to_server, answered);
    if (step.to_client && step.to_client->find(own_key().pem()) != std::string::npos)
      RESEAL_CHECK(!terms_.client_private);
    switch (outcome_) {
      case Outcome::going:
        RESEAL_CHECK(vault_.size() == remembered_);
        break;
      case Outcome::accepted:
        RESEAL_CHECK(ok_ && step.to_client == ok_);
        check_proof();
        break;
      case Outcome::refused:
        RESEAL_CHECK(error_ && step.to_client == error_);
        [[fallthrough]];
      case Outcome::failed:
        RESEAL_CHECK(!machine_->password_known() && vault_.size() == remembered_);
        RESEAL_CHECK(outcome_ == Outcome::refused || !step.why.empty());
        break;
    }
  }

  void check_to_server(std::string_view payload, std::string_view answered) const {
    const bool clear = payload.find(right) != std::string_view::npos || payload.find(wrong) != std::string_view::npos;
    if (clear) RESEAL_CHECK(terms_.server_private || payload == answered);
    if (clear) RESEAL_CHECK(clear_came_ || terms_.server_private);
  }

  void check_proof() const {
    const auto proof = machine_->proof();
    const auto kept = vault_.find(proof.user, proof.plugin, proof.nonce, proof.scramble);
    if (machine_->password_known()) {
      RESEAL_CHECK(kept.has_value());
      RESEAL_CHECK(scramble(kept->reveal(), proof.plugin, proof.nonce) == proof.scramble);
    } else {
      RESEAL_CHECK(vault_.size() == remembered_);
    }
  }

  proxy::LoginTerms terms_;
  proxy::Vault vault_{8};
  std::string_view plugin_;
  std::string_view nonce_;
  std::optional<LoginMachine> machine_;
  std::size_t remembered_ = 0;
  std::optional<std::string> ok_;
  std::optional<std::string> error_;
  bool clear_came_ = false;
  Outcome outcome_ = Outcome::going;
};

}  // namespace

void run_target(std::string_view bytes) {
  Input input(bytes);
  Login login(input);
  login.talk(input);
}

std::vector<std::string> seeds() {
  // Terms, plugin, nonce, what the vault knows and what the client proves; then who says what.
  const std::string tls("\1\1\0\0\0\0\0\0", 8);
  const std::string plain("\0\0\0\0\0\0\0\0", 8);
  const std::string plain_asking("\0\0\1\0\0\0\0\0", 8);
  const std::string known("\1\1\0\0\0\1\1\0", 8);
  const std::string native("\1\1\0\1\0\1\0\0", 8);
  std::vector<std::string> made;
  for (const auto& head : {tls, plain, plain_asking, known, native})
    for (const auto& words : {std::string("\0\x02\x08\0", 4), std::string("\0\x08\0\x02", 4),
                              std::string("\1\x08\0\x02", 4), std::string("\1\x08\1\x02", 4),
                              std::string("\1\x09\0\x0A\0\x05\x02", 7), std::string("\0\x09\0\x02\x0A\0", 6),
                              std::string("\1\x0B\0\x02", 4), std::string("\4\0\1\x0C\0\0\x08\0\x02", 9),
                              std::string("\4\1\0\x0C\0\x02", 6), std::string("\x03"), std::string("\x02")})
      made.push_back(head + words);
  // A key that is protected by a pass phrase, which must not be asked for.
  std::string key =
      "\x01-----BEGIN PUBLIC KEY-----\nProc-Type: 4,ENCRYPTED\n"
      "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\nAAAAAAAAAAAAAAAAAAAAAA==\n"
      "-----END PUBLIC KEY-----\n";
  made.push_back(plain + std::string("\1\x09\0\x0A\0\x07", 6) + text_choice(key));
  return made;
}

}  // namespace reseal::fuzz

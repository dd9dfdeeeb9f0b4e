// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "proxy/password_key.hpp"
#include "proxy/vault.hpp"

namespace reseal::proxy {

/// What the two sides of a login travel over, and what may be asked of the client.
struct LoginTerms {
  bool client_private = false;     ///< TLS or a Unix socket: the client sends its password when it is asked for it
  bool server_private = false;     ///< TLS or a Unix socket: the server takes the password itself
  bool ask_plain_clients = false;  ///< ask clients without TLS by the public-key exchange, which some refuse
};

/// What a client has proven: enough to find its password in the vault again.
struct LoginProof {
  std::string user;
  std::string plugin;
  std::string nonce;
  std::string scramble;
};

/// A login that is passed through, without I/O: the server judges, the client proves. Starts when the client's answer
/// (or its change of user) was sent on. On its way the machine learns the password when it can:
///
///     caching_sha2, fast:  server 03, OK     vault knows -> client 03, OK
///                                            else        -> client 04 -> password -> OK   (the server is already
///                                            content)
///     caching_sha2, full:  server 04         -> client 04 -> password -> server -> OK
///     anything else:       passed on as it is; the password stays unknown
///
/// A client without TLS sends its password encrypted, with the key it asked for: ours. A password is remembered only
/// after the server's OK, and only if it makes the scramble that the client had sent.
class LoginMachine {
 public:
  enum class Outcome { going, accepted, refused, failed };
  struct Step {
    std::optional<std::string> to_client;
    std::optional<std::string> to_server;  ///< may hold a password: wipe it once it is sent
    Outcome outcome = Outcome::going;
    std::string why;  ///< with Outcome::failed, for the client and the log
  };

  /// `vault` and `own_key` outlive the machine. `auth_data` is what the client answered to `nonce` for `plugin`.
  LoginMachine(LoginTerms terms, Vault& vault, const PasswordKey& own_key, std::string user, std::string plugin,
               std::string nonce, std::string auth_data);

  Step from_server(std::string_view payload);
  Step from_client(std::string_view payload);

  /// After `accepted`: whether the proxy could log in as this client elsewhere, and by which password.
  bool password_known() const noexcept { return password_.has_value(); }
  LoginProof proof() const { return {user_, plugin_, nonce_, scramble_}; }
  const std::string& user() const noexcept { return user_; }
  /// Why the password is not known, in words for an operator.
  std::string_view unknown_because() const noexcept { return unknown_because_; }

 private:
  enum class State {
    relaying,      ///< the server speaks next, or the client answers something we only pass on
    scramble_due,  ///< the client answers an auth switch
    asking,        ///< the server is content; the client is asked for its password
    full,          ///< the server asked for the password
    server_key,    ///< we asked the server for its key, to send the password
    verdict        ///< the server has the password
  };
  Step on_more_data(std::string_view payload);
  Step on_auth_switch(std::string_view payload);
  Step on_fast_success(std::string_view payload);
  Step on_server_key(std::string_view pem);
  Step on_verdict(std::string_view payload);
  Step on_password(std::string_view payload);
  Step password_came();
  Step pass_password_on();
  Step fail(std::string why);
  bool fits_scramble(const base::Secret& password) const;
  bool look_into_vault();

  LoginTerms terms_;
  Vault* vault_;
  const PasswordKey* own_key_;
  State state_ = State::relaying;
  std::string user_;
  std::string plugin_;
  std::string nonce_;
  std::string scramble_;
  bool own_key_given_ = false;
  bool turned_ = false;  ///< the server was content by the fast path, and the client is asked all the same
  std::optional<base::Secret> password_;
  std::optional<std::string> held_verdict_;
  std::string_view unknown_because_ = "its authentication plugin does not show the password to the proxy";
};

}  // namespace reseal::proxy

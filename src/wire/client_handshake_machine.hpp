// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/secret.hpp"
#include "wire/handshake.hpp"

namespace reseal::wire {

/// Whether the login goes over TLS.
enum class TlsWish { never, if_offered, always };
/// What the bytes travel over before any TLS.
enum class Carrier { network, unix_socket };

struct ClientHandshakeOptions {
  std::string user;
  base::Secret password;
  TlsWish tls = TlsWish::always;
  Carrier carrier = Carrier::network;
  std::string database;            ///< none when empty
  std::uint32_t capabilities = 0;  ///< beyond those every login needs; used as far as the server has them
  std::uint8_t collation = 45;     ///< utf8mb4_general_ci
  std::uint8_t zstd_level = 0;     ///< with capability::zstd_compression
  std::vector<std::pair<std::string, std::string>> attributes;  ///< shown in performance_schema
};

/// A client's login, without I/O: feed it the payload of each message and do what it says.
///
///     greeting -> (TLS) -> response -> [auth switch -> scramble] -> [fast | full -> password] -> OK or ERR
///
/// The password itself is sent at most once, only when caching_sha2_password asks for it and only over TLS or a Unix
/// socket; the server's public key is never asked for. With TlsWish::always nothing but the SSL request leaves before
/// TLS stands: neither the user's name nor a scramble.
class ClientHandshakeMachine {
 public:
  /// Send this payload, then feed the server's next message. Wipe it afterwards: it may hold the password.
  struct Send {
    std::string payload;
  };
  /// Send this payload, do the TLS handshake, then call `tls_started`.
  struct StartTls {
    std::string payload;
  };
  /// Feed the server's next message.
  struct Wait {};
  struct Done {};
  struct Failed {
    enum class Reason {
      bad_input,     ///< the server's bytes make no sense
      server_error,  ///< the server refused, with its number and text
      refused        ///< we refuse: going on would not be safe, or is not spoken here
    };
    Reason reason;
    std::string text;
    unsigned server_errno = 0;
  };
  using Step = std::variant<Send, StartTls, Wait, Done, Failed>;

  explicit ClientHandshakeMachine(ClientHandshakeOptions options) : options_(std::move(options)) {}

  Step feed(std::string_view payload);
  Step tls_started();

  /// Valid once the first message was accepted.
  const Greeting& greeting() const noexcept { return greeting_; }
  /// What both sides speak; decides how later messages are read.
  std::uint32_t capabilities() const noexcept { return response_.capabilities; }
  /// True when the server did not know the password's hash by heart and got the password itself.
  bool full_authentication() const noexcept { return full_authentication_; }

 private:
  enum class State { greeting, tls, answer, over };
  Step on_greeting(std::string_view payload);
  Step on_answer(std::string_view payload);
  Step on_auth_switch(std::string_view payload);
  Step on_more_data(std::string_view data);
  Step respond();
  Step send_password();
  Step fail(Failed::Reason reason, std::string text, unsigned server_errno = 0);
  Step fail_with_error(std::string_view payload);
  bool private_channel() const { return tls_ || options_.carrier == Carrier::unix_socket; }
  std::string scramble() const;

  ClientHandshakeOptions options_;
  State state_ = State::greeting;
  Greeting greeting_;
  HandshakeResponse response_;
  std::string plugin_;
  std::string nonce_;
  bool tls_ = false;
  bool switched_ = false;
  bool full_authentication_ = false;
};

}  // namespace reseal::wire

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "mysql/channel.hpp"
#include "mysql/endpoint.hpp"
#include "wire/handshake.hpp"
#include "wire/packet.hpp"

namespace reseal::mysql {

/// A logged-in connection that speaks our own protocol layer: what the client library cannot do (dump a binary log by
/// GTID, wait with a stop token) is done on it. One thread at a time. Failures are thrown: as Channel's, `refused`
/// when the login would not be safe, and by `source_failure` for what the server answers.
class WireConnection {
 public:
  using Rows = std::vector<std::vector<std::optional<std::string>>>;

  /// Connects and logs in with the TLS that the endpoint asks for. A Unix socket is private already: there
  /// TlsMode::required uses TLS when the server has it. `timeout` bounds every single wait, here and in `query`.
  WireConnection(const Endpoint& endpoint, std::chrono::milliseconds timeout);

  /// Runs one statement with a small result.
  Rows query(std::string_view statement);
  /// Sends a command that is answered by OK. `what` names it in failures.
  void command(std::string_view payload, std::string_view what);
  /// Sends a command whose answer is a stream of messages of this shape, read by `next`.
  void start(std::string_view payload, wire::MessageShape shape);
  /// The next message; nothing when `stop` was requested, and then a later call goes on where this one stood.
  /// Throws when not one byte comes for `timeout`.
  std::optional<wire::Message> next(std::chrono::milliseconds timeout, std::stop_token stop);

  const std::string& server_version() const noexcept { return server_version_; }
  bool encrypted() const noexcept { return channel_.encrypted(); }
  /// True when the login needed the password itself, see wire::ClientHandshakeMachine.
  bool full_authentication() const noexcept { return full_authentication_; }

 private:
  void log_in(const Endpoint& endpoint);
  void send(std::string_view payload);
  void begin(std::string_view payload);
  std::string receive();

  std::string where_;
  std::chrono::milliseconds timeout_;
  Channel channel_;
  wire::PacketAssembler assembler_;
  std::uint32_t capabilities_ = 0;
  std::string server_version_;
  bool full_authentication_ = false;
};

}  // namespace reseal::mysql

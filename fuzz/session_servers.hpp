// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/failure.hpp"
#include "fuzz/server_says.hpp"
#include "proxy/session.hpp"
#include "wire/auth.hpp"
#include "wire/command_kind.hpp"
#include "wire/packet.hpp"
#include "wire/packet_header.hpp"
#include "wire/reply.hpp"
#include "wire/server_handshake.hpp"

// The servers that the target `session` plays, and both ends' way to speak.
namespace reseal::fuzz {

inline constexpr std::string_view nonce = "0123456789abcdefghij";
inline constexpr std::string_view statement = "client's statement";

/// The one end of a connection that the fuzzer plays.
class Peer {
 public:
  explicit Peer(mysql::FileDescriptor socket) : socket_(std::move(socket)) {}
  bool open() const { return socket_.open(); }
  void close() { socket_ = mysql::FileDescriptor(); }
  void say(std::string_view bytes) const {
    static_cast<void>(::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
  }
  /// The next whole packet, of what has come.
  std::optional<std::string> hear() {
    std::array<char, 4096> buffer{};
    for (ssize_t count = 1; open() && count > 0;) {
      count = ::recv(socket_.number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (count > 0) heard_.append(buffer.data(), static_cast<std::size_t>(count));
    }
    if (heard_.size() < wire::packet_header_size) return std::nullopt;
    const auto header = wire::read_packet_header(heard_);
    if (heard_.size() < wire::packet_header_size + header.size) return std::nullopt;
    number_ = static_cast<std::uint8_t>(header.sequence + 1);
    auto payload = heard_.substr(wire::packet_header_size, header.size);
    heard_.erase(0, wire::packet_header_size + header.size);
    return payload;
  }
  /// In answer to what was heard last.
  void answer(const std::vector<std::string>& messages) {
    std::string bytes;
    for (const auto& message : messages) wire::append_packets(bytes, message, number_);
    say(bytes);
  }

 private:
  mysql::FileDescriptor socket_;
  std::string heard_;
  std::uint8_t number_ = 0;
};

/// A connection of one of the servers.
class ServerEnd {
 public:
  ServerEnd(mysql::FileDescriptor socket, std::uint32_t capabilities, const proxy::Gate& gate)
      : peer_(std::move(socket)), says_(capabilities), gate_(&gate) {
    wire::Greeting greeting;
    greeting.server_version = "9.7.4";
    greeting.nonce = nonce;
    greeting.capabilities = capabilities;
    greeting.auth_plugin = wire::caching_sha2_password;
    peer_.answer({wire::greeting_payload(greeting)});
  }

  /// True when something came.
  bool hear() {
    bool heard = false;
    while (const auto payload = peer_.hear()) {
      heard = true;
      if (wild_) continue;
      if (state_ == State::command) on_command(*payload);
      if (state_ == State::login || state_ == State::file) due_ = true;
      if (state_ == State::file && !payload->empty()) due_ = false;
    }
    return heard;
  }
  void wild(std::string_view bytes) {
    wild_ = true;
    peer_.say(bytes);
  }
  void close() {
    wild_ = true;
    peer_.close();
  }
  void answer(unsigned choice) {
    if (wild_ || !due_) return;
    due_ = false;
    if (state_ == State::login) return answer_login(choice);
    state_ = State::command;
    if (!answer_proxy(choice)) answer_command(choice);
  }

 private:
  enum class State { login, command, file };

  void on_command(const std::string& payload) {
    RESEAL_CHECK(!due_);  // the reply to the command before
    const auto command = payload.empty() ? wire::Command::sleep : static_cast<wire::Command>(payload[0]);
    query_ = payload;
    RESEAL_CHECK(payload.find(statement) == std::string::npos || !gate_->holding() || in_transaction_);
    due_ = wire::reply_shape(command) != wire::ReplyShape::none;
    if (command == wire::Command::change_user) state_ = State::login;
  }

  void answer_login(unsigned choice) {
    if (choice == 1) return peer_.answer({"\x01\x04"});
    if (choice == 2) return peer_.answer({says_.error(1045)});
    state_ = State::command;
    peer_.answer({"\x01\x03", says_.ok()});
  }

  /// The proxy's own questions, for a server whose sessions have one variable, or have not all that it is asked for.
  /// False for any other.
  bool answer_proxy(unsigned choice) {
    const auto asks = [this](std::string_view word) { return query_.find(word) != std::string::npos; };
    if (choice == 1 && asks("@@"))
      peer_.answer({says_.error(1193)});
    else if (asks("session_variables"))
      peer_.answer(says_.row_of({"timestamp", "1"}));
    else if (asks("CURRENT_ROLE"))
      peer_.answer(says_.row_of({"reseal", "shop", "NONE", "1700000000.5"}));
    else if (asks("@@global"))
      peer_.answer(says_.row_of({"0"}));
    else if (asks("CHARSET(@"))
      peer_.answer(says_.row_of({"v", "76", "latin1", "latin1_bin"}));
    else if (asks("Com_change_db"))
      peer_.answer(says_.row_of({"Com_change_db", "0"}));
    else
      return false;
    return true;
  }

  void answer_command(unsigned choice) {
    const auto shape = wire::reply_shape(static_cast<wire::Command>(query_.empty() ? '\0' : query_[0]));
    const bool results = shape == wire::ReplyShape::results;
    if (shape == wire::ReplyShape::prepared) return peer_.answer(says_.prepared(1, 1));
    if (shape == wire::ReplyShape::rows) return peer_.answer(says_.fetched());
    if (choice == 1) return peer_.answer({says_.error(1064)});
    if (choice == 2 && results) return peer_.answer(says_.result(3, status()));
    if (choice == 3 && results) return peer_.answer(says_.two_results());
    if (choice == 4 && results) {
      state_ = State::file;
      return peer_.answer({"\xFB/file"});
    }
    if (choice == 5) in_transaction_ = !in_transaction_;
    peer_.answer({says_.ok(status())});
  }

  std::uint16_t status() const {
    return static_cast<std::uint16_t>(wire::status::autocommit | (in_transaction_ ? wire::status::in_transaction : 0));
  }

  Peer peer_;
  ServerSays says_;
  const proxy::Gate* gate_;
  State state_ = State::login;
  bool due_ = false;
  bool wild_ = false;
  bool in_transaction_ = false;
  std::string query_;
};

/// A listening server, by a name that no file needs.
class Server {
 public:
  explicit Server(const std::string& name) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto unique = "reseal-fuzz-" + std::to_string(::getpid()) + name;
    std::memcpy(address.sun_path + 1, unique.data(), unique.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + unique.size());
    RESEAL_CHECK(::bind(socket_.number(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
    RESEAL_CHECK(::listen(socket_.number(), 64) == 0);
    place_ = {name, true, {{}}};
    std::memcpy(&place_.addresses[0].bytes, &address, size);
    place_.addresses[0].size = size;
  }
  proxy::Upstream upstream() const {
    static const auto tls = std::make_shared<const proxy::TlsContext>(proxy::TlsContext::connecting(mysql::Endpoint()));
    return {std::make_shared<const proxy::ServerPlace>(place_), tls};
  }
  mysql::FileDescriptor accept() const {
    return mysql::FileDescriptor(::accept4(socket_.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  }

 private:
  mysql::FileDescriptor socket_;
  proxy::ServerPlace place_;
};

}  // namespace reseal::fuzz

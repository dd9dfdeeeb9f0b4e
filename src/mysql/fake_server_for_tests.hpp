// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "base/failure.hpp"
#include "mysql/certificates_for_tests.hpp"
#include "mysql/endpoint.hpp"
#include "mysql/file_descriptor.hpp"
#include "wire/bytes.hpp"
#include "wire/packet.hpp"
#include "wire/server_messages_for_tests.hpp"

namespace reseal::mysql {

/// The server's end of one connection, blocking. A client that goes away makes reads return nothing.
class FakePeer {
 public:
  explicit FakePeer(int socket) : socket_(socket), tls_(nullptr, SSL_free) {}

  /// Sends a message under the number that is due, and awaits the answer's.
  void say(std::string_view payload) {
    std::string packets;
    wire::append_packets(packets, payload, sequence_);
    send(packets);
  }
  /// Bytes as they are.
  void send(std::string_view bytes) {
    if (tls_) {
      SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()));
    } else {
      ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
  }
  std::string hear() {
    wire::PacketAssembler assembler;
    assembler.expect_sequence(sequence_);
    while (!assembler.whole()) {
      const auto place = assembler.wanted();
      const auto count = place.empty() ? 0 : receive(place);
      if (count == 0) return {};
      assembler.arrived(count);
    }
    sequence_ = assembler.sequence();
    return assembler.take().payload;
  }
  /// The client begins a new exchange.
  std::string hear_command() {
    sequence_ = 0;
    return hear();
  }
  bool accept_tls(const KeyAndCertificate& identity, int newest = 0) {
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    SSL_CTX_use_certificate(context.get(), identity.certificate.get());
    SSL_CTX_use_PrivateKey(context.get(), identity.key.get());
    if (newest != 0) {
      SSL_CTX_set_security_level(context.get(), 0);
      SSL_CTX_set_min_proto_version(context.get(), newest);
      SSL_CTX_set_max_proto_version(context.get(), newest);
    }
    tls_.reset(SSL_new(context.get()));
    SSL_set_fd(tls_.get(), socket_);
    return SSL_accept(tls_.get()) == 1;
  }

 private:
  std::size_t receive(std::span<char> into) {
    const auto count = tls_ ? SSL_read(tls_.get(), into.data(), static_cast<int>(into.size()))
                            : ::recv(socket_, into.data(), into.size(), 0);
    return count > 0 ? static_cast<std::size_t>(count) : 0;
  }

  int socket_;
  std::uint8_t sequence_ = 0;
  std::unique_ptr<SSL, decltype(&SSL_free)> tls_;
};

/// A server on a free loopback port that plays `part` for one connection, in a thread of its own. What no real server
/// does is tried with it.
class FakeServer {
 public:
  explicit FakeServer(std::function<void(FakePeer&)> part)
      : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    RESEAL_CHECK(::bind(listener_.number(), any, size) == 0 && ::listen(listener_.number(), 1) == 0);
    RESEAL_CHECK(::getsockname(listener_.number(), any, &size) == 0);
    endpoint_.port = ntohs(address.sin_port);
    endpoint_.user = "anna";
    endpoint_.password = base::Secret("secret");
    thread_ = std::jthread([this, act = std::move(part)] {
      ::signal(SIGPIPE, SIG_IGN);  // for SSL_write to a client that has left
      const FileDescriptor socket(::accept(listener_.number(), nullptr, nullptr));
      FakePeer peer(socket.number());
      if (socket.open()) act(peer);
    });
  }
  ~FakeServer() { ::shutdown(listener_.number(), SHUT_RDWR); }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  /// Plain, unless the test sets a mode.
  Endpoint endpoint(TlsMode mode = TlsMode::disabled) const {
    auto copy = endpoint_;
    copy.tls = mode;
    return copy;
  }

 private:
  FileDescriptor listener_;
  Endpoint endpoint_;
  std::jthread thread_;
};

}  // namespace reseal::mysql

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "mysql/file_descriptor.hpp"
#include "proxy/tls_context.hpp"

namespace reseal::proxy {

/// Bytes over one non-blocking socket, plain first and over TLS after `start_tls`. Never waits. One thread; the thread
/// has SIGPIPE blocked (OpenSSL writes without MSG_NOSIGNAL).
class Stream {
 public:
  enum class Kind {
    moved,    ///< `count` bytes, at least one; for a handshake: it is done
    blocked,  ///< nothing now: the socket has to become readable or writable first
    ended,    ///< the peer has closed
    failed    ///< the connection is broken
  };
  struct Outcome {
    Kind kind = Kind::blocked;
    std::size_t count = 0;
  };

  explicit Stream(mysql::FileDescriptor socket) : socket_(std::move(socket)) {}

  Outcome read(std::span<char> into);
  Outcome write(std::string_view bytes);
  /// TLS begins with the next byte in both directions; call `handshake` until it is not blocked.
  void start_tls(const TlsContext& context);
  Outcome handshake();
  /// Tells the peer that no more comes, as far as that can be done without waiting. Reading goes on.
  void finish();
  /// The same, and closes the socket.
  void close();

  bool encrypted() const noexcept { return tls_ != nullptr; }
  /// True when the peer of this TLS session has sent a certificate.
  bool peer_has_certificate() const;
  int number() const noexcept { return socket_.number(); }
  bool open() const noexcept { return socket_.open(); }

 private:
  Outcome tls_outcome(int result);
  mysql::FileDescriptor socket_;
  TlsContext::Session tls_{nullptr, nullptr};
};

}  // namespace reseal::proxy

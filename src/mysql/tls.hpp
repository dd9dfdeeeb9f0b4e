// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "mysql/endpoint.hpp"

struct ssl_st;

namespace reseal::mysql {

/// The client's side of TLS (1.2 and later) over a non-blocking socket that the caller owns and waits for. Trust is
/// as Endpoint::tls says: `required` encrypts without asking who is there, `verify_ca` wants a chain to `tls_ca` (the
/// machine's trust store when that is empty), `verify_identity` also the endpoint's host name or address in the
/// certificate ("localhost" for a Unix socket). Not thread-safe. Failures are thrown: `usage` for unreadable files,
/// `refused` for a certificate that is not trusted, `transient` for a broken connection.
class TlsLayer {
 public:
  /// What a call came to: it moved `count` bytes, or it needs the socket to be readable or writable first.
  struct Outcome {
    std::size_t count = 0;
    bool needs_read = false;
    bool needs_write = false;
    bool finished() const noexcept { return !needs_read && !needs_write; }
  };

  TlsLayer(const Endpoint& endpoint, int socket);

  /// To be called until it is finished.
  Outcome handshake();
  Outcome read(char* into, std::size_t size);
  Outcome write(std::string_view bytes);
  /// "TLSv1.3 TLS_AES_256_GCM_SHA384", for messages.
  std::string cipher() const;

 private:
  Outcome outcome(int result, const char* doing);

  std::string endpoint_text_;
  std::unique_ptr<ssl_st, void (*)(ssl_st*)> session_;
};

}  // namespace reseal::mysql

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "mysql/endpoint.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace reseal::proxy {

/// TLS 1.2 and later for many connections of one kind. Thread-safe once it is made. Failure(usage) for files that
/// cannot be used.
class TlsContext {
 public:
  using Session = std::unique_ptr<ssl_st, void (*)(ssl_st*)>;

  /// Towards clients. A client's certificate is asked for and never judged: it is only noticed, so that an account that
  /// demands one can be told why it is refused.
  static TlsContext accepting(const std::string& certificate, const std::string& key);
  /// Towards a server; trust is as Endpoint::tls says. There is no client certificate.
  static TlsContext connecting(const mysql::Endpoint& server);

  /// A new session over this socket, which the caller owns.
  Session session(int socket) const;

 private:
  TlsContext(ssl_ctx_st* context, bool accepts);
  std::shared_ptr<ssl_ctx_st> context_;
  bool accepts_;
  std::string host_;     ///< for server name indication; empty for an address
  std::string must_be_;  ///< host name or address that the certificate has to name; empty: any
  bool must_be_address_ = false;
};

/// Why the last TLS call of this thread failed, in OpenSSL's words.
std::string tls_reason();

}  // namespace reseal::proxy

// SPDX-License-Identifier: Apache-2.0
#include "proxy/tls_context.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/failure.hpp"

namespace reseal::proxy {
namespace {

using base::Failure;
using base::FailureKind;
using mysql::TlsMode;

void need(int result, const std::string& what) {
  if (result != 1) throw Failure(FailureKind::usage, "cannot use " + what + ": " + tls_reason());
}

bool is_address(const std::string& host) {
  in6_addr any{};
  return inet_pton(AF_INET, host.c_str(), &any) == 1 || inet_pton(AF_INET6, host.c_str(), &any) == 1;
}

int accept_any(int, X509_STORE_CTX*) { return 1; }

}  // namespace

std::string tls_reason() {
  const auto code = ERR_peek_error();
  ERR_clear_error();
  const char* text = ERR_reason_error_string(code);
  return text == nullptr ? std::string("no reason given") : std::string(text);
}

TlsContext::TlsContext(SSL_CTX* context, bool accepts) : context_(context, SSL_CTX_free), accepts_(accepts) {
  RESEAL_CHECK(context != nullptr);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
  // An idle session gives OpenSSL's buffers back.
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_read_ahead(context, 1);
}

TlsContext TlsContext::accepting(const std::string& certificate, const std::string& key) {
  ERR_clear_error();
  TlsContext made(SSL_CTX_new(TLS_server_method()), true);
  auto* context = made.context_.get();
  need(SSL_CTX_use_certificate_chain_file(context, certificate.c_str()), "the certificate file " + certificate);
  need(SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM), "the key file " + key);
  need(SSL_CTX_check_private_key(context), "the key file " + key + " with this certificate");
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, accept_any);
  return made;
}

TlsContext TlsContext::connecting(const mysql::Endpoint& server) {
  ERR_clear_error();
  TlsContext made(SSL_CTX_new(TLS_client_method()), false);
  auto* context = made.context_.get();
  const bool verifies = server.tls == TlsMode::verify_ca || server.tls == TlsMode::verify_identity;
  if (verifies && server.tls_ca.empty())
    need(SSL_CTX_set_default_verify_paths(context), "the trust store of this machine");
  else if (verifies)
    need(SSL_CTX_load_verify_locations(context, server.tls_ca.c_str(), nullptr), "the CA file " + server.tls_ca);
  SSL_CTX_set_verify(context, verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  const auto host = server.socket.empty() ? server.host : std::string("localhost");
  const bool address = is_address(host);
  if (!address) made.host_ = host;
  if (server.tls == TlsMode::verify_identity) made.must_be_ = host;
  made.must_be_address_ = address;
  return made;
}

TlsContext::Session TlsContext::session(int socket) const {
  Session session(SSL_new(context_.get()), SSL_free);
  RESEAL_CHECK(session != nullptr && SSL_set_fd(session.get(), socket) == 1);
  if (accepts_) {
    SSL_set_accept_state(session.get());
    return session;
  }
  SSL_set_connect_state(session.get());
  if (!host_.empty())
    SSL_ctrl(session.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(host_.c_str()));
  if (must_be_.empty()) return session;
  auto* wanted = SSL_get0_param(session.get());
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const int set = must_be_address_ ? X509_VERIFY_PARAM_set1_ip_asc(wanted, must_be_.c_str())
                                   : X509_VERIFY_PARAM_set1_host(wanted, must_be_.c_str(), must_be_.size());
  RESEAL_CHECK(set == 1);
  return session;
}

}  // namespace reseal::proxy

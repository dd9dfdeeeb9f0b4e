// SPDX-License-Identifier: Apache-2.0
#include "mysql/tls.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>

#include "base/failure.hpp"

namespace reseal::mysql {
namespace {

using base::Failure;
using base::FailureKind;

constexpr std::size_t read_buffer_size = 64 * 1024;

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL, and a lost server would end the process by SIGPIPE.
int socket_of(BIO* bio) { return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))); }

bool try_again() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

int bio_read(BIO* bio, char* into, int size) {
  BIO_clear_retry_flags(bio);
  const auto count = ::recv(socket_of(bio), into, static_cast<std::size_t>(size), 0);
  if (count < 0 && try_again()) BIO_set_retry_read(bio);
  return static_cast<int>(count);
}

int bio_write(BIO* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  const auto count = ::send(socket_of(bio), from, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (count < 0 && try_again()) BIO_set_retry_write(bio);
  return static_cast<int>(count);
}

long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO_METHOD* make_socket_method() {
  auto* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "quiet socket");
  RESEAL_CHECK(method != nullptr);
  BIO_meth_set_read(method, bio_read);
  BIO_meth_set_write(method, bio_write);
  BIO_meth_set_ctrl(method, bio_control);
  return method;
}

const BIO_METHOD* socket_method() {
  static const BIO_METHOD* const method = make_socket_method();
  return method;
}

std::string reason() {
  const auto code = ERR_peek_error();
  ERR_clear_error();
  const char* text = ERR_reason_error_string(code);
  return text == nullptr ? std::string("no reason given") : std::string(text);
}

using ContextHandle = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

bool verifies(TlsMode mode) { return mode == TlsMode::verify_ca || mode == TlsMode::verify_identity; }

void load_files(SSL_CTX* context, const Endpoint& endpoint) {
  const auto need = [](int result, const std::string& what) {
    if (result != 1) throw Failure(FailureKind::usage, "cannot use " + what + ": " + reason());
  };
  if (verifies(endpoint.tls)) {
    if (endpoint.tls_ca.empty()) {
      need(SSL_CTX_set_default_verify_paths(context), "the trust store of this machine");
    } else {
      need(SSL_CTX_load_verify_locations(context, endpoint.tls_ca.c_str(), nullptr), "the CA file " + endpoint.tls_ca);
    }
  }
  if (!endpoint.tls_cert.empty())
    need(SSL_CTX_use_certificate_chain_file(context, endpoint.tls_cert.c_str()),
         "the certificate file " + endpoint.tls_cert);
  if (!endpoint.tls_key.empty())
    need(SSL_CTX_use_PrivateKey_file(context, endpoint.tls_key.c_str(), SSL_FILETYPE_PEM),
         "the key file " + endpoint.tls_key);
}

ContextHandle make_context(const Endpoint& endpoint) {
  ContextHandle context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  RESEAL_CHECK(context != nullptr);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_default_read_buffer_len(context.get(), read_buffer_size);
  load_files(context.get(), endpoint);
  SSL_CTX_set_verify(context.get(), verifies(endpoint.tls) ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  return context;
}

bool is_address(const std::string& host) {
  in6_addr any{};
  return inet_pton(AF_INET, host.c_str(), &any) == 1 || inet_pton(AF_INET6, host.c_str(), &any) == 1;
}

void expect_host(SSL* session, const Endpoint& endpoint) {
  const auto host = endpoint.socket.empty() ? endpoint.host : std::string("localhost");
  const bool address = is_address(host);
  // Server name indication takes names only (RFC 6066, section 3).
  if (!address)
    SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(host.c_str()));
  if (endpoint.tls != TlsMode::verify_identity) return;
  auto* wanted = SSL_get0_param(session);
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const int set = address ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str())
                          : X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), host.size());
  if (set != 1) throw Failure(FailureKind::usage, "cannot check a certificate for the host name " + host);
}

int as_int(std::size_t size) { return static_cast<int>(std::min<std::size_t>(size, INT_MAX)); }

}  // namespace

TlsLayer::TlsLayer(const Endpoint& endpoint, int socket)
    : endpoint_text_(endpoint.text()), session_(nullptr, SSL_free) {
  ERR_clear_error();
  const auto context = make_context(endpoint);
  session_.reset(SSL_new(context.get()));
  auto* bio = BIO_new(socket_method());
  RESEAL_CHECK(session_ != nullptr && bio != nullptr);
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
  BIO_set_init(bio, 1);
  SSL_set_bio(session_.get(), bio, bio);
  expect_host(session_.get(), endpoint);
}

TlsLayer::Outcome TlsLayer::handshake() {
  ERR_clear_error();
  const int result = SSL_connect(session_.get());
  if (result != 1) {
    if (const auto verdict = SSL_get_verify_result(session_.get()); verdict != X509_V_OK)
      throw Failure(FailureKind::refused, "the certificate of " + endpoint_text_ +
                                              " is not trusted: " + X509_verify_cert_error_string(verdict) +
                                              "; nothing was sent, check the CA file and the host name");
  }
  return outcome(result, "starting TLS with");
}

TlsLayer::Outcome TlsLayer::read(char* into, std::size_t size) {
  ERR_clear_error();
  return outcome(SSL_read(session_.get(), into, as_int(size)), "reading from");
}

TlsLayer::Outcome TlsLayer::write(std::string_view bytes) {
  ERR_clear_error();
  return outcome(SSL_write(session_.get(), bytes.data(), as_int(bytes.size())), "writing to");
}

TlsLayer::Outcome TlsLayer::outcome(int result, const char* doing) {
  if (result > 0) return {static_cast<std::size_t>(result), false, false};
  const int system_error = errno;
  const std::string where = std::string(doing) + " " + endpoint_text_;
  switch (SSL_get_error(session_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {0, true, false};
    case SSL_ERROR_WANT_WRITE:
      return {0, false, true};
    case SSL_ERROR_ZERO_RETURN:
      throw Failure(FailureKind::transient, where + ": the server closed the connection");
    case SSL_ERROR_SYSCALL:
      throw Failure(FailureKind::transient,
                    where + ": the connection is lost" +
                        (system_error == 0 ? std::string() : std::string(": ") + std::strerror(system_error)));
    default:
      throw Failure(FailureKind::transient, where + ": the connection is lost: " + reason());
  }
}

std::string TlsLayer::cipher() const {
  return std::string(SSL_get_version(session_.get())) + " " + SSL_get_cipher_name(session_.get());
}

}  // namespace reseal::mysql

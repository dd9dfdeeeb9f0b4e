// SPDX-License-Identifier: Apache-2.0
#include "proxy/stream.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "base/failure.hpp"

namespace reseal::proxy {
namespace {

bool try_again() { return errno == EAGAIN || errno == EWOULDBLOCK; }

int as_int(std::size_t size) { return static_cast<int>(std::min<std::size_t>(size, INT_MAX)); }

Stream::Outcome plain_outcome(ssize_t count) {
  if (count > 0) return {Stream::Kind::moved, static_cast<std::size_t>(count)};
  if (count == 0) return {Stream::Kind::ended, 0};
  return {try_again() ? Stream::Kind::blocked : Stream::Kind::failed, 0};
}

}  // namespace

Stream::Outcome Stream::read(std::span<char> into) {
  if (tls_) {
    ERR_clear_error();
    return tls_outcome(SSL_read(tls_.get(), into.data(), as_int(into.size())));
  }
  ssize_t count = 0;
  do {
    count = ::recv(number(), into.data(), into.size(), MSG_DONTWAIT);
  } while (count < 0 && errno == EINTR);
  return plain_outcome(count);
}

Stream::Outcome Stream::write(std::string_view bytes) {
  if (tls_) {
    ERR_clear_error();
    return tls_outcome(SSL_write(tls_.get(), bytes.data(), as_int(bytes.size())));
  }
  ssize_t count = 0;
  do {
    count = ::send(number(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (count < 0 && errno == EINTR);
  return plain_outcome(count);
}

void Stream::start_tls(const TlsContext& context) {
  RESEAL_CHECK(!tls_);
  tls_ = context.session(number());
}

Stream::Outcome Stream::handshake() {
  ERR_clear_error();
  return tls_outcome(SSL_do_handshake(tls_.get()));
}

Stream::Outcome Stream::tls_outcome(int result) {
  if (result > 0) return {Kind::moved, static_cast<std::size_t>(result)};
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return {Kind::blocked, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {Kind::ended, 0};
    default:
      return {Kind::failed, 0};
  }
}

bool Stream::peer_has_certificate() const { return tls_ && SSL_get0_peer_certificate(tls_.get()) != nullptr; }

void Stream::finish() {
  if (tls_ && SSL_is_init_finished(tls_.get()) == 1) SSL_shutdown(tls_.get());
  ERR_clear_error();
  ::shutdown(number(), SHUT_WR);
}

void Stream::close() {
  finish();
  tls_.reset();
  socket_ = mysql::FileDescriptor();
}

}  // namespace reseal::proxy

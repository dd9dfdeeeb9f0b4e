// SPDX-License-Identifier: Apache-2.0
#include "mysql/channel.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>

#include "base/failure.hpp"

namespace reseal::mysql {
namespace {

using base::Failure;
using base::FailureKind;
using Clock = std::chrono::steady_clock;

constexpr std::size_t buffer_size = 64 * 1024;
// From this size on a copy costs more than a system call.
constexpr std::size_t straight_size = 16 * 1024;

// Seconds: 4 idle, then 3 probes 2 apart, so that a dead peer is noticed after 10 (Linux tcp(7)).
constexpr int keepalive_idle = 4;
constexpr int keepalive_interval = 2;
constexpr int keepalive_probes = 3;
constexpr unsigned unacknowledged_ms = 10'000;

Failure lost(const std::string& what, int error) {
  return {FailureKind::transient, what + ": " + std::strerror(error)};
}

template <typename Value>
void set_option(int socket, int level, int name, Value value) {
  ::setsockopt(socket, level, name, &value, sizeof value);  // without it the connection works, only less well
}

void tune_tcp(int socket) {
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, keepalive_idle);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, keepalive_interval);
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, keepalive_probes);
  set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, unacknowledged_ms);
}

bool try_again() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

int poll_timeout(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1 << 30));
}

std::string in_seconds(Channel::Timeout timeout) {
  const auto ms = timeout.count();
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

}  // namespace

Channel::Channel(const Endpoint& endpoint, Timeout timeout)
    : endpoint_text_(endpoint.text()), wakeup_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), buffer_(buffer_size) {
  if (!wakeup_.open())
    throw Failure(FailureKind::local, std::string("cannot open an eventfd: ") + std::strerror(errno));
  if (endpoint.socket.empty())
    connect_tcp(endpoint, timeout);
  else
    connect_unix(endpoint, timeout);
}

void Channel::connect_unix(const Endpoint& endpoint, Timeout timeout) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (endpoint.socket.size() >= sizeof address.sun_path)
    throw Failure(FailureKind::usage, "the socket path is too long for this system: " + endpoint.socket);
  std::memcpy(address.sun_path, endpoint.socket.data(), endpoint.socket.size());
  socket_ = FileDescriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (::connect(socket_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return;
  if (errno != EINPROGRESS) throw lost("cannot connect to " + endpoint_text_, errno);
  finish_connect(timeout);
}

void Channel::connect_tcp(const Endpoint& endpoint, Timeout timeout) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &wanted, &found);
  if (failed != 0)
    throw Failure(FailureKind::transient, "cannot find the host of " + endpoint_text_ + ": " + ::gai_strerror(failed));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, ::freeaddrinfo);
  for (const auto* address = found; address != nullptr; address = address->ai_next) {
    try {
      socket_ = FileDescriptor(::socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      tune_tcp(socket_.number());
      if (::connect(socket_.number(), address->ai_addr, address->ai_addrlen) == 0) return;
      if (errno != EINPROGRESS) throw lost("cannot connect to " + endpoint_text_, errno);
      return finish_connect(timeout);
    } catch (const Failure&) {
      if (address->ai_next == nullptr) throw;
    }
  }
}

void Channel::finish_connect(Timeout timeout) {
  wait({0, false, true}, timeout, {});
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket_.number(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) throw lost("cannot connect to " + endpoint_text_, error);
}

void Channel::start_tls(const Endpoint& endpoint, Timeout timeout) {
  RESEAL_CHECK(!tls_);
  if (buffer_start_ != buffer_end_)
    throw Failure(FailureKind::refused, endpoint_text_ + " sent bytes ahead of TLS; the connection is not trusted");
  TlsLayer layer(endpoint, socket_.number());
  for (auto step = layer.handshake(); !step.finished(); step = layer.handshake()) wait(step, timeout, {});
  tls_.emplace(std::move(layer));
}

std::size_t Channel::read(std::span<char> into, Timeout timeout, std::stop_token stop) {
  if (buffer_start_ == buffer_end_) {
    if (into.size() >= straight_size) return read_some(into, timeout, stop);
    buffer_start_ = 0;
    buffer_end_ = 0;
    buffer_end_ = read_some(buffer_, timeout, stop);
  }
  const auto count = std::min(into.size(), buffer_end_ - buffer_start_);
  std::memcpy(into.data(), buffer_.data() + buffer_start_, count);
  buffer_start_ += count;
  return count;
}

std::size_t Channel::read_some(std::span<char> into, Timeout timeout, const std::stop_token& stop) {
  while (true) {
    const auto outcome = try_read(into);
    if (outcome.finished()) return outcome.count;
    if (!wait(outcome, timeout, stop)) return 0;
  }
}

void Channel::write(std::string_view bytes, Timeout timeout) {
  while (!bytes.empty()) {
    const auto outcome = try_write(bytes);
    if (outcome.finished())
      bytes.remove_prefix(outcome.count);
    else
      wait(outcome, timeout, {});
  }
}

Channel::Outcome Channel::try_read(std::span<char> into) {
  if (tls_) return tls_->read(into.data(), into.size());
  const auto count = ::recv(socket_.number(), into.data(), into.size(), 0);
  if (count > 0) return {static_cast<std::size_t>(count), false, false};
  if (count < 0 && try_again()) return {0, true, false};
  const std::string where = "reading from " + endpoint_text_;
  if (count == 0) throw Failure(FailureKind::transient, where + ": the server closed the connection");
  throw lost(where, errno);
}

Channel::Outcome Channel::try_write(std::string_view bytes) {
  if (tls_) return tls_->write(bytes);
  const auto count = ::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (count > 0) return {static_cast<std::size_t>(count), false, false};
  if (count < 0 && try_again()) return {0, false, true};
  throw lost("writing to " + endpoint_text_, errno);
}

bool Channel::wait(const Outcome& needs, Timeout timeout, const std::stop_token& stop) {
  const auto deadline = Clock::now() + timeout;
  bool stopped = false;
  {
    const std::stop_callback wake(stop, [this] { ::eventfd_write(wakeup_.number(), 1); });
    const auto events = static_cast<short>((needs.needs_read ? POLLIN : 0) | (needs.needs_write ? POLLOUT : 0));
    pollfd watched[] = {{socket_.number(), events, 0}, {wakeup_.number(), POLLIN, 0}};
    int ready = -1;
    do {
      ready = ::poll(watched, 2, poll_timeout(deadline));
    } while (ready < 0 && errno == EINTR);
    if (ready < 0) throw lost("waiting for " + endpoint_text_, errno);
    if (ready == 0)
      throw Failure(FailureKind::transient, (needs.needs_read ? "nothing came from " : "no bytes could be sent to ") +
                                                endpoint_text_ + " for " + in_seconds(timeout));
    stopped = stop.stop_requested();
  }
  if (stopped) {
    eventfd_t ignored = 0;
    ::eventfd_read(wakeup_.number(), &ignored);  // the next wait may come with another token
  }
  return !stopped;
}

}  // namespace reseal::mysql

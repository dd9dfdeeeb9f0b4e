// SPDX-License-Identifier: Apache-2.0
#include "proxy/server_place.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/failure.hpp"

namespace reseal::proxy {
namespace {

using base::Failure;
using base::FailureKind;

// Seconds: a peer that vanished is noticed after 30 + 3 * 10 (Linux tcp(7)).
constexpr int keepalive_idle = 30;
constexpr int keepalive_interval = 10;
constexpr int keepalive_probes = 3;

void set_option(int socket, int level, int name, int value) {
  ::setsockopt(socket, level, name, &value, sizeof value);  // without it the connection works, only less well
}

ServerPlace::Address unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    throw Failure(FailureKind::usage, "the socket path is too long for this system: " + path);
  std::memcpy(address.sun_path, path.data(), path.size());
  ServerPlace::Address found;
  found.size = sizeof address;
  std::memcpy(&found.bytes, &address, sizeof address);
  return found;
}

}  // namespace

bool ServerPlace::same_addresses(const ServerPlace& other) const {
  const auto sorted = [](const ServerPlace& place) {
    std::vector<std::string> all;
    for (const auto& one : place.addresses) all.emplace_back(reinterpret_cast<const char*>(&one.bytes), one.size);
    std::sort(all.begin(), all.end());
    return all;
  };
  return sorted(*this) == sorted(other);
}

ServerPlace resolve(const mysql::Endpoint& server) {
  if (!server.socket.empty()) return {server.socket, true, {unix_address(server.socket)}};
  ServerPlace place{server.host + ":" + std::to_string(server.port), false, {}};
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(server.host.c_str(), std::to_string(server.port).c_str(), &wanted, &found);
  if (failed != 0)
    throw Failure(FailureKind::transient, "cannot find the host of " + place.text + ": " + ::gai_strerror(failed));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, ::freeaddrinfo);
  for (const auto* address = found; address != nullptr; address = address->ai_next) {
    auto& kept = place.addresses.emplace_back();
    kept.size = address->ai_addrlen;
    std::memcpy(&kept.bytes, address->ai_addr, address->ai_addrlen);
  }
  return place;
}

Connecting begin_connect(const ServerPlace::Address& address) {
  const int family = address.bytes.ss_family;
  Connecting begun{mysql::FileDescriptor(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)), 0};
  if (!begun.socket.open()) return {mysql::FileDescriptor(), errno};
  if (family != AF_UNIX) tune_tcp(begun.socket.number());
  const auto* const generic = reinterpret_cast<const sockaddr*>(&address.bytes);
  if (::connect(begun.socket.number(), generic, address.size) != 0 && errno != EINPROGRESS) begun.error = errno;
  return begun;
}

int connect_result(int socket) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

bool is_connected(int socket) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  return ::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
}

void tune_tcp(int socket) {
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, keepalive_idle);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, keepalive_interval);
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, keepalive_probes);
}

}  // namespace reseal::proxy

// SPDX-License-Identifier: Apache-2.0
#include "proxy/listener.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "base/failure.hpp"
#include "proxy/proxy_header.hpp"
#include "proxy/server_place.hpp"

namespace reseal::proxy {
namespace {

using base::Failure;
using base::FailureKind;

constexpr int backlog = 512;

[[noreturn]] void cannot_listen(const std::string& where) {
  throw Failure(FailureKind::local, "cannot listen on " + where + ": " + std::strerror(errno));
}

std::pair<std::string, std::string> host_and_port(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos || colon + 1 == address.size())
    throw Failure(FailureKind::usage, "the address to listen on is HOST:PORT, not '" + address + "'");
  auto host = address.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return {host, address.substr(colon + 1)};
}

bool somebody_listens(const sockaddr_un& address) {
  const mysql::FileDescriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(probe.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

Listener Listener::tcp(const std::string& address) {
  const auto [host, port] = host_and_port(address);
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (const int failed = ::getaddrinfo(host.empty() ? nullptr : host.c_str(), port.c_str(), &wanted, &found))
    throw Failure(FailureKind::usage, "cannot listen on " + address + ": " + ::gai_strerror(failed));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, ::freeaddrinfo);
  mysql::FileDescriptor socket(::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int yes = 1;
  ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(socket.number(), found->ai_addr, found->ai_addrlen) != 0 || ::listen(socket.number(), backlog) != 0)
    cannot_listen(address);
  return {std::move(socket), {}};
}

Listener Listener::unix_socket(const std::string& path, unsigned mode) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    throw Failure(FailureKind::usage, "the socket path is too long for this system: " + path);
  std::memcpy(address.sun_path, path.data(), path.size());
  struct stat there {};
  if (::lstat(path.c_str(), &there) == 0) {
    if (!S_ISSOCK(there.st_mode))
      throw Failure(FailureKind::local, "cannot listen on " + path + ": something else is there");
    if (somebody_listens(address))
      throw Failure(FailureKind::local, "cannot listen on " + path + ": another process does");
    ::unlink(path.c_str());
  }
  mysql::FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  // The file is made with the rights of the socket: nobody else may connect between bind and chmod.
  ::fchmod(socket.number(), 0600);
  if (::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) cannot_listen(path);
  Listener listener(std::move(socket), path);
  if (::chmod(path.c_str(), mode) != 0 || ::listen(listener.number(), backlog) != 0) cannot_listen(path);
  return listener;
}

Listener Listener::inherited(int socket) {
  mysql::FileDescriptor owned(socket);
  int listens = 0;
  socklen_t size = sizeof listens;
  if (::getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0)
    throw Failure(FailureKind::usage, "descriptor " + std::to_string(socket) + " was handed over and does not listen");
  ::fcntl(socket, F_SETFD, FD_CLOEXEC);
  ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
  return {std::move(owned), {}};
}

std::vector<int> handed_over_sockets() {
  constexpr int first = 3;  // SD_LISTEN_FDS_START
  constexpr int most = 64;
  const char* const process = std::getenv("LISTEN_PID");
  const char* const count = std::getenv("LISTEN_FDS");
  std::vector<int> sockets;
  if (process != nullptr && count != nullptr && std::strtol(process, nullptr, 10) == ::getpid())
    for (int i = 0; i < std::min<long>(std::strtol(count, nullptr, 10), most); ++i) sockets.push_back(first + i);
  for (const char* const name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
  return sockets;
}

Listener::~Listener() {
  if (socket_.open() && !path_.empty()) ::unlink(path_.c_str());
}

Listener::Accepted Listener::accept() {
  Accepted accepted;
  socklen_t size = sizeof accepted.peer;
  accepted.client = mysql::FileDescriptor(
      ::accept4(number(), reinterpret_cast<sockaddr*>(&accepted.peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!accepted.client.open()) {
    const bool none = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ECONNABORTED;
    accepted.error = none ? 0 : errno;
    return accepted;
  }
  accepted.origin.on_socket = accepted.peer.ss_family == AF_UNIX;
  accepted.origin.text = accepted.origin.on_socket ? std::string("socket") : address_text(accepted.peer);
  if (!accepted.origin.on_socket) tune_tcp(accepted.client.number());
  return accepted;
}

std::uint16_t Listener::port() const {
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  if (::getsockname(number(), reinterpret_cast<sockaddr*>(&own), &size) != 0) return 0;
  if (own.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(own).sin_port);
  return own.ss_family == AF_INET6 ? ntohs(reinterpret_cast<const sockaddr_in6&>(own).sin6_port) : std::uint16_t{0};
}

}  // namespace reseal::proxy

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

#include "mysql/file_descriptor.hpp"
#include "proxy/session.hpp"

namespace reseal::proxy {

/// A socket that clients connect to. Failure(local) names what could not be bound; Failure(usage) a wrong address.
class Listener {
 public:
  /// "host:port", "[v6]:port"; port 0 takes a free one.
  static Listener tcp(const std::string& address);
  /// A socket file, made with `mode`. One that a dead process left behind is replaced; a live one is a failure. Removed
  /// with the listener.
  static Listener unix_socket(const std::string& path, unsigned mode);
  /// One that listens already, as a service manager hands it over. Failure(usage) when it does not.
  static Listener inherited(int socket);
  Listener(Listener&&) noexcept = default;
  Listener& operator=(Listener&&) noexcept = default;
  ~Listener();

  struct Accepted {
    mysql::FileDescriptor client;  ///< not open when none waits, or with `error`
    ClientOrigin origin;
    sockaddr_storage peer{};
    int error = 0;  ///< an errno that needs a pause: out of descriptors or memory
  };
  Accepted accept();
  int number() const noexcept { return socket_.number(); }
  /// 0 for a Unix socket.
  std::uint16_t port() const;

 private:
  Listener(mysql::FileDescriptor socket, std::string path) : socket_(std::move(socket)), path_(std::move(path)) {}
  mysql::FileDescriptor socket_;
  std::string path_;  ///< of a socket file
};

/// The sockets that a service manager handed to this process (sd_listen_fds(3): LISTEN_PID, LISTEN_FDS), which are then
/// this process's alone: the variables are removed.
std::vector<int> handed_over_sockets();

}  // namespace reseal::proxy

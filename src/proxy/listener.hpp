// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

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
  Listener(Listener&&) noexcept = default;
  Listener& operator=(Listener&&) noexcept = default;
  ~Listener();

  struct Accepted {
    mysql::FileDescriptor client;  ///< not open when none waits, or with `error`
    ClientOrigin origin;
    int error = 0;  ///< an errno that needs a pause: out of descriptors or memory
  };
  Accepted accept();
  int number() const noexcept { return socket_.number(); }
  std::uint16_t port() const;

 private:
  Listener(mysql::FileDescriptor socket, std::string path) : socket_(std::move(socket)), path_(std::move(path)) {}
  mysql::FileDescriptor socket_;
  std::string path_;  ///< of a socket file
};

}  // namespace reseal::proxy

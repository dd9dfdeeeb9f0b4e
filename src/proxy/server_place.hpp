// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

#include <string>
#include <vector>

#include "mysql/endpoint.hpp"
#include "mysql/file_descriptor.hpp"

namespace reseal::proxy {

/// Where a server is reached, with its name resolved.
struct ServerPlace {
  struct Address {
    sockaddr_storage bytes{};
    socklen_t size = 0;
  };
  std::string text;  ///< "host:port" or the socket's path, for messages
  bool on_socket = false;
  std::vector<Address> addresses;  ///< tried in this order

  /// True when they are the same, in whatever order.
  bool same_addresses(const ServerPlace& other) const;
};

/// Asks the resolver, which may take its time. Failure(transient) when the host is not known.
ServerPlace resolve(const mysql::Endpoint& server);

/// What a non-blocking connect has come to at once; `error` is an errno, 0 when it is under way or done.
struct Connecting {
  mysql::FileDescriptor socket;
  int error = 0;
};
Connecting begin_connect(const ServerPlace::Address& address);
/// The result of a connect that was under way, as an errno; 0 when it stands.
int connect_result(int socket);
/// Whether the peer's host has accepted the connection, also before anybody was told of it.
bool is_connected(int socket);
/// No delay for small packets, and probes that notice a peer that vanished.
void tune_tcp(int socket);

}  // namespace reseal::proxy

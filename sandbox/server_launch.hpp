// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>

#include "mysql/endpoint.hpp"
#include "mysql/session.hpp"
#include "sandbox/server_folder.hpp"
#include "sandbox/server_process.hpp"

namespace reseal::sandbox {

/// A server that answers, and how to reach it.
struct LaunchedServer {
  ServerProcess process;
  std::uint16_t port;
};

/// Starts the server of a prepared data folder and waits until it answers on `socket`. `port` 0 takes a free one.
/// Throws Failure(refused) with the server's own error lines when it does not come up.
LaunchedServer launch(const MysqlPrograms& programs, const ServerFolder& folder, const std::filesystem::path& socket,
                      std::uint16_t port, const ServerOptions& options, Lifetime lifetime);

/// Makes the account `reseal`@`%` with every privilege and a random password, locks root, and returns how to log in.
/// Nothing of it gets into the binlog. Only for a server whose root@localhost still has no password.
mysql::Endpoint make_account(const ServerFolder& folder, const std::filesystem::path& socket, std::uint16_t port);

/// `folder`/mysqld.sock when that is short enough for a socket address (107 bytes on Linux), else a name in a folder
/// made under the system's temporary folder, the same one until it is removed. `folder` must exist.
std::filesystem::path socket_path(const std::filesystem::path& folder);

/// Whether a server takes connections there now.
bool answers(const std::filesystem::path& socket);

/// Removes the temporary folder that socket_path made for `folder`, if it did. Only when no server uses it.
void remove_socket_folder(const std::filesystem::path& folder);

/// A port of 127.0.0.1 below the ephemeral range that nothing listens on now.
std::uint16_t free_port();

}  // namespace reseal::sandbox

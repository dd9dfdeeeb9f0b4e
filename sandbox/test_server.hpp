// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>

#include "mysql/endpoint.hpp"
#include "mysql/session.hpp"
#include "sandbox/mysql_programs.hpp"
#include "sandbox/server_folder.hpp"
#include "sandbox/server_options.hpp"
#include "sandbox/server_process.hpp"

namespace reseal::sandbox {

/// A real MySQL server for a test, on a free loopback port. It runs from the constructor to the destructor, and the
/// kernel kills it when the thread that started it ends (see Lifetime): construct it, and call start_again, from a
/// thread that stays, as gtest's main thread does. Not thread-safe; any number may run at a time.
/// Failures are Failure(refused) with the server's own error lines.
class TestServer final {
 public:
  /// Starts a new server in `folder`, which must not hold one yet and is kept; without `folder`, in a temporary folder
  /// that the destructor removes (unless RESEAL_KEEP_SERVERS is set, for a look at it afterwards).
  explicit TestServer(ServerOptions options = {}, std::filesystem::path folder = {});
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  /// The account `reseal` with every privilege, over TCP and TLS. Stays the same over restarts.
  const mysql::Endpoint& endpoint() const { return endpoint_; }
  /// A new session of that account.
  mysql::Session connect(mysql::Side side) const { return mysql::Session(endpoint_, side); }

  /// Clean shutdown. Does nothing when the server does not run.
  void stop();
  /// Ends the server as a crash does (SIGKILL).
  void kill_hard();
  /// Starts a stopped or killed server on its data, its port and the present `options()`.
  void start_again();
  /// May be changed between stop and start_again, except `encrypted` and `own_certificates`.
  ServerOptions& options() { return options_; }

  std::uint16_t port() const { return endpoint_.port; }
  pid_t pid() const { return process_ ? process_->pid() : 0; }
  bool running() { return process_ && process_->running(); }
  std::filesystem::path data_folder() const { return folder_.data(); }
  std::filesystem::path error_log() const { return folder_.error_log(); }
  const std::filesystem::path& socket() const { return socket_; }

 private:
  void discard() noexcept;

  MysqlPrograms programs_;
  ServerOptions options_;
  ServerFolder folder_;
  std::filesystem::path socket_;
  bool temporary_;
  std::optional<ServerProcess> process_;
  mysql::Endpoint endpoint_;
};

}  // namespace reseal::sandbox

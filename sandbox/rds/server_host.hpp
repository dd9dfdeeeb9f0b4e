// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "sandbox/mysql_programs.hpp"
#include "sandbox/server_folder.hpp"
#include "sandbox/server_process.hpp"

namespace reseal::sandbox::rds {

/// Owns every mysqld of the sandbox, by the root folder that it runs in. Servers are started from one thread that stays
/// as long as this object, so that the kernel ends them when the process dies (see Lifetime). Any thread may call.
/// A server that runs is ended by its process id, never by a name.
class ServerHost {
 public:
  explicit ServerHost(MysqlPrograms programs);
  ~ServerHost();
  ServerHost(const ServerHost&) = delete;
  ServerHost& operator=(const ServerHost&) = delete;

  /// Makes a new data folder (see prepare_data_folder).
  void prepare(const ServerFolder& folder, const ServerOptions& options);
  /// Starts a server and waits until it answers. `port` 0 takes a free one. Returns the port.
  std::uint16_t start(const ServerFolder& folder, std::uint16_t port, const ServerOptions& options);
  /// A clean shutdown. Nothing when no server runs there.
  void stop(const ServerFolder& folder);
  /// The end of a machine: SIGKILL.
  void kill(const ServerFolder& folder);
  /// Stops all that runs and refuses to start more. `kept`: their data is, so they are shut down cleanly.
  void close(bool kept);

  const MysqlPrograms& programs() const { return programs_; }

 private:
  void run_on_starter(const std::function<void()>& task);
  void enqueue(std::function<void()> task);
  std::optional<ServerProcess> take(const ServerFolder& folder);

  MysqlPrograms programs_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool closed_ = false;
  std::deque<std::function<void()>> tasks_;
  std::map<std::string, ServerProcess> running_;
  std::jthread starter_;  ///< last, so that it ends first
};

}  // namespace reseal::sandbox::rds

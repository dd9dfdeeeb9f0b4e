// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace reseal::sandbox {

/// When a started server ends by itself.
enum class Lifetime {
  of_starting_thread,  ///< killed by the kernel when the *thread* that started it ends (PR_SET_PDEATHSIG), so that no
                       ///< server outlives a test that crashed: start servers from a thread that stays
  own                  ///< outlives the process that started it
};

/// A running server process, ours or one that an earlier command left running. Holds it by pidfd, so a pid that was
/// given to another process is never signalled. The destructor leaves the process alone. One thread at a time.
class ServerProcess {
 public:
  /// Starts `arguments` in a session of its own, stdin from nothing, stdout and stderr appended to `console`.
  static ServerProcess spawn(const std::vector<std::string>& arguments, const std::filesystem::path& console,
                             Lifetime lifetime);
  /// The running process `pid` if its command line contains `argument` as a whole; nothing otherwise.
  static std::optional<ServerProcess> find(pid_t pid, const std::string& argument);

  ServerProcess(ServerProcess&& other) noexcept;
  ServerProcess& operator=(ServerProcess&& other) noexcept;
  ~ServerProcess();

  pid_t pid() const { return pid_; }
  bool running() { return !ended_within(std::chrono::milliseconds(0)); }
  /// Waits for the end of the process; false when it still runs after `time`.
  bool ended_within(std::chrono::milliseconds time);
  /// Asks for a clean shutdown (SIGTERM); after `grace` SIGKILL. Returns when the process is gone.
  void stop(std::chrono::milliseconds grace = std::chrono::seconds(60));
  /// SIGKILL, as a crash; returns when the process is gone.
  void kill_hard();

 private:
  ServerProcess(pid_t pid, int handle) : pid_(pid), handle_(handle) {}
  void signal(int number) noexcept;
  pid_t pid_;
  int handle_;  ///< pidfd; -1 once the end was seen
};

}  // namespace reseal::sandbox

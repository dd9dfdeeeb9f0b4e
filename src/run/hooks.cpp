// SPDX-License-Identifier: Apache-2.0
#include "run/hooks.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

extern char** environ;

namespace reseal::run {
namespace {

bool safe_to_run(const std::filesystem::path& file) {
  struct stat seen {};
  if (::lstat(file.c_str(), &seen) != 0) return false;
  return S_ISREG(seen.st_mode) && (seen.st_mode & (S_IWGRP | S_IWOTH)) == 0 && (seen.st_mode & S_IXUSR) != 0;
}

/// An unnamed file that holds `text`, at its beginning: as standard input it can neither block nor raise SIGPIPE.
int input_of(const std::string& text) {
  const int file = ::memfd_create("hook-input", MFD_CLOEXEC);
  if (file < 0) return -1;
  if (::write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size()) || ::lseek(file, 0, SEEK_SET) != 0) {
    ::close(file);
    return -1;
  }
  return file;
}

/// Exit status, or nothing when the time was up and the process was killed.
int wait_for(pid_t process, std::chrono::milliseconds timeout) {
  const int descriptor = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
  if (descriptor >= 0) {
    pollfd ended{descriptor, POLLIN, 0};
    if (::poll(&ended, 1, static_cast<int>(timeout.count())) == 0) ::kill(process, SIGKILL);
    ::close(descriptor);
  }
  int status = 0;
  ::waitpid(process, &status, 0);
  return status;
}

}  // namespace

HookResult run_hook(const std::filesystem::path& folder, const std::string& event, const std::string& json,
                    std::chrono::milliseconds timeout, base::Log& log) {
  if (folder.empty()) return HookResult::absent;
  const auto file = folder / ("reseal-on-" + event);
  std::error_code error;
  if (!std::filesystem::exists(std::filesystem::symlink_status(file, error))) return HookResult::absent;
  if (!safe_to_run(file)) {
    log.error("the hook " + file.string() + " is a link, not executable, or may be written by others; it was not run");
    return HookResult::failed;
  }
  const int input = input_of(json + "\n");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  std::string program = file.string();
  std::array<char*, 2> arguments = {program.data(), nullptr};
  pid_t process = 0;
  const int failed = ::posix_spawn(&process, program.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(input);
  if (failed != 0) {
    log.error("the hook " + program + " could not be started: " + std::strerror(failed));
    return HookResult::failed;
  }
  const int status = wait_for(process, timeout);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return HookResult::succeeded;
  log.error(
      "the hook " + program +
      (WIFEXITED(status) ? " ended with " + std::to_string(WEXITSTATUS(status)) : " was killed or ran out of time"));
  return HookResult::failed;
}

}  // namespace reseal::run

// SPDX-License-Identifier: Apache-2.0
#include "sandbox/server_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "base/failure.hpp"

namespace reseal::sandbox {
namespace {

using base::Failure;
using base::FailureKind;

int open_process(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)); }

bool command_line_has(pid_t pid, const std::string& argument) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline", std::ios::binary);
  for (std::string word; std::getline(file, word, '\0');)
    if (word == argument) return true;
  return false;
}

// Runs in the child of a process that may have threads: only async-signal-safe calls.
[[noreturn]] void become_server(char* const* arguments, int console, int nothing, pid_t parent, Lifetime lifetime) {
  if (lifetime == Lifetime::of_starting_thread) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(126);  // the parent went before the request was in place
  }
  ::setsid();
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(console, STDOUT_FILENO);
  ::dup2(console, STDERR_FILENO);
  ::syscall(SYS_close_range, 3U, ~0U, 0U);
  ::execv(arguments[0], arguments);
  ::_exit(127);
}

}  // namespace

ServerProcess ServerProcess::spawn(const std::vector<std::string>& arguments, const std::filesystem::path& console,
                                   Lifetime lifetime) {
  std::vector<char*> words;
  for (const auto& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  const int output = ::open(console.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const pid_t parent = ::getpid();
  const pid_t pid = output < 0 || nothing < 0 ? -1 : ::fork();
  if (pid == 0) become_server(words.data(), output, nothing, parent, lifetime);
  const int error = errno;
  ::close(output);
  ::close(nothing);
  if (pid < 0)
    throw Failure(FailureKind::local, "cannot start " + arguments[0] + " with its output in " + console.string() +
                                          ": " + std::strerror(error));
  // The child is not reaped before this object sees its end, so the pid is still its own.
  return {pid, open_process(pid)};
}

std::optional<ServerProcess> ServerProcess::find(pid_t pid, const std::string& argument) {
  if (pid <= 0) return std::nullopt;
  ServerProcess process(pid, open_process(pid));
  // Looked at after the pidfd was taken: what it holds is what was looked at.
  if (process.handle_ < 0 || !command_line_has(pid, argument) || !process.running()) return std::nullopt;
  return process;
}

ServerProcess::ServerProcess(ServerProcess&& other) noexcept
    : pid_(other.pid_), handle_(std::exchange(other.handle_, -1)) {}

ServerProcess& ServerProcess::operator=(ServerProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(handle_, other.handle_);
  return *this;
}

ServerProcess::~ServerProcess() {
  if (handle_ >= 0) ::close(handle_);
}

bool ServerProcess::ended_within(std::chrono::milliseconds time) {
  if (handle_ < 0) return true;
  const auto end = std::chrono::steady_clock::now() + time;
  pollfd wanted{handle_, POLLIN, 0};
  int ready = 0;
  do {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    ready = ::poll(&wanted, 1, static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0)));
  } while (ready < 0 && errno == EINTR);
  if (ready <= 0) return false;
  ::waitpid(pid_, nullptr, 0);  // fails at once when it is not our child: then somebody else reaps it
  ::close(std::exchange(handle_, -1));
  return true;
}

void ServerProcess::signal(int number) noexcept {
  if (handle_ >= 0) ::syscall(SYS_pidfd_send_signal, handle_, number, nullptr, 0U);
}

void ServerProcess::stop(std::chrono::milliseconds grace) {
  signal(SIGCONT);  // a test may have stopped it
  signal(SIGTERM);
  if (!ended_within(grace)) kill_hard();
}

void ServerProcess::kill_hard() {
  signal(SIGKILL);
  if (!ended_within(std::chrono::seconds(60)))
    throw Failure(FailureKind::local,
                  "process " + std::to_string(pid_) + " does not end after SIGKILL; look at what blocks it");
}

}  // namespace reseal::sandbox

// SPDX-License-Identifier: Apache-2.0
#include "sandbox/sandbox_pair.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

#include "base/failure.hpp"
#include "mysql/option_file.hpp"
#include "mysql/session.hpp"
#include "sandbox/server_launch.hpp"
#include "sandbox/server_process.hpp"

namespace reseal::sandbox {
namespace {

namespace fs = std::filesystem;
using base::Failure;
using base::FailureKind;

// Its presence says that a folder is a sandbox's; commands on the folder lock it.
constexpr const char* marker = ".reseal-sandbox";
constexpr auto going_down_bound = std::chrono::seconds(60);
constexpr unsigned access_denied = 1045;  // ER_ACCESS_DENIED_ERROR

// Complete or absent: written beside and renamed.
void write_private(const fs::path& path, const std::string& text) {
  const auto beside = fs::path(path.string() + ".new");
  fs::remove(beside);
  const int handle = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool written = handle >= 0 && ::write(handle, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(handle) == 0;
  const int error = errno;
  if (handle >= 0) ::close(handle);
  if (!written) throw Failure(FailureKind::local, "cannot write " + path.string() + ": " + std::strerror(error));
  fs::rename(beside, path);
}

std::string option_text(const mysql::Endpoint& endpoint) {
  return "[client]\nhost=" + endpoint.host + "\nport=" + std::to_string(endpoint.port) + "\nuser=" + endpoint.user +
         "\npassword=" + std::string(endpoint.password.reveal()) + "\nssl-mode=VERIFY_CA\nssl-ca=\"" + endpoint.tls_ca +
         "\"\n";
}

void ask_server(PairMember& member, const mysql::Endpoint& endpoint) try {
  mysql::Session session(endpoint, member.name == "source" ? mysql::Side::source : mysql::Side::target,
                         std::chrono::seconds(10));
  member.version = session.scalar("SELECT CAST(VERSION() AS CHAR)").value_or("");
  member.encrypted = session.scalar(
                         "SELECT CAST(ENCRYPTION AS CHAR) FROM information_schema.INNODB_TABLESPACES "
                         "WHERE NAME = 'mysql'") == "Y";
} catch (const Failure& failure) {
  // A clone has taken the account away, and whoever cloned will put it back.
  if (failure.server_errno() != access_denied) throw;
  member.version = "login refused";
}

}  // namespace

class SandboxPair::Lock {
 public:
  explicit Lock(const fs::path& folder)
      : handle_(::open((folder / marker).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    if (handle_ < 0 || ::flock(handle_, LOCK_EX) != 0)
      throw Failure(FailureKind::local, "cannot lock " + folder.string() + ": " + std::strerror(errno));
  }
  ~Lock() { ::close(handle_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  int handle_;
};

SandboxPair::SandboxPair(const fs::path& folder) : folder_(fs::absolute(folder).lexically_normal()) {
  if (folder_.filename().empty()) folder_ = folder_.parent_path();
  if (folder_.string().find_first_of("\"\\\n") != std::string::npos)
    throw Failure(FailureKind::usage, "a sandbox folder's name may not hold quotes, backslashes or line ends");
}

void SandboxPair::claim() const {
  if (fs::exists(folder_ / marker)) return;
  std::error_code error;
  fs::create_directories(folder_, error);
  if (!fs::is_directory(folder_))
    throw Failure(FailureKind::local, "cannot make the folder " + folder_.string() + ": " + error.message());
  if (!fs::is_empty(folder_))
    throw Failure(FailureKind::refused, folder_.string() +
                                            " is in use for something else: it is not empty and no sandbox of ours; "
                                            "nothing was changed; name another folder");
  fs::permissions(folder_, fs::perms::owner_all);
}

pid_t SandboxPair::running_pid(const std::string& name) const {
  pid_t pid = 0;
  std::ifstream(server_folder(name).root / "mysqld.pid") >> pid;
  return ServerProcess::find(pid, server_folder(name).data_argument()) ? pid : 0;
}

std::vector<PairMember> SandboxPair::up(ServerOptions source, ServerOptions target) {
  const auto programs = MysqlPrograms::find();
  claim();
  const Lock lock(folder_);
  source.own_certificates = target.own_certificates = true;
  start_member(programs, "source", source);
  start_member(programs, "target", target);
  write_configuration();
  return {member("source"), member("target")};
}

void SandboxPair::start_member(const MysqlPrograms& programs, const std::string& name,
                               const ServerOptions& options) const {
  const auto folder = server_folder(name);
  const bool handed_out = fs::exists(option_file(name));
  if (auto running = ServerProcess::find(running_pid(name), folder.data_argument()); running && handed_out) {
    if (answers(socket_path(folder.root))) return;
    // It is on its way down, as after a clone; or on its way up.
    if (!running->ended_within(going_down_bound)) return;
  }
  if (handed_out) {
    const auto endpoint = mysql::read_option_file(option_file(name), {"client"});
    try {
      launch(programs, folder, socket_path(folder.root), endpoint.port, options, Lifetime::own);
    } catch (const Failure& failure) {
      throw failure.within("cannot start the " + name +
                           " again, its data was left as it was; if another process took " + "port " +
                           std::to_string(endpoint.port) + ", end that one or use another folder");
    }
    return;
  }
  // What an interrupted `up` left: nobody has its password.
  if (auto half = ServerProcess::find(running_pid(name), folder.data_argument())) half->kill_hard();
  fs::remove_all(folder.root);
  prepare_data_folder(programs, folder, options);
  const auto socket = socket_path(folder.root);
  auto server = launch(programs, folder, socket, 0, options, Lifetime::own);
  try {
    write_private(option_file(name), option_text(make_account(folder, socket, server.port)));
  } catch (const std::exception&) {
    server.process.kill_hard();
    throw;
  }
}

// The keys are the options of each verb, as `reseal --config` reads them.
void SandboxPair::write_configuration() const {
  std::string text = "# A rehearsal pair made by `reseal sandbox up`.\n";
  for (const std::string verb : {"check", "start", "verify", "cutover", "attest"}) {
    text += "\n[" + verb + "]\n";
    for (const std::string side : {"source", "target"})
      text += side + "-defaults-file = \"" + option_file(side).string() + "\"\n";
  }
  write_private(folder_ / "reseal.toml", text);
}

PairMember SandboxPair::member(const std::string& name) const {
  PairMember member;
  member.name = name;
  member.option_file = option_file(name);
  member.made = fs::exists(member.option_file);
  if (!member.made) return member;
  const auto endpoint = mysql::read_option_file(member.option_file, {"client"});
  member.port = endpoint.port;
  member.pid = running_pid(name);
  if (member.pid != 0) ask_server(member, endpoint);
  return member;
}

std::vector<PairMember> SandboxPair::status() const {
  if (!fs::exists(folder_ / marker))
    throw Failure(FailureKind::refused, folder_.string() + " is no sandbox; make one with `reseal sandbox up`");
  return {member("source"), member("target")};
}

int SandboxPair::down() {
  if (!fs::exists(folder_ / marker))
    throw Failure(FailureKind::refused, folder_.string() + " is no sandbox; nothing was stopped");
  const Lock lock(folder_);
  int stopped = 0;
  for (const std::string name : {"target", "source"}) {
    auto process = ServerProcess::find(running_pid(name), server_folder(name).data_argument());
    if (!process) continue;
    process->stop();
    remove_socket_folder(server_folder(name).root);
    ++stopped;
  }
  return stopped;
}

}  // namespace reseal::sandbox

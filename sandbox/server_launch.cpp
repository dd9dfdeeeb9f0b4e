// SPDX-License-Identifier: Apache-2.0
#include "sandbox/server_launch.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <random>

#include "base/failure.hpp"
#include "base/random_password.hpp"
#include "base/temporary_folder.hpp"

namespace reseal::sandbox {
namespace {

namespace fs = std::filesystem;
using base::Failure;
using base::FailureKind;

constexpr std::chrono::seconds start_bound(180);
constexpr const char* socket_link = "socket-folder";  // beside the data, to where a long path's socket is

bool is_own_folder(const fs::path& link) {
  struct stat found {};
  return ::stat(link.c_str(), &found) == 0 && S_ISDIR(found.st_mode) && found.st_uid == ::geteuid();
}

bool port_is_free(std::uint16_t port) {
  const int handle = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound = ::bind(handle, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(handle);
  return bound;
}

}  // namespace

// mysqld opens its socket once it takes connections, and drops one that says nothing.
bool answers(const fs::path& socket) {
  const int handle = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
  char greeting = 0;
  const bool greeted = ::connect(handle, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                       ::recv(handle, &greeting, 1, 0) == 1;
  ::close(handle);
  return greeted;
}

namespace {

// False when the server ended instead.
bool answers_in_time(ServerProcess& process, const ServerFolder& folder, const fs::path& socket) {
  const auto end = std::chrono::steady_clock::now() + start_bound;
  while (!answers(socket)) {
    if (process.ended_within(std::chrono::milliseconds(20))) return false;
    if (std::chrono::steady_clock::now() < end) continue;
    process.kill_hard();
    throw Failure(FailureKind::refused, "the server in " + folder.root.string() + " did not answer within " +
                                            std::to_string(start_bound.count()) + " s; its log is " +
                                            folder.error_log().string());
  }
  return true;
}

bool port_was_taken(const std::string& errors) { return errors.find("Bind on TCP/IP port") != std::string::npos; }

}  // namespace

std::uint16_t free_port() {
  // Below the ephemeral range (32768 on Linux), so that no outgoing connection takes it before the server does.
  std::random_device random;
  std::uniform_int_distribution<unsigned> ports(20000, 31999);
  for (int attempt = 0; attempt < 200; ++attempt)
    if (const auto port = static_cast<std::uint16_t>(ports(random)); port_is_free(port)) return port;
  throw Failure(FailureKind::local, "no free port on 127.0.0.1 between 20000 and 31999");
}

fs::path socket_path(const fs::path& folder) {
  // sun_path holds 107 bytes and a NUL (Linux, unix(7)); mysqld adds ".lock" to the name.
  auto near = folder / "mysqld.sock";
  if (near.string().size() + std::strlen(".lock") <= 107) return near;
  const auto link = folder / socket_link;
  if (is_own_folder(link)) return fs::read_symlink(link) / "mysqld.sock";
  const bool near_enough = fs::temp_directory_path().string().size() <= 60;
  const auto made = base::make_temporary_folder("reseal-socket-", near_enough ? fs::temp_directory_path() : "/tmp");
  fs::remove(link);
  fs::create_directory_symlink(made, link);
  return made / "mysqld.sock";
}

void remove_socket_folder(const fs::path& folder) {
  const auto link = folder / socket_link;
  if (is_own_folder(link)) fs::remove_all(fs::read_symlink(link));
  fs::remove(link);
}

LaunchedServer launch(const MysqlPrograms& programs, const ServerFolder& folder, const fs::path& socket,
                      std::uint16_t port, const ServerOptions& options, Lifetime lifetime) {
  for (int attempt = 1;; ++attempt) {
    const auto chosen = port != 0 ? port : free_port();
    fs::remove(folder.error_log());  // what a start says is told from what an earlier one said
    fs::remove(folder.console());
    fs::remove(socket);
    auto process =
        ServerProcess::spawn(server_command(programs, folder, socket, chosen, options), folder.console(), lifetime);
    if (answers_in_time(process, folder, socket)) return {std::move(process), chosen};
    const auto errors = last_errors(folder);
    if (port == 0 && attempt < 5 && port_was_taken(errors)) continue;
    throw Failure(FailureKind::refused, "the server in " + folder.root.string() + " did not start on port " +
                                            std::to_string(chosen) + ": " +
                                            (errors.empty() ? "it says nothing in its log" : errors));
  }
}

mysql::Endpoint make_account(const ServerFolder& folder, const fs::path& socket, std::uint16_t port) {
  mysql::Endpoint root;
  root.user = "root";
  root.socket = socket.string();
  root.tls = mysql::TlsMode::disabled;
  mysql::Session session(root, mysql::Side::target);
  const auto password = base::random_password();
  session.execute("SET SESSION sql_log_bin=0");
  session.execute("CREATE USER 'reseal'@'%' IDENTIFIED BY '" + std::string(password.reveal()) + "'");
  session.execute("GRANT ALL PRIVILEGES ON *.* TO 'reseal'@'%' WITH GRANT OPTION");
  session.execute("ALTER USER 'root'@'localhost' ACCOUNT LOCK");

  mysql::Endpoint endpoint;
  endpoint.port = port;
  endpoint.user = "reseal";
  endpoint.password = base::Secret(password);
  endpoint.tls_ca = folder.certificate_authority().string();
  return endpoint;
}

}  // namespace reseal::sandbox

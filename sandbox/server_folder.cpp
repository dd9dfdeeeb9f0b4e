// SPDX-License-Identifier: Apache-2.0
#include "sandbox/server_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <deque>
#include <fstream>

#include "base/failure.hpp"
#include "sandbox/server_launch.hpp"
#include "sandbox/server_process.hpp"

namespace reseal::sandbox {
namespace {

namespace fs = std::filesystem;
using base::Failure;
using base::FailureKind;

// Counts up when what a template holds changes.
constexpr int template_format = 1;

// Held by the process that makes templates; others wait for it and then find them made.
class FileLock {
 public:
  explicit FileLock(const fs::path& path) : handle_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    if (handle_ < 0 || ::flock(handle_, LOCK_EX) != 0)
      throw Failure(FailureKind::local, "cannot lock " + path.string() + "; is the folder writable?");
  }
  ~FileLock() { ::close(handle_); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int handle_;
};

void write_file(const fs::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  if (!file.flush()) throw Failure(FailureKind::local, "cannot write " + path.string());
}

}  // namespace

// MySQL manual, "Keyring Component Installation": the manifest and the component's configuration in the data folder,
// which count because the mysqld.my beside mysqld says read_local_manifest.
void write_keyring_configuration(const ServerFolder& folder) {
  fs::create_directories(folder.keyring().parent_path());
  fs::permissions(folder.keyring().parent_path(), fs::perms::owner_all);
  write_file(folder.data() / "mysqld.my", "{\"components\": \"file://component_keyring_file\"}\n");
  write_file(folder.data() / "component_keyring_file.cnf",
             "{\"path\": \"" + folder.keyring().string() + "\", \"read_only\": false}\n");
}

namespace {

void make_plain_template(const MysqlPrograms& programs, const ServerFolder& folder) {
  fs::create_directories(folder.data());
  auto command = server_command(programs, folder, folder.root / "unused.sock", 0, ServerOptions::plain_source());
  command.insert(command.end(), {"--initialize-insecure", "--innodb-redo-log-capacity=8M", "--skip-log-bin"});
  auto process = ServerProcess::spawn(command, folder.console(), Lifetime::of_starting_thread);
  if (!process.ended_within(std::chrono::minutes(5))) process.kill_hard();
  // mysqld writes the certificates last, so they tell a finished folder from a half one.
  if (!last_errors(folder).empty() || !fs::exists(folder.data() / "server-key.pem"))
    throw Failure(FailureKind::refused, "MySQL " + programs.version() + " cannot initialise " + folder.data().string() +
                                            ": " + last_errors(folder));
}

// Runs once with the keyring and encrypts what no option encrypts: the mysql tablespace and the one table of sys.
void make_encrypted_template(const MysqlPrograms& programs, const ServerFolder& folder, const fs::path& plain) {
  fs::create_directories(folder.root);
  fs::copy(plain / "data", folder.data(), fs::copy_options::recursive);
  write_keyring_configuration(folder);
  auto options = ServerOptions::encrypted_target();
  options.extra = {"--skip-log-bin", "--innodb-redo-log-capacity=8M", "--innodb-fast-shutdown=0"};
  const auto socket = socket_path(folder.root);
  auto server = launch(programs, folder, socket, 0, options, Lifetime::of_starting_thread);
  mysql::Endpoint root;
  root.user = "root";
  root.socket = socket.string();
  root.tls = mysql::TlsMode::disabled;
  mysql::Session session(root, mysql::Side::target);
  session.execute("ALTER TABLESPACE mysql ENCRYPTION='Y'");
  session.execute("ALTER TABLE sys.sys_config ENCRYPTION='Y'");
  server.process.stop();
  remove_socket_folder(folder.root);
}

// A folder is a template once it has its final name.
fs::path template_folder(const MysqlPrograms& programs, bool encrypted) {
  const auto templates = cache_folder() / "templates";
  const auto name = programs.version() + "-v" + std::to_string(template_format) + (encrypted ? "-encrypted" : "-plain");
  fs::create_directories(templates);
  const FileLock lock(templates / (".lock-" + name));
  const auto made = templates / name;
  if (fs::exists(made)) return made;
  const ServerFolder unfinished{templates / ("." + name + ".unfinished")};
  fs::remove_all(unfinished.root);
  if (encrypted)
    make_encrypted_template(programs, unfinished, template_folder(programs, false));
  else
    make_plain_template(programs, unfinished);
  fs::remove(unfinished.data() / "auto.cnf");  // holds the server uuid: each copy gets its own
  fs::rename(unfinished.root, made);
  return made;
}

}  // namespace

void prepare_data_folder(const MysqlPrograms& programs, const ServerFolder& folder, const ServerOptions& options) {
  const auto made = template_folder(programs, options.encrypted);
  if (fs::exists(folder.data()))
    throw Failure(FailureKind::refused, folder.root.string() + " already holds a server; name another folder");
  fs::create_directories(folder.root);
  fs::permissions(folder.root, fs::perms::owner_all);
  fs::copy(made / "data", folder.data(), fs::copy_options::recursive);
  if (options.encrypted) {
    write_keyring_configuration(folder);
    const ServerFolder original{made};
    fs::copy_file(original.keyring(), folder.keyring());
  }
  if (!options.own_certificates) return;
  for (const auto& entry : fs::directory_iterator(folder.data()))
    if (entry.path().extension() == ".pem") fs::remove(entry.path());  // the server makes new ones as it starts
}

namespace {

/// An option file that says nothing. With --no-defaults the server would not read what SET PERSIST wrote either, and a
/// persisted fence would be gone after a restart.
std::string empty_defaults(const ServerFolder& folder) {
  const auto path = folder.root / "my.cnf";
  fs::create_directories(folder.root);
  std::ofstream(path) << "# Settings are on the server's command line.\n";
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  return path.string();
}

}  // namespace

std::vector<std::string> server_command(const MysqlPrograms& programs, const ServerFolder& folder,
                                        const fs::path& socket, std::uint16_t port, const ServerOptions& options) {
  const auto server_id = options.server_id != 0 ? options.server_id : port == 0 ? 1U : port;
  std::vector<std::string> command = {
      programs.path("mysqld").string(),
      "--defaults-file=" + empty_defaults(folder),
      folder.data_argument(),
      "--socket=" + socket.string(),
      "--port=" + std::to_string(port),
      "--server-id=" + std::to_string(server_id),
      "--pid-file=" + (folder.root / "mysqld.pid").string(),
      "--log-error=" + folder.error_log().string(),
  };
  if (::geteuid() == 0) command.emplace_back("--user=root");
  const auto arguments = server_arguments(options);
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

std::string last_errors(const ServerFolder& folder) {
  std::deque<std::string> lines;
  for (const auto& path : {folder.console(), folder.error_log()}) {
    std::ifstream log(path);
    for (std::string line; std::getline(log, line);)
      if (line.find("[ERROR]") != std::string::npos || path == folder.console()) lines.push_back(line);
  }
  while (lines.size() > 5) lines.pop_front();
  std::string text;
  for (const auto& line : lines) text += (text.empty() ? "" : " / ") + line;
  return text;
}

}  // namespace reseal::sandbox

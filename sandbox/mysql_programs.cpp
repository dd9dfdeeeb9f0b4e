// SPDX-License-Identifier: Apache-2.0
#include "sandbox/mysql_programs.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <sstream>

#include "base/failure.hpp"

namespace reseal::sandbox {
namespace {

namespace fs = std::filesystem;
using base::Failure;
using base::FailureKind;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool runnable(const fs::path& path) { return ::access(path.c_str(), X_OK) == 0 && !fs::is_directory(path); }

fs::path on_path(const std::string& program) {
  std::istringstream folders(environment("PATH") + ":/usr/local/sbin:/usr/sbin");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (!folder.empty() && runnable(fs::path(folder) / program)) return fs::path(folder) / program;
  return {};
}

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

// The word after "Ver"; empty for MariaDB and for what is not a server of 8.0 or later.
std::string version_of(const fs::path& mysqld) {
  const std::string command = quoted(mysqld.string()) + " --no-defaults --version 2>/dev/null";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> output(::popen(command.c_str(), "re"), ::pclose);
  if (!output) return "";
  char line[512] = {};
  if (std::fgets(line, sizeof line, output.get()) == nullptr) return "";
  const std::string text = line;
  const auto word = text.find("Ver ");
  if (word == std::string::npos || text.find("MariaDB") != std::string::npos) return "";
  const auto version = text.substr(word + 4, text.find(' ', word + 4) - word - 4);
  return std::atoi(version.c_str()) >= 8 ? version : "";
}

}  // namespace

fs::path cache_folder() {
  if (const auto own = environment("RESEAL_CACHE"); !own.empty()) return own;
  if (const auto shared = environment("XDG_CACHE_HOME"); !shared.empty()) return fs::path(shared) / "reseal";
  const auto home = environment("HOME");
  return (home.empty() ? fs::temp_directory_path() : fs::path(home)) / ".cache" / "reseal";
}

MysqlPrograms MysqlPrograms::find() {
  if (const auto named = environment("RESEAL_MYSQL"); !named.empty()) {
    const auto version = version_of(fs::path(named) / "bin" / "mysqld");
    if (version.empty())
      throw Failure(FailureKind::refused,
                    "RESEAL_MYSQL names " + named + ", which has no bin/mysqld of MySQL 8.0 or later");
    return {named, version};
  }
  if (const auto brought = cache_folder() / "mysql"; runnable(brought / "bin" / "mysqld"))
    if (const auto version = version_of(brought / "bin" / "mysqld"); !version.empty()) return {brought, version};
  if (const auto mysqld = on_path("mysqld"); !mysqld.empty())
    if (const auto version = version_of(mysqld); !version.empty()) return {fs::path(), version};
  throw Failure(FailureKind::refused,
                "there is no MySQL server of 8.0 or later on this machine; run tools/mysql-server, which brings one "
                "into a private folder");
}

fs::path MysqlPrograms::path(const std::string& program) const {
  const auto found = folder_.empty() ? on_path(program) : folder_ / "bin" / program;
  if (found.empty() || !runnable(found))
    throw Failure(FailureKind::refused,
                  "MySQL's " + program + " is missing beside its server; run tools/mysql-server again");
  return found;
}

}  // namespace reseal::sandbox

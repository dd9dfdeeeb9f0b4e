// SPDX-License-Identifier: Apache-2.0
#include "attest/data_folder.hpp"

#include <algorithm>
#include <fstream>
#include <system_error>

#include "attest/items.hpp"
#include "base/failure.hpp"

namespace reseal::attest {
namespace {

namespace fs = std::filesystem;

bool inside(const fs::path& path, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

/// Folders of undo, redo, doublewrite and binary logs that lie outside of the data folder.
void add_outside(mysql::Session& server, DataFolders& found) {
  const auto add = [&](fs::path folder) {
    std::error_code error;
    if (folder.is_relative()) folder = found.folders.front() / folder;
    folder = fs::weakly_canonical(folder, error);
    if (error || !fs::is_directory(folder, error)) return;
    const auto covered = [&](const fs::path& known) { return inside(folder, known); };
    if (std::none_of(found.folders.begin(), found.folders.end(), covered)) found.folders.push_back(folder);
  };
  for (const char* name :
       {"innodb_undo_directory", "innodb_log_group_home_dir", "innodb_data_home_dir", "innodb_doublewrite_dir"})
    if (const auto value = variable(server, name); value && !value->empty()) add(*value);
  for (const char* name : {"log_bin_basename", "relay_log_basename"})
    if (const auto value = variable(server, name); value && !value->empty()) add(fs::path(*value).parent_path());
}

}  // namespace

std::optional<std::string> uuid_of_folder(const fs::path& folder) {
  std::ifstream file(folder / "auto.cnf");
  for (std::string line; std::getline(file, line);) {
    const auto equals = line.find('=');
    if (equals != std::string::npos && line.starts_with("server-uuid")) return line.substr(equals + 1);
  }
  return std::nullopt;
}

DataFolders find_data_folders(mysql::Session& server, const std::optional<fs::path>& given) {
  const auto uuid = server.scalar("SELECT @@server_uuid").value_or("");
  const fs::path folder = given ? *given : fs::path(variable(server, "datadir").value_or(""));
  const auto owner = uuid_of_folder(folder);
  DataFolders found;
  if (owner == uuid) {
    std::error_code error;
    const auto canonical = fs::canonical(folder, error);
    found.folders.push_back(error ? folder : canonical);
    found.note = "its auto.cnf names this server";
    add_outside(server, found);
    return found;
  }
  if (given)
    throw base::Failure(base::FailureKind::usage,
                        "the data folder " + folder.string() +
                            (owner ? " belongs to the server " + *owner + ", not to " + uuid
                                   : " has no readable auto.cnf, so it cannot be told whose it is") +
                            "; give the folder of the target's data files, or none");
  found.note = owner
                   ? "the server's data folder on this machine belongs to another server"
                   : "the server's data folder cannot be read from here; give it, or run this on the server's machine";
  return found;
}

}  // namespace reseal::attest

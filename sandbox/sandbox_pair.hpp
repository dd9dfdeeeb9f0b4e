// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "sandbox/mysql_programs.hpp"
#include "sandbox/server_folder.hpp"
#include "sandbox/server_options.hpp"

namespace reseal::sandbox {

/// One server of a pair as it is now.
struct PairMember {
  std::string name;  ///< "source" or "target"
  std::filesystem::path option_file;
  bool made = false;  ///< has a data folder and a login
  pid_t pid = 0;      ///< 0 when it does not run
  std::uint16_t port = 0;
  std::string version;
  bool encrypted = false;  ///< as the server itself says of its mysql tablespace
};

/// A plain source and an encrypted target as daemons that outlive the command, all under one folder:
/// source/ and target/ with data and logs, source.cnf and target.cnf to log in with (mode 0600), and reseal.toml.
/// Commands on the same folder wait for each other. Failure(refused) says what is in the way.
class SandboxPair {
 public:
  explicit SandboxPair(const std::filesystem::path& folder);

  /// Starts what does not run yet; a second call changes nothing. Data of an earlier `up` is kept.
  std::vector<PairMember> up(ServerOptions source, ServerOptions target);
  /// Ends both servers cleanly and keeps their data. Returns how many ran.
  int down();
  std::vector<PairMember> status() const;
  const std::filesystem::path& folder() const { return folder_; }

 private:
  class Lock;
  void claim() const;
  void start_member(const MysqlPrograms& programs, const std::string& name, const ServerOptions& options) const;
  void write_configuration() const;
  PairMember member(const std::string& name) const;
  pid_t running_pid(const std::string& name) const;
  ServerFolder server_folder(const std::string& name) const { return {folder_ / name}; }
  std::filesystem::path option_file(const std::string& name) const { return folder_ / (name + ".cnf"); }

  std::filesystem::path folder_;
};

}  // namespace reseal::sandbox

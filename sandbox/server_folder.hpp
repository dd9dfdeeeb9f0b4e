// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "sandbox/mysql_programs.hpp"
#include "sandbox/server_options.hpp"

namespace reseal::sandbox {

/// What one server keeps on disk, all under one folder.
struct ServerFolder {
  std::filesystem::path root;

  std::filesystem::path data() const { return root / "data"; }
  std::filesystem::path keyring() const { return root / "keyring" / "component_keyring_file"; }
  std::filesystem::path error_log() const { return root / "error.log"; }
  std::filesystem::path console() const { return root / "console.log"; }
  std::filesystem::path certificate_authority() const { return data() / "ca.pem"; }
  /// Of the form --datadir=…: marks the server's process among all others.
  std::string data_argument() const { return "--datadir=" + data().string(); }
};

/// Makes a new server's data folder as a copy of a template, which is made once per version of MySQL and kind under the
/// cache folder; safe with other processes doing the same. The copy has a server uuid of its own and one account:
/// root@localhost without a password, for the socket.
void prepare_data_folder(const MysqlPrograms& programs, const ServerFolder& folder, const ServerOptions& options);

/// Lets a server use the keyring file of its folder: with it, the data folder's server can encrypt. `folder.data()`
/// must exist; a keyring that is there stays.
void write_keyring_configuration(const ServerFolder& folder);

/// The whole command line of a server: program, where it lives, and its options.
std::vector<std::string> server_command(const MysqlPrograms& programs, const ServerFolder& folder,
                                        const std::filesystem::path& socket, std::uint16_t port,
                                        const ServerOptions& options);

/// The last error lines of a server's log, for a message; empty when it has none.
std::string last_errors(const ServerFolder& folder);

}  // namespace reseal::sandbox

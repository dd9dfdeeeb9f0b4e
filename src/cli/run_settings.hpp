// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "run/options.hpp"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's own name
class App;
}

namespace reseal::cli {

/// Where one server is, as the command line, the environment and the configuration file name it.
struct ServerSetting {
  std::string uri;            ///< mysql://user@host:port/?ssl-mode=…
  std::string defaults_file;  ///< MySQL option file, groups [client] and [reseal_source] or [reseal_target]
  std::string host;
  unsigned port = 0;
  std::string socket;
  std::string user;
  std::string tls_mode;
  std::string tls_ca;
};

/// The settings that every verb of a run shares, and the options that fill them. Every option is also an environment
/// variable (RESEAL_…) and a key in the TOML file of --config.
class RunSettings {
 public:
  void add_servers(CLI::App& verb);
  void add_state(CLI::App& verb);
  void add_way(CLI::App& verb);
  void add_run(CLI::App& verb);
  void add_accept_source_writes(CLI::App& verb);

  /// The servers and limits for a run. Throws Failure(usage) with what is wrong and where.
  run::RunOptions options() const;
  std::string state_folder() const { return state_; }
  bool allows_replica_source() const { return allow_replica_; }
  /// Anything says where the source or the target is.
  bool names_server() const;

 private:
  ServerSetting source_;
  ServerSetting target_;
  std::string way_;
  std::string state_;
  std::string hooks_;
  std::vector<std::string> proxies_;
  std::vector<std::string> schemas_;
  bool allow_replica_ = false;
  bool accept_source_writes_ = false;
  unsigned workers_ = 2;
  unsigned lanes_ = 2;
  std::uint64_t chunk_mib_ = 16;
  std::uint64_t max_mib_per_second_ = 0;
  unsigned max_threads_running_ = 0;
};

}  // namespace reseal::cli

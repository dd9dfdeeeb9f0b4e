// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "mysql/endpoint.hpp"
#include "run/way.hpp"
#include "seed/throttle.hpp"

namespace reseal::run {

/// How far `start` goes before it stops and can be resumed.
enum class Until { checked, provisioned, seeded, caught_up, verified, armed };

/// What a process opens a run for. A finished run is opened to finish it only.
enum class Purpose { move, finish };

/// Everything a run is told: from the command line, the environment and the configuration file, in that order.
struct RunOptions {
  mysql::Endpoint source;
  mysql::Endpoint target;
  std::filesystem::path state_folder;
  std::optional<Way> way;            ///< nothing: the run's own, `stream` for a new one
  std::vector<std::string> schemas;  ///< empty: every user schema of the source
  bool allow_replica_source = false;
  unsigned workers = 2;  ///< of the copy and of the comparison
  unsigned lanes = 2;    ///< of the follow; fixed when the run begins
  std::uint64_t bytes_per_chunk = 16 << 20;
  seed::Throttle::Limits limits;
  std::filesystem::path hooks;       ///< folder of executables; empty: none
  std::vector<std::string> proxies;  ///< control sockets; empty: the application is switched by the hook alone
  Purpose purpose = Purpose::move;
  /// What others wrote on the old source after the switch is known, and is no reason to refuse.
  bool accept_source_writes = false;
};

/// Limits of one switch.
struct SwitchOptions {
  std::chrono::milliseconds timeout{10'000};  ///< from the fence to the decision; then given up
  std::chrono::milliseconds max_lag{2'000};   ///< above it the switch does not begin
  std::chrono::milliseconds drain{1'000};     ///< how long open transactions may take to end before they are ended
  std::chrono::seconds wait_ready{600};       ///< how long to wait for the lag to get there
};

}  // namespace reseal::run

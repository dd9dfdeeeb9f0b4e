// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>

#include "base/log.hpp"
#include "load/client.hpp"
#include "mysql/endpoint.hpp"

namespace reseal::load {

struct RunOptions {
  mysql::Endpoint endpoint;             ///< serves at the start
  std::optional<mysql::Endpoint> then;  ///< tried in turn when the first turns a client away; not with `serving`
  std::filesystem::path serving;        ///< the where-file, see Serving
  std::string schema = "shop";
  std::filesystem::path log_folder;  ///< made when it is not there; earlier runs' logs may be in it
  unsigned clients = 8;
  std::chrono::seconds seconds{60};  ///< 0 is until stopped
  double rate = 0;                   ///< operations per second of all clients together; 0 is unbounded
  std::chrono::seconds timeout{20};  ///< see Client::Options
};

struct RunReport {
  std::uint32_t run = 0;
  unsigned clients = 0;
  double seconds = 0;
  ClientReport totals;

  /// The text of summary.json: {run, clients, seconds, ops_ok, ops_error, ops_unknown, connects_failed,
  /// writes_refused, connections_lost, unexpected_errors, longest_stall_ms, longest_wait_ms, errors_by_code}.
  std::string json() const;
};

/// Runs the clients until the time is over or `stop`, and writes `log_folder`/summary.json. Each run has a random
/// number of its own, so that runs, and their logs, can follow each other on one schema. Refuses a schema that was not
/// prepared.
RunReport run_load(const RunOptions& options, std::stop_token stop, base::Log& log);

}  // namespace reseal::load

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <stop_token>
#include <string>

#include "base/log.hpp"
#include "sandbox/rds/caretaker.hpp"
#include "sandbox/rds/procedures.hpp"

namespace reseal::sandbox::rds {

struct RunOptions {
  std::filesystem::path folder;  ///< empty: a temporary one, removed at the end
  std::uint16_t port = 0;        ///< 0: a free one
  std::string region = "us-east-1";
  ProcedureNames procedures = ProcedureNames::source;
  std::chrono::milliseconds least_status{0};  ///< see ControlPlaneOptions
  CaretakerOptions caretaker;
  int throttle_every = 0;
  std::map<std::string, int> lose_answers;  ///< action, how often
};

/// Serves the RDS API on 127.0.0.1 until `stop`, then ends every server. Says on stdout where it listens and which file
/// to source for the credentials: made up, in the folder, mode 0600.
void run_sandbox(const RunOptions& options, const std::stop_token& stop, base::Log& log);

}  // namespace reseal::sandbox::rds

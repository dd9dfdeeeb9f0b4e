// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "check/finding.hpp"
#include "mysql/endpoint.hpp"

namespace reseal::check {

/// What is to be checked, and against which expectations.
struct CheckRequest {
  mysql::Endpoint source;
  mysql::Endpoint target;
  std::vector<std::string> schemas;  ///< empty means every user schema of the source
  std::string run_id;                ///< a target that carries this id in `reseal`.`run` is ours
  bool allow_replica_source = false;
  bool follows_log = true;  ///< the way reads the source's binary log; else only its end is looked at
  std::uint64_t copy_bytes_per_second = 20'000'000;  ///< to estimate the duration from the tables' bytes
  std::chrono::seconds long_transaction{60};         ///< open transactions older than this are warned about
  std::optional<std::uint64_t> target_free_bytes;    ///< free disk of the target, when somebody knows it
  unsigned sessions_needed = 40;                     ///< connections the run opens on each side, at most
  std::chrono::seconds timeout{60};                  ///< bounds every single wait for a server
};

/// Looks at both servers and reports every precondition that does not hold, blockers first. Writes nothing on either
/// server. Opens one session per side. Throws the session's Failure when a server cannot be reached; a check whose
/// own statement is refused becomes a `cannot-look` warning and the others still run.
Findings check_all(const CheckRequest& request);

}  // namespace reseal::check

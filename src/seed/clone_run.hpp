// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <stop_token>

#include "base/secret.hpp"
#include "mysql/endpoint.hpp"
#include "mysql/session.hpp"

namespace reseal::seed {

/// What a clone has copied, for progress lines; read from any thread. `bytes` is the server's estimate and may grow.
struct CloneProgress {
  std::atomic<std::uint64_t> bytes_done{0};
  std::atomic<std::uint64_t> bytes{0};
};

/// Reads the progress of the recipient's clone, the last one when none runs.
void note_progress(mysql::Session& recipient, CloneProgress& progress);

/// How a CLONE statement ended, as far as its connection tells.
enum class CloneEnd {
  restarts,    ///< all is copied, and the server's supervisor starts it again
  stays_down,  ///< all is copied, and the server waits to be started by somebody else (error 3707)
  not_known    ///< the connection broke: what the server holds is told once it answers again
};

/// Runs CLONE INSTANCE FROM on the recipient, in a session of its own, and keeps `progress`. On stop the clone is
/// killed and Failure(interrupted) thrown: the recipient has no user data then, nor had it any before. Throws what the
/// server answers, without the statement.
CloneEnd run_clone(const mysql::Endpoint& recipient, const mysql::Endpoint& donor, const base::Secret& password,
                   CloneProgress& progress, const std::stop_token& stop);

/// Waits for a clone that an earlier process began, until it has ended or its server is gone; keeps `progress`. A stop
/// leaves that clone alone.
void await_running_clone(const mysql::Endpoint& recipient, CloneProgress& progress, const std::stop_token& stop);

}  // namespace reseal::seed

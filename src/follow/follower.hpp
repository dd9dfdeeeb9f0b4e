// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>

#include "base/log.hpp"
#include "follow/batch_builder.hpp"
#include "follow/batch_sink.hpp"
#include "follow/changed_keys.hpp"
#include "follow/progress.hpp"
#include "mysql/endpoint.hpp"

namespace reseal::follow {

/// How far the follow is, for people and for waiting.
struct FollowStatus {
  sql::SourcePosition applied;
  Strictness strictness = Strictness::idempotent;
  std::uint64_t transactions = 0;  ///< applied since this process began to follow
  std::uint64_t changes = 0;       ///< row changes, likewise
  /// Source commit to target commit, by the wall clocks of source and this machine; nothing means unknown or stuck:
  /// treat it as infinite.
  std::optional<std::chrono::milliseconds> lag;
  bool connected = false;
};

/// Keeps the target moving with the source: reads its binary log and hands it to a sink, batch by batch, which applies
/// each batch in the same target transaction as its progress, or waits until the target's own replication has executed
/// it. Reconnects after transient failures, for as long as it is not stopped.
/// `run` belongs to one thread; everything else may be called from any thread.
class Follower {
 public:
  Follower(mysql::Endpoint source, SinkMaker sinks, FollowScope scope, std::uint32_t server_id, ChangedKeys& changed,
           base::Log& log);

  /// Follows until `stop`. Throws Failure(divergence, unsupported, source, target …) when it cannot go on.
  void run(std::stop_token stop);

  FollowStatus status() const;
  /// Blocks until everything up to `position` is on the target, the stop comes, or `timeout` has passed; true when it
  /// is.
  bool wait_until(const sql::SourcePosition& position, std::stop_token stop, std::chrono::milliseconds timeout) const;
  /// The same for strictness: the marker has passed.
  bool wait_until_strict(std::stop_token stop, std::chrono::milliseconds timeout) const;

 private:
  class Attempt;
  void writing();
  void applied(const Batch& batch, const LaneProgress& progress);
  void heard();
  void resumed(const LaneProgress& progress);
  /// All that was read is applied, and nothing more has come yet.
  void idle(const sql::BinlogPosition& read_to);
  bool reached(const sql::SourcePosition& position) const;

  mysql::Endpoint source_;
  SinkMaker sinks_;
  FollowScope scope_;
  std::uint32_t server_id_;
  ChangedKeys& changed_;
  base::Log& log_;

  mutable std::mutex mutex_;
  mutable std::condition_variable_any moved_;
  FollowStatus status_;
  std::chrono::steady_clock::time_point heard_at_{};
  std::optional<std::chrono::steady_clock::time_point> writing_since_;  ///< the batch that the sink has now
};

}  // namespace reseal::follow

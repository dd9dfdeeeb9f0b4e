// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "base/log.hpp"
#include "mysql/session.hpp"
#include "sql/position.hpp"

namespace reseal::fence {

/// The fence of a server we may log in to with SYSTEM_VARIABLES_ADMIN and CONNECTION_ADMIN: super_read_only, persisted,
/// so that a restart comes back fenced (mysqld-auto.cnf). No account bypasses it but replication's own threads.
/// Not thread-safe.
class SourceFence {
 public:
  explicit SourceFence(mysql::Session& source) : source_(source) {}

  /// Raises it. The server waits for running commits and for LOCK TABLES of others, at most `patience`; then throws
  /// Failure(given_up) and is as it was. When it returns, no transaction commits any more: those still open get error
  /// 1290 at their next write or commit.
  void raise(std::chrono::seconds patience);
  /// Lets go: both the running server and what it would start with.
  void lower();
  /// Whether the server refuses writes now.
  bool up();

  /// Sessions other than ours whose transaction has changed rows and not ended. They cannot commit under the fence.
  /// Asked more often than every 100 ms, the server gives the same answer again.
  std::vector<std::uint64_t> open_writers();
  /// Ends those sessions' connections; one that is gone already is no error.
  void end(const std::vector<std::uint64_t>& sessions);
  /// Under the raised fence: waits until no transaction that has written is left, and no prepared one. What has not
  /// ended by itself after `drain` is ended. Throws Failure(given_up) when one is left after `limit`.
  void end_open_writes(std::chrono::milliseconds drain, std::chrono::milliseconds limit, base::Log& log);
  /// Prepared XA transactions: they could commit later by anybody's hand.
  std::uint64_t prepared_xa();

  /// The end of the log, once it stands still: two equal reads. Throws Failure(given_up) when it moves: somebody writes
  /// through the fence.
  sql::SourcePosition final_position();

 private:
  mysql::Session& source_;
};

/// The standby's fence: read_only, persisted, which our account's CONNECTION_ADMIN bypasses, so that the follow can
/// write. On a server that was fenced by super_read_only it takes that one's place, with no moment in between.
void close_standby(mysql::Session& standby);
void open_standby(mysql::Session& standby);
bool standby_open(mysql::Session& standby);

}  // namespace reseal::fence

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "follow/channel_dialect.hpp"
#include "mysql/session.hpp"
#include "sql/position.hpp"

namespace reseal::follow {

/// What the target says of its channel, by one look.
struct ChannelStatus {
  enum class Receiver { stands, connecting, runs };

  bool exists = false;
  Receiver receiver = Receiver::stands;  ///< the I/O thread
  bool applier_runs = false;             ///< the SQL thread
  unsigned receiver_errno = 0;           ///< of the I/O thread; it may go on all the same
  unsigned applier_errno = 0;            ///< of the SQL thread
  std::vector<unsigned> worker_errnos;   ///< of its workers
  sql::SourcePosition executed;          ///< in the source's log; gtids: all of the target's gtid_executed
  sql::SourcePosition received;
  std::string host;
  std::uint16_t port = 0;
  std::string user;
  bool auto_position = false;

  /// The number that tells why the applier stopped: a worker's before the coordinator's. 0: none.
  unsigned why_applier() const { return worker_errnos.empty() ? applier_errno : worker_errnos.front(); }
};

/// The replica's side of MySQL's own replication, on the target. Statements need REPLICATION_SLAVE_ADMIN, or on RDS its
/// master user. Server texts of the SQL thread may hold row values and are never shown, nor is a password.
/// One session; not thread-safe. A lost connection throws Failure(transient), and the object must then be discarded.
class NativeChannel {
 public:
  explicit NativeChannel(const mysql::Endpoint& target);

  /// Makes the channel, standing, with `start` as the first place; by GTID, the target's gtid_executed must hold
  /// exactly what `start` does of the servers named there. A channel of ours towards this source is stopped and keeps
  /// its own place, gets the new password, and drops what it had received only. Throws Failure(refused) for a
  /// channel that is not ours, and whatever require_faithful_replication refuses; nothing is changed then.
  void configure(const ChannelSource& source, const sql::SourcePosition& start);
  /// Refuses as `configure` does: filters are known to a channel only once it exists.
  void start();
  /// Returns when both threads stand; a transaction that is being executed is finished first, however long it takes.
  void stop();
  /// Stops the channel and forgets it. Does nothing when there is none; Failure(refused) for one that is not ours.
  void remove();
  ChannelStatus status();

  const ChannelDialect& dialect() const { return dialect_; }
  const mysql::Endpoint& target() const { return session_.endpoint(); }

 private:
  void require_ours(const ChannelStatus& status, bool ours) const;
  void require_same_gtids(const sql::GtidSet& start, bool fresh);

  mysql::Session session_;
  ChannelDialect dialect_;
};

}  // namespace reseal::follow

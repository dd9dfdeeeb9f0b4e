// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "mysql/schema_reader.hpp"
#include "mysql/session.hpp"
#include "platform/replica_status.hpp"
#include "rds/waiting.hpp"
#include "sql/position.hpp"

namespace reseal::platform {

/// Brings an RDS-managed read replica to a standstill at a place of its primary's log that is exact: everything before
/// it is applied and nothing after it. Not thread-safe.
class ReplicaPlace {
 public:
  struct Options {
    rds::WaitOptions wait;                     ///< for the replica to get in sync, to stop, to go on
    std::chrono::milliseconds settle{10'000};  ///< between the two looks at a replica that stands
  };

  /// The sessions and `clock` must outlive this.
  ReplicaPlace(mysql::Session& source, mysql::Session& replica, Options options, const rds::Clock& clock,
               std::stop_token stop);

  /// Until the replica has applied what the source had logged when this was called.
  void wait_in_sync();
  /// Stops replication if it runs, and reads the place twice. A place within a transaction, or one that some worker is
  /// past, is left by going on and stopping again. Throws Failure(refused) when the place moves, when the applier has
  /// failed, and when three stops give no exact place.
  sql::SourcePosition stop();
  /// The place where replication stands; nothing while it runs.
  std::optional<sql::SourcePosition> standing();

 private:
  ReplicaStatus status() { return read_replica_status(replica_, replica_facts_); }
  void wait_stopped();
  sql::SourcePosition read_twice();
  /// What is wrong with a place; empty when it is exact.
  std::string fault_of(const sql::BinlogPosition& applied);
  void go_on_from(const sql::BinlogPosition& applied);
  void require_no_error(const ReplicaStatus& status) const;

  mysql::Session& source_;
  mysql::Session& replica_;
  Options options_;
  const rds::Clock& clock_;
  std::stop_token stop_;
  mysql::ServerFacts source_facts_;
  mysql::ServerFacts replica_facts_;
};

bool same_place(const sql::SourcePosition& a, const sql::SourcePosition& b);
/// The inverse of SourcePosition::text.
base::Result<sql::SourcePosition> parse_place(std::string_view text);

}  // namespace reseal::platform

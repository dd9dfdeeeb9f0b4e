// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mysql/schema_reader.hpp"
#include "mysql/session.hpp"
#include "sql/position.hpp"

namespace reseal::platform {

/// How a replica's replication is. Error texts are left out: they can hold rows.
struct ReplicaStatus {
  bool receiver_running = false;
  bool applier_running = false;
  unsigned receiver_errno = 0;
  unsigned applier_errno = 0;
  sql::BinlogPosition applied;  ///< in the primary's log: the end of the last transaction applied

  bool stopped() const { return !receiver_running && !applier_running; }
};

/// One row of SHOW REPLICA STATUS or of SHOW SLAVE STATUS. Throws Failure(unsupported) when a column is missing.
ReplicaStatus replica_status_of(const mysql::NamedRow& row);
/// Of the default channel. Throws Failure(source) when the server is no replica.
ReplicaStatus read_replica_status(mysql::Session& session, const mysql::ServerFacts& facts);

/// The farthest place that a worker of a multi-threaded applier has come to; empty when there are no workers. Past
/// `applied` it means gaps: a later transaction is applied and an earlier one is not.
sql::BinlogPosition farthest_worker(mysql::Session& session);

/// Whether an event of this type, as SHOW BINLOG EVENTS names it, stands between two transactions, so that a place
/// just before it is inside none.
bool stands_between_transactions(std::string_view event_type);
/// Whether a place in the log of `source` lies between two transactions. The end of the log does. Throws
/// Failure(source) when it is no place of that log.
bool is_between_transactions(mysql::Session& source, const sql::BinlogPosition& position);

}  // namespace reseal::platform

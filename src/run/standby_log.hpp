// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "mysql/schema_reader.hpp"
#include "mysql/session.hpp"
#include "sql/position.hpp"

namespace reseal::run {

/// What others have written on the side that serves no more.
struct StandbyWrites {
  std::uint64_t transactions = 0;
  std::set<std::string> places;  ///< "app.t" for rows, the leading keywords for a statement; never values
  std::string first;             ///< the first one: what, when (UTC), by which connection, where in the log

  bool none() const { return transactions == 0; }
  /// "3 transactions (app.t, app.u), the first: …"
  std::string text() const;
};

/// The binary log of the side that serves no more, from the switch on. Our own sessions write no log there
/// (sql_log_bin=0), so whatever the log holds of the schemas that move was written by somebody else, past the fence.
/// Statements that the comparison of objects sees (views, accounts …) and ANALYZE and the like do not count. A write
/// with sql_log_bin=0 is not seen. Not thread-safe.
class StandbyLog {
 public:
  /// `start` is where the log stood at the switch; `server_id` as in mysql::BinlogStreamOptions.
  StandbyLog(mysql::Endpoint standby, mysql::ServerFacts facts, std::vector<std::string> schemas,
             sql::SourcePosition start, std::uint32_t server_id);

  /// What was written from the last look's end to the log's end now; `session` is one on that server. A log that cannot
  /// be read, such as a purged one, counts as one transaction that says so: what cannot be seen is not called nothing.
  /// Costs two short queries when the log has not moved. Throws Failure(transient) when the server is away; the same is
  /// looked at again then.
  StandbyWrites look(mysql::Session& session);

 private:
  StandbyWrites read_to(const sql::SourcePosition& end);

  mysql::Endpoint standby_;
  mysql::ServerFacts facts_;
  std::set<std::string> schemas_;
  sql::SourcePosition seen_;
  std::uint32_t server_id_;
};

}  // namespace reseal::run

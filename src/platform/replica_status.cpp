// SPDX-License-Identifier: Apache-2.0
#include "platform/replica_status.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/failure.hpp"
#include "sql/quote.hpp"

namespace reseal::platform {
namespace {

using base::Failure;
using base::FailureKind;

// MySQL 8.0.22 brought new names for the columns, under new statements.
std::string column(const mysql::NamedRow& row, const char* name, const char* old_name) {
  auto found = row.find(name);
  if (found == row.end()) found = row.find(old_name);
  if (found == row.end())
    throw Failure(FailureKind::unsupported, std::string("the replica's status has no column ") + name +
                                                "; nothing was changed; this version cannot use the server");
  return found->second.value_or("");
}

template <typename T>
T number(const std::string& text) {
  T value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

sql::BinlogPosition place(const std::string& file, const std::string& offset) {
  return {file, number<std::uint64_t>(offset)};
}

}  // namespace

ReplicaStatus replica_status_of(const mysql::NamedRow& row) {
  ReplicaStatus status;
  status.receiver_running = column(row, "Replica_IO_Running", "Slave_IO_Running") != "No";
  status.applier_running = column(row, "Replica_SQL_Running", "Slave_SQL_Running") != "No";
  status.receiver_errno = number<unsigned>(column(row, "Last_IO_Errno", "Last_IO_Errno"));
  status.applier_errno = number<unsigned>(column(row, "Last_SQL_Errno", "Last_SQL_Errno"));
  status.applied = place(column(row, "Relay_Source_Log_File", "Relay_Master_Log_File"),
                         column(row, "Exec_Source_Log_Pos", "Exec_Master_Log_Pos"));
  return status;
}

ReplicaStatus read_replica_status(mysql::Session& session, const mysql::ServerFacts& facts) {
  const auto rows = session.named_rows(facts.at_least(8, 4) ? "SHOW REPLICA STATUS" : "SHOW SLAVE STATUS");
  for (const auto& row : rows)
    if (const auto channel = row.find("Channel_Name"); channel == row.end() || channel->second.value_or("").empty())
      return replica_status_of(row);
  throw Failure(FailureKind::source, "the server at " + session.endpoint().text() +
                                         " is no replica: its status is empty. Nothing was changed on it. See its "
                                         "events: aws rds describe-events --duration 1440");
}

sql::BinlogPosition farthest_worker(mysql::Session& session) {
  sql::BinlogPosition farthest;
  for (const auto& row :
       session.query("SELECT Master_log_name, Master_log_pos FROM mysql.slave_worker_info WHERE Channel_name = ''")) {
    const auto reached = place(row[0].value_or(""), row[1].value_or("0"));
    if (!reached.empty() && (farthest.empty() || reached > farthest)) farthest = reached;
  }
  return farthest;
}

bool stands_between_transactions(std::string_view event_type) {
  // MySQL source code, Log_event::get_type_str. Since 5.7 every transaction begins with an event of its own, also
  // without GTID.
  constexpr std::array<std::string_view, 6> between = {"Gtid", "Anonymous_Gtid", "Rotate",
                                                       "Stop", "Format_desc",    "Previous_gtids"};
  return std::find(between.begin(), between.end(), event_type) != between.end() ||
         event_type.starts_with("Gtid_tagged");
}

bool is_between_transactions(mysql::Session& source, const sql::BinlogPosition& position) {
  const auto no_place = [&] {
    return Failure(FailureKind::source, "there is no event at " + position.text() + " in the log of " +
                                            source.endpoint().text() +
                                            ", nor does the log end there; nothing was changed on it. Has it lost the "
                                            "end of its log in a failover? Then the read replica has to be made anew");
  };
  const auto rows = source.named_rows("SHOW BINLOG EVENTS IN " + sql::quote_text(position.file) + " FROM " +
                                      std::to_string(position.offset) + " LIMIT 1");
  if (!rows.empty()) {
    // For a place within an event, newer servers show the next one.
    if (number<std::uint64_t>(column(rows.front(), "Pos", "Pos")) != position.offset) throw no_place();
    return stands_between_transactions(column(rows.front(), "Event_type", "Event_type"));
  }
  for (const auto& log : source.named_rows("SHOW BINARY LOGS"))
    if (column(log, "Log_name", "Log_name") == position.file &&
        number<std::uint64_t>(column(log, "File_size", "File_size")) >= position.offset)
      return true;
  throw no_place();
}

}  // namespace reseal::platform

// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "base/failure.hpp"
#include "sandbox/rds/instance_server.hpp"
#include "sql/quote.hpp"

namespace reseal::sandbox::rds {
namespace {

using base::Failure;
using base::FailureKind;
using sql::quote_text;

// SHOW REPLICA STATUS by its columns' names would need metadata; these tables have names that can be asked for.
constexpr const char* status_query =
    "SELECT c.service_state, a.service_state, c.last_error_number, c.last_error_message, "
    "(SELECT MAX(w.last_error_number) FROM performance_schema.replication_applier_status_by_worker AS w "
    " WHERE w.channel_name = ''), "
    "(SELECT MAX(w.last_error_message) FROM performance_schema.replication_applier_status_by_worker AS w "
    " WHERE w.channel_name = ''), "
    "m.master_log_name "
    "FROM performance_schema.replication_connection_status AS c "
    "JOIN performance_schema.replication_applier_status AS a USING (channel_name) "
    "JOIN mysql.slave_master_info AS m USING (channel_name) WHERE c.channel_name = ''";

bool configured(mysql::Session& session) {
  return !session.query("SELECT 1 FROM performance_schema.replication_connection_configuration WHERE channel_name = ''")
              .empty();
}

void set_sysinfo(mysql::Session& session, const std::string& source_id) {
  session.execute("REPLACE INTO mysql.rds_sysinfo VALUES ('replica_of', " + quote_text(source_id) + ")");
}

}  // namespace

void begin_replication(mysql::Session& replica, const AdminAccounts& accounts, const std::string& source_id,
                       const std::string& host, std::uint16_t port) {
  const auto place = replica.query("SELECT binlog_file, binlog_position FROM performance_schema.clone_status");
  if (place.size() != 1 || place[0][0].value_or("").empty())
    throw Failure(FailureKind::refused, "the copy of the source does not tell its place in the source's log");
  auto file = *place[0][0];
  if (const auto slash = file.rfind('/'); slash != std::string::npos) file.erase(0, slash + 1);
  const bool gtid = replica.scalar("SELECT CAST(@@GLOBAL.gtid_mode AS CHAR)") == "ON";
  forget_replication(replica);
  std::string statement = "CHANGE REPLICATION SOURCE TO SOURCE_HOST = " + quote_text(host) +
                          ", SOURCE_PORT = " + std::to_string(port) + ", SOURCE_USER = 'rdsrepladmin'" +
                          ", SOURCE_PASSWORD = " + quote_text(accounts.rdsrepladmin.reveal()) +
                          ", SOURCE_SSL = 1, SOURCE_CONNECT_RETRY = 5, SOURCE_RETRY_COUNT = 0";
  if (gtid)
    statement += ", SOURCE_AUTO_POSITION = 1";
  else
    statement += ", SOURCE_LOG_FILE = " + quote_text(file) + ", SOURCE_LOG_POS = " + place[0][1].value_or("4");
  set_sysinfo(replica, source_id);
  replica.execute(statement);
  replica.execute("START REPLICA");
}

void forget_replication(mysql::Session& session) {
  if (configured(session)) {
    session.execute("STOP REPLICA");
    session.execute("RESET REPLICA ALL");
  }
  session.execute("DELETE FROM mysql.rds_sysinfo WHERE name = 'replica_of'");
  session.execute("DELETE FROM mysql.rds_replication_status");
}

void resume_replication(mysql::Session& session) {
  if (!configured(session)) return;
  const auto last = session.query(
      "SELECT action FROM mysql.rds_replication_status WHERE action LIKE '% slave' ORDER BY id DESC LIMIT 1");
  const bool managed = !session.query("SELECT 1 FROM mysql.rds_sysinfo WHERE name = 'replica_of'").empty();
  const bool wanted = last.empty() ? managed : last[0][0] == "start slave";
  if (wanted) session.execute("START REPLICA");
}

ReplicationState replication_state(mysql::Session& session) {
  const auto rows = session.query(status_query);
  if (rows.empty()) return {"terminated", "replication is not configured", ""};
  const auto& row = rows[0];
  const auto number = [&](std::size_t i) { return row[i].value_or("0") != "0"; };
  ReplicationState state;
  state.source_log = row[6].value_or("");
  if (number(2) || number(4)) {
    state.status = "error";
    state.message = row[number(4) ? 5 : 3].value_or("");
  } else if (row[0] == "OFF" || row[1] == "OFF") {
    state.status = "stopped";
  } else {
    state.status = row[0] == "ON" ? "replicating" : "connecting";
  }
  return state;
}

}  // namespace reseal::sandbox::rds

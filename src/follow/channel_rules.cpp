// SPDX-License-Identifier: Apache-2.0
#include "follow/channel_rules.hpp"

#include <map>
#include <sstream>

#include "base/failure.hpp"
#include "sql/quote.hpp"

namespace reseal::follow {
namespace {

using base::Failure;
using base::FailureKind;
using sql::quote_text;

[[noreturn]] void refuse(const std::string& what, const std::string& remedy) {
  throw Failure(FailureKind::refused, "the target's replication would not follow the source exactly: " + what +
                                          "; nothing was changed. " + remedy + ", and start again");
}

/// Settings of the target by their newer names, whichever of the two it uses.
class Settings {
 public:
  explicit Settings(mysql::Session& target) {
    for (const auto& row : target.query(
             "SELECT VARIABLE_NAME, VARIABLE_VALUE FROM performance_schema.global_variables WHERE VARIABLE_NAME LIKE"
             " 'replica\\_%' OR VARIABLE_NAME LIKE 'slave\\_%' OR VARIABLE_NAME IN ('gtid_mode', 'relay_log_recovery',"
             " 'sql_replica_skip_counter', 'sql_slave_skip_counter')")) {
      auto name = row[0].value_or("");
      if (const auto at = name.find("slave"); at != std::string::npos) name.replace(at, 5, "replica");
      values_[name] = row[1].value_or("");
    }
  }
  std::string operator[](const std::string& name) const {
    const auto it = values_.find(name);
    return it == values_.end() ? "" : it->second;
  }
  bool set(const std::string& name) const {
    const auto value = (*this)[name];
    return !value.empty() && value != "OFF" && value != "0";
  }

 private:
  std::map<std::string, std::string> values_;
};

void require_settings(const Settings& settings, bool by_gtid) {
  if (settings.set("replica_skip_errors"))
    refuse("replica_skip_errors is " + settings["replica_skip_errors"],
           "Take it out of the target's configuration, restart the target");
  if (settings["replica_exec_mode"] == "IDEMPOTENT")
    refuse("replica_exec_mode=IDEMPOTENT hides rows that differ",
           "SET GLOBAL replica_exec_mode='STRICT' on the target");
  if (settings["replica_type_conversions"].find("ALL_LOSSY") != std::string::npos)
    refuse("replica_type_conversions=ALL_LOSSY lets values be cut",
           "SET GLOBAL replica_type_conversions='' on the target");
  if (settings.set("sql_replica_skip_counter"))
    refuse("sql_replica_skip_counter is set", "SET GLOBAL sql_replica_skip_counter=0 on the target");
  const auto workers = settings["replica_parallel_workers"];
  if (workers != "0" && workers != "1" && settings["replica_preserve_commit_order"] == "OFF")
    refuse("with replica_parallel_workers=" + workers +
               " and replica_preserve_commit_order=OFF it has gaps, and no place says what is executed",
           "SET GLOBAL replica_preserve_commit_order=ON on the target");
  const auto gtid_mode = settings["gtid_mode"];
  if (by_gtid && gtid_mode.rfind("OFF", 0) == 0)
    refuse("the source writes GTIDs and the target has gtid_mode=" + gtid_mode, "Set gtid_mode=ON on the target");
  if (!by_gtid && gtid_mode.rfind("ON", 0) == 0)
    refuse("the source writes no GTIDs and the target has gtid_mode=" + gtid_mode,
           "Set gtid_mode=OFF on the target, as on the source");
  if (!by_gtid && settings["relay_log_recovery"] == "OFF")
    refuse("with relay_log_recovery=OFF and without GTIDs a crash of the target would execute changes twice",
           "Set relay_log_recovery=ON in the target's configuration, restart the target");
}

/// RDS leaves out tables of its own: nothing of an application is in these schemas.
bool only_own_tables(const std::string& filter, const std::string& rule) {
  if (filter != "REPLICATE_IGNORE_TABLE" && filter != "REPLICATE_WILD_IGNORE_TABLE") return false;
  std::istringstream names(rule);
  for (std::string name; std::getline(names, name, ',');)
    if (name.rfind("mysql.", 0) != 0 && name.rfind("innodb_memcache.", 0) != 0) return false;
  return true;
}

void require_no_filters(mysql::Session& target, const std::string& channel) {
  for (const auto& row : target.query(
           "SELECT FILTER_NAME, FILTER_RULE FROM performance_schema.replication_applier_global_filters UNION SELECT"
           " FILTER_NAME, FILTER_RULE FROM performance_schema.replication_applier_filters WHERE CHANNEL_NAME=" +
           quote_text(channel))) {
    const auto filter = row[0].value_or("");
    if (row[1].value_or("").empty()) continue;  // was taken away
    if (!only_own_tables(filter, row[1].value_or("")))
      refuse("it has the filter " + filter + " (" + row[1].value_or("") + ")",
             "Take it away on the target (CHANGE REPLICATION FILTER " + filter + " = (), and its configuration)");
  }
}

void require_no_delay(mysql::Session& target, const std::string& channel) {
  const auto rows = target.query(
      "SELECT DESIRED_DELAY FROM performance_schema.replication_applier_configuration WHERE CHANNEL_NAME=" +
      quote_text(channel));
  if (!rows.empty() && rows[0][0] != "0")
    refuse("it has a delay of " + rows[0][0].value_or("?") + " s",
           "Take the delay away on the target (CHANGE REPLICATION SOURCE TO SOURCE_DELAY=0, on RDS CALL"
           " mysql.rds_set_source_delay(0))");
}

void require_only_channel(mysql::Session& target, const std::string& channel) {
  const auto rows = target.query(
      "SELECT CHANNEL_NAME FROM performance_schema.replication_connection_configuration WHERE HOST<>'' AND"
      " CHANNEL_NAME NOT LIKE 'group\\_replication\\_%' AND CHANNEL_NAME<>" +
      quote_text(channel));
  if (!rows.empty())
    refuse("it also replicates on the channel '" + rows[0][0].value_or("") + "'",
           "Take that away on the target if it is a left-over (STOP REPLICA and RESET REPLICA ALL FOR CHANNEL " +
               quote_text(rows[0][0].value_or("")) + ")");
}

}  // namespace

void require_faithful_replication(mysql::Session& target, const std::string& channel, bool by_gtid) {
  require_settings(Settings(target), by_gtid);
  require_no_filters(target, channel);
  require_no_delay(target, channel);
  require_only_channel(target, channel);
}

}  // namespace reseal::follow

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "check/readers.hpp"

namespace reseal::check {
namespace {

/// `reseal`.`run` belongs to the run that wrote it: ours when one of its cells is our run id, nobody's while it is
/// empty.
void read_owner(mysql::Session& session, const std::string& run_id, TargetState& target) {
  target.run_table = session
                         .scalar(
                             "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA='reseal' AND"
                             " TABLE_NAME='run'")
                         .value_or("0") != "0";
  if (!target.run_table) return;
  const auto rows = session.query("SELECT * FROM `reseal`.`run`");
  target.run_table = !rows.empty();
  if (run_id.empty()) return;
  for (const auto& row : rows) target.ours |= std::find(row.begin(), row.end(), mysql::Cell(run_id)) != row.end();
}

void read_objects(mysql::Session& session, TargetState& target) {
  for (const auto& row :
       session.query("SELECT o.S, COUNT(*) FROM (SELECT TABLE_SCHEMA S FROM information_schema.TABLES UNION ALL"
                     " SELECT ROUTINE_SCHEMA S FROM information_schema.ROUTINES) o WHERE o.S NOT IN"
                     " ('mysql','information_schema','performance_schema','sys','reseal') GROUP BY o.S ORDER BY o.S"))
    target.objects.emplace(row[0].value_or(""), number_in(row[1]));
}

void read_keyring(mysql::Session& session, TargetState& target) {
  for (const auto& row :
       session.query("SELECT PLUGIN_NAME FROM information_schema.PLUGINS WHERE PLUGIN_NAME LIKE 'keyring\\_%' AND"
                     " PLUGIN_NAME<>'keyring_udf' AND PLUGIN_STATUS='ACTIVE'"))
    target.keyring = row[0].value_or("");
  if (!target.server.facts.at_least(8, 0)) return;
  std::string component;
  bool active = false;
  for (const auto& row :
       session.query("SELECT STATUS_KEY, STATUS_VALUE FROM performance_schema.keyring_component_status")) {
    if (row[0] == "Component_name") component = row[1].value_or("");
    if (row[0] == "Component_status") active = row[1] == "Active";
  }
  if (active) target.keyring = component;
}

void read_mysql_tablespace(mysql::Session& session, TargetState& target) {
  for (const auto& row :
       session.query("SELECT ENCRYPTION FROM information_schema.INNODB_TABLESPACES WHERE NAME='mysql'"))
    target.mysql_tablespace = row[0].value_or("");
}

void read_collations(mysql::Session& session, TargetState& target) {
  for (const auto& row : session.query("SELECT COLLATION_NAME FROM information_schema.COLLATIONS"))
    target.collations.insert(row[0].value_or(""));
}

void read_login_plugins(mysql::Session& session, TargetState& target) {
  for (const auto& row : session.query("SELECT PLUGIN_NAME FROM information_schema.PLUGINS WHERE"
                                       " PLUGIN_TYPE='AUTHENTICATION' AND PLUGIN_STATUS='ACTIVE'"))
    target.login_plugins.insert(row[0].value_or(""));
}

/// Functions that a server may have lost: 9.x moved them to a component that is not always there.
void probe_functions(mysql::Session& session, TargetState& target) {
  constexpr unsigned no_such_function = 1305;  // ER_SP_DOES_NOT_EXIST
  for (const char* function : {"md5", "sha1"}) {
    try {
      session.query(std::string("SELECT ") + function + "('')");
    } catch (const base::Failure& failure) {
      if (failure.server_errno() != no_such_function && failure.server_errno() != 1046) throw;
      target.lacking_functions.insert(function);
    }
  }
}

}  // namespace

TargetState read_target(mysql::Session& session, ServerState server, const CheckRequest& request, Looker& looker) {
  TargetState target;
  target.server = std::move(server);
  const auto block = Severity::blocker;
  looker.look("the owner of the target", block, [&] { read_owner(session, request.run_id, target); });
  looker.look("tables that are already there", block, [&] { read_objects(session, target); });
  looker.look("its collations", block, [&] { read_collations(session, target); });
  looker.look("its authentication plugins", block, [&] { read_login_plugins(session, target); });
  looker.look("its functions", Severity::warning, [&] { probe_functions(session, target); });
  looker.look("the keyring", block, [&] { read_keyring(session, target); });
  if (target.server.facts.at_least(8, 0))
    looker.look("the tablespace of the mysql schema", block, [&] { read_mysql_tablespace(session, target); });
  return target;
}

}  // namespace reseal::check

// SPDX-License-Identifier: Apache-2.0
#include "sandbox/rds/instance_server.hpp"
#include "sandbox/rds/parameters.hpp"
#include "sql/quote.hpp"

namespace reseal::sandbox::rds {
namespace {

using sql::quote_text;

// RDS User Guide, "Master user account privileges", RDS for MySQL 8.0.36 and higher, by the names of the series 8.4.
// The master user may not write the tables of mysql: a partial revoke does it here.
constexpr const char* master_privileges =
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES, "
    "CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, REPLICATION SLAVE, REPLICATION CLIENT, CREATE VIEW, SHOW VIEW, "
    "CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, TRIGGER, CREATE ROLE, DROP ROLE, APPLICATION_PASSWORD_ADMIN, "
    "ROLE_ADMIN, SET_ANY_DEFINER, XA_RECOVER_ADMIN";
constexpr const char* revoked_on_mysql =
    "INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE TEMPORARY TABLES, LOCK TABLES, "
    "CREATE VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT, TRIGGER";

// Tables that RDS does not take over from a source.
constexpr const char* ignored_tables[] = {"mysql.rds_configuration", "mysql.rds_history", "mysql.rds_monitor",
                                          "mysql.rds_replication_status", "mysql.rds_sysinfo"};

}  // namespace

ServerOptions server_options(const Instance& instance, const ParameterGroup& group) {
  auto options = instance.encrypted() ? ServerOptions::encrypted_target() : ServerOptions::plain_source();
  options.server_id = instance.server_id;
  options.buffer_pool_mib = 64;
  options.extra = {"--bind-address=" + instance.address,
                   "--plugin-load-add=mysql_clone.so",
                   "--partial-revokes=ON",
                   "--skip-replica-start",
                   "--relay-log=relaylog",
                   "--report-host=" + instance.id};
  if (instance.setting_number("BackupRetentionPeriod") > 0)
    options.extra.emplace_back("--log-bin=mysql-bin-changelog");
  else
    options.extra.emplace_back("--skip-log-bin");
  for (const auto* table : ignored_tables) options.extra.push_back(std::string("--replicate-ignore-table=") + table);
  for (auto& option : server_options_of(values_for(group, instance.replica())))
    options.extra.push_back(std::move(option));
  return options;
}

void set_up_server(const ServerFolder& folder, const AdminAccounts& accounts, const MasterUser& master,
                   ProcedureNames names) {
  auto session = first_session(folder);
  session.execute("CREATE USER rdsadmin@localhost IDENTIFIED BY " + quote_text(accounts.rdsadmin.reveal()));
  session.execute("GRANT ALL PRIVILEGES ON *.* TO rdsadmin@localhost WITH GRANT OPTION");
  session.execute("CREATE USER rdsrepladmin@'%' IDENTIFIED BY " + quote_text(accounts.rdsrepladmin.reveal()));
  session.execute("GRANT REPLICATION SLAVE ON *.* TO rdsrepladmin@'%'");
  for (const auto& statement : procedure_statements(names)) session.execute(statement);
  reset_master_user(session, master);
  session.execute("DROP USER root@localhost");
}

void reset_master_user(mysql::Session& session, const MasterUser& master) {
  const auto account = quote_text(master.name) + "@'%'";
  const auto password = quote_text(master.password.reveal());
  session.execute("CREATE USER IF NOT EXISTS " + account + " IDENTIFIED BY " + password);
  session.execute("ALTER USER " + account + " IDENTIFIED BY " + password);
  session.execute(std::string("GRANT ") + master_privileges + " ON *.* TO " + account + " WITH GRANT OPTION");
  session.execute(std::string("REVOKE ") + revoked_on_mysql + " ON mysql.* FROM " + account);
}

}  // namespace reseal::sandbox::rds

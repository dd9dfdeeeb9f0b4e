// SPDX-License-Identifier: Apache-2.0
#include "seed/clone_rules.hpp"

#include <cstdlib>
#include <set>

#include "mysql/schema_reader.hpp"
#include "seed/clone_account.hpp"
#include "sql/quote.hpp"
#include "sql/table.hpp"

namespace reseal::seed {
namespace {

using base::Failure;
using base::FailureKind;
using mysql::Session;

const std::string own_schemas = "('mysql','information_schema','performance_schema','sys')";

[[noreturn]] void refuse(const std::string& why, const std::string& mend) {
  throw Failure(FailureKind::refused, "cannot clone: " + why + "; nothing was changed. " + mend);
}

std::string variable(Session& session, const std::string& name) {
  return session.scalar("SELECT CAST(@@global." + name + " AS CHAR)").value_or("");
}

/// "9.7.1": what stands before the distribution's own part. Builds of one version go together.
std::string release(Session& session) {
  const auto version = variable(session, "version");
  return version.substr(0, version.find_first_not_of("0123456789."));
}

// MySQL manual, "The Clone Plugin", "Cloning Remote Data": one series, and one release below 8.0.37.
void check_versions(Session& donor, Session& recipient) {
  const auto on_donor = mysql::server_facts(donor);
  const auto on_recipient = mysql::server_facts(recipient);
  const auto releases = "the donor is MySQL " + release(donor) + ", the recipient MySQL " + release(recipient);
  const bool one_series = on_donor.major == on_recipient.major && on_donor.minor == on_recipient.minor;
  if (!one_series || (on_donor.major == 8 && release(donor) != release(recipient)))
    refuse(releases, "Run a recipient of the donor's version, and upgrade it later");
  int patch = 0;
  std::sscanf(on_recipient.version.c_str(), "8.0.%d", &patch);
  if (on_recipient.major < 8 || (on_recipient.major == 8 && on_recipient.minor == 0 && patch < 30))
    refuse(releases + ", and the redo log can be made anew from MySQL 8.0.30 on only",
           "Upgrade both, or take the way `stream`");
}

void check_same(Session& donor, Session& recipient, const std::string& setting) {
  const auto on_donor = variable(donor, setting);
  const auto on_recipient = variable(recipient, setting);
  if (on_donor != on_recipient)
    refuse(setting + " is " + on_donor + " on the donor and " + on_recipient + " on the recipient",
           "Start the recipient with the donor's value");
}

void check_settings(Session& donor, Session& recipient) {
  for (const char* name :
       {"innodb_page_size", "innodb_data_file_path", "character_set_server", "collation_server",
        "character_set_filesystem", "version_compile_os", "version_compile_machine", "lower_case_table_names"})
    check_same(donor, recipient, name);
  for (auto* server : {&donor, &recipient})
    if (std::strtoull(variable(*server, "max_allowed_packet").c_str(), nullptr, 10) < 2U << 20U)
      refuse("max_allowed_packet is below 2 MiB on " + server->endpoint().text(),
             "SET PERSIST max_allowed_packet=67108864 there");
}

void check_engines(Session& donor) {
  const auto rows = donor.query(
      "SELECT TABLE_SCHEMA, TABLE_NAME, COALESCE(ENGINE,'unknown') FROM information_schema.TABLES WHERE"
      " TABLE_TYPE='BASE TABLE' AND (ENGINE IS NULL OR ENGINE<>'InnoDB') AND TABLE_SCHEMA NOT IN " +
      own_schemas + " LIMIT 1");
  if (rows.empty()) return;
  const sql::TableName name{rows[0][0].value_or(""), rows[0][1].value_or("")};
  refuse("the donor's table " + name.text() + " has the engine " + rows[0][2].value_or("") + " and would arrive empty",
         "ALTER TABLE " + name.quoted() + " ENGINE=InnoDB on the source, or take the way `stream`");
}

void check_places(Session& donor) {
  // Paths below the data directory are told as ./…; general tablespaces elsewhere, DATA DIRECTORY and undo are
  // absolute.
  const auto outside = donor.query(
      "SELECT TABLESPACE_NAME, FILE_NAME FROM information_schema.FILES WHERE ENGINE='InnoDB' AND FILE_NAME LIKE '/%'"
      " AND LEFT(FILE_NAME, CHAR_LENGTH(@@datadir))<>@@datadir LIMIT 1");
  if (!outside.empty())
    refuse("the donor's tablespace " + outside[0][0].value_or("") + " lies outside its data directory, in " +
               outside[0][1].value_or("") + ", and the clone would make that very path on the recipient's machine",
           "Move it into the data directory, or take the way `stream`");
  const auto shared = donor.query(
      "SELECT NAME FROM information_schema.INNODB_TABLES WHERE SPACE=0 AND NAME NOT LIKE 'SYS\\_%' LIMIT 1");
  if (!shared.empty())
    refuse("the donor's table " + shared[0][0].value_or("") +
               " lies in the system tablespace, which no server can encrypt and which keeps the rows even of a table "
               "that was moved out",
           "Take the way `stream`");
}

void check_recipient_empty(Session& recipient) {
  const auto schemas = mysql::user_schemas(recipient);
  if (!schemas.empty())
    refuse("the recipient " + recipient.endpoint().text() + " holds the schema " + schemas[0] +
               ", and a clone deletes all that is there",
           "Name an empty server, or drop what is there");
}

void check_running(Session& donor) {
  const auto others = donor.scalar(
      "SELECT COUNT(*) FROM performance_schema.threads WHERE PROCESSLIST_COMMAND='Clone' AND PROCESSLIST_USER<>" +
      sql::quote_text(clone_user));
  if (others != "0")
    throw Failure(FailureKind::transient, "cannot clone: the donor " + donor.endpoint().text() +
                                              " is being cloned already, and can be so once at a time; nothing was "
                                              "changed. Wait for that clone to end");
}

/// The global privileges of the session's account, and those among them that it can give to others.
struct Privileges {
  std::set<std::string> held;
  std::set<std::string> grantable;
};

Privileges global_privileges(Session& session) {
  Privileges privileges;
  for (const auto& grant : own_grants(session)) {
    const auto end = grant.find(" ON *.* TO ");
    constexpr std::size_t verb = std::string_view("GRANT ").size();
    if (end == std::string::npos || !grant.starts_with("GRANT ")) continue;
    const bool with_option = grant.ends_with(" WITH GRANT OPTION");
    for (std::size_t at = verb; at < end;) {
      const auto comma = std::min(grant.find(',', at), end);
      const auto name = grant.substr(at, comma - at);
      privileges.held.insert(name);
      if (with_option) privileges.grantable.insert(name);
      at = comma + (grant.compare(comma, 2, ", ") == 0 ? 2 : 1);
    }
  }
  return privileges;
}

void check_privileges(Session& donor, Session& recipient) {
  const auto on_donor = global_privileges(donor);
  const auto on_recipient = global_privileges(recipient);
  // On the recipient the donor's account puts back ours, without the binary log and while read_only is on.
  for (const char* name : {"CREATE USER", "BACKUP_ADMIN", "SYSTEM_VARIABLES_ADMIN", "CONNECTION_ADMIN", "PROCESS"})
    if (!on_donor.held.contains(name))
      refuse("our account lacks " + std::string(name) + " on the donor",
             "GRANT " + std::string(name) + " ON *.* TO it there");
  for (const char* name : {"CLONE_ADMIN", "SYSTEM_VARIABLES_ADMIN", "PERSIST_RO_VARIABLES_ADMIN", "CONNECTION_ADMIN",
                           "CREATE USER", "REPLICATION_SLAVE_ADMIN", "RELOAD"})
    if (!on_recipient.held.contains(name))
      refuse("our account lacks " + std::string(name) + " on the recipient",
             "GRANT " + std::string(name) + " ON *.* TO it there");
  auto to_give = on_recipient.held;
  to_give.insert("BACKUP_ADMIN");
  to_give.erase("USAGE");
  for (const auto& name : to_give)
    if (!on_donor.grantable.contains(name))
      refuse("our account on the donor cannot grant " + name +
                 ": the clone account, or our account on the recipient that the clone removes, needs it",
             "GRANT " + name + " ON *.* TO it WITH GRANT OPTION on the source");
}

}  // namespace

void require_clonable(Session& donor, Session& recipient) {
  if (!donor.endpoint().socket.empty())
    refuse("the donor is named by a socket, and the recipient must reach it over the network",
           "Name its host and port");
  check_versions(donor, recipient);
  check_settings(donor, recipient);
  check_recipient_empty(recipient);
  check_privileges(donor, recipient);
  check_engines(donor);
  check_places(donor);
  check_running(donor);
}

void require_writable(Session& donor) {
  if (variable(donor, "super_read_only") == "1")
    refuse("super_read_only is on at the donor, which needs the account " + std::string(clone_user),
           "SET GLOBAL super_read_only=OFF there; read_only may stay on");
}

bool ensure_clone_plugin(Session& server) {
  const auto found = server.query("SELECT PLUGIN_STATUS FROM information_schema.PLUGINS WHERE PLUGIN_NAME='clone'");
  if (!found.empty() && found[0][0] == "ACTIVE") return false;
  if (!found.empty())
    refuse("the clone plugin of " + server.endpoint().text() + " is " + found[0][0].value_or("not active"),
           "Start that server without --clone=OFF");
  try {
    mysql::without_binlog(server);
    server.execute("INSTALL PLUGIN clone SONAME 'mysql_clone.so'");
  } catch (const Failure& failure) {
    throw failure.within("the clone plugin is missing on " + server.endpoint().text() +
                         " and could not be installed, nothing was changed there; add mysql_clone.so to its plugin "
                         "folder, or give our account INSERT on mysql.plugin");
  }
  return true;
}

bool clone_runs(Session& recipient) {
  const auto tables = recipient.scalar(
      "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA='performance_schema' AND"
      " TABLE_NAME='clone_status'");
  // A clone that ended with its server still says so after the restart, but no thread is at it.
  return tables != "0" && recipient.scalar(
                              "SELECT COUNT(*) FROM performance_schema.clone_status c JOIN performance_schema.threads t"
                              " ON t.PROCESSLIST_ID=c.PID WHERE c.STATE='In Progress'") != "0";
}

}  // namespace reseal::seed

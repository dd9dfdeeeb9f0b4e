// SPDX-License-Identifier: Apache-2.0
#include "attest/items.hpp"
#include "sql/quote.hpp"

namespace reseal::attest {
namespace {

Protection judged(const mysql::Cell& value, std::string_view wanted) {
  if (!value) return Protection::unknown;
  return *value == wanted ? Protection::encrypted : Protection::plain;
}

bool any_row(mysql::Session& session, const std::string& statement) { return !session.query(statement).empty(); }

}  // namespace

mysql::Cell variable(mysql::Session& session, const std::string& name) {
  const auto rows = session.query("SHOW GLOBAL VARIABLES WHERE Variable_name=" + sql::quote_text(name));
  return rows.empty() ? std::nullopt : rows[0][1];
}

void look_at_keyring(mysql::Session& target, Items& items) {
  std::string name = "keyring";
  std::string status = "no component";
  std::string file;
  for (const auto& row :
       target.query("SELECT STATUS_KEY, STATUS_VALUE FROM performance_schema.keyring_component_status")) {
    if (row[0] == "Component_name") name = row[1].value_or("");
    if (row[0] == "Component_status") status = row[1].value_or("");
    if (row[0] == "Data_file") file = row[1].value_or("");
  }
  bool active = status == "Active";
  for (const auto& row :
       target.query("SELECT PLUGIN_NAME, PLUGIN_STATUS FROM information_schema.PLUGINS WHERE PLUGIN_NAME LIKE"
                    " 'keyring\\_%' AND PLUGIN_NAME<>'keyring_udf'")) {
    if (active) break;
    name = row[0].value_or("");
    status = row[1].value_or("");
    active = status == "ACTIVE";
  }
  items.push_back({"keyring", name, active ? Protection::encrypted : Protection::plain,
                   "performance_schema.keyring_component_status: " + status,
                   active ? "" : "install a keyring component and restart the server"});
  const auto data_folder = variable(target, "datadir").value_or("");
  if (active && !file.empty() && !data_folder.empty() && file.starts_with(data_folder))
    items.push_back({"keyring", "key file", Protection::remains,
                     "the key lies inside the data folder: who copies the folder can read everything",
                     "keep the key file on another volume, or use a key manager"});
}

void look_at_settings(mysql::Session& target, Items& items) {
  for (const char* name : {"default_table_encryption", "innodb_redo_log_encrypt", "innodb_undo_log_encrypt"}) {
    const auto value = variable(target, name);
    const auto protection = judged(value, "ON");
    items.push_back({"setting", name, protection, std::string(name) + "=" + value.value_or("absent"),
                     protection == Protection::encrypted ? "" : std::string("SET PERSIST ") + name + "=ON"});
  }
}

void look_at_binlogs(mysql::Session& target, Items& items) {
  if (variable(target, "log_bin") != "ON") {
    items.push_back({"binlog", "binary log", Protection::not_needed, "log_bin=OFF", ""});
    return;
  }
  const auto setting = variable(target, "binlog_encryption");
  items.push_back({"setting", "binlog_encryption", judged(setting, "ON"),
                   "binlog_encryption=" + setting.value_or("absent"),
                   setting == "ON" ? "" : "SET PERSIST binlog_encryption=ON"});
  for (const auto& row : target.query("SHOW BINARY LOGS")) {
    const auto seen = row.size() > 2 ? row[2] : mysql::Cell();
    const auto protection = judged(seen, "Yes");
    items.push_back(
        {"binlog", row[0].value_or(""), protection, "SHOW BINARY LOGS: Encrypted=" + seen.value_or("absent"),
         protection == Protection::encrypted ? "" : "FLUSH BINARY LOGS, then PURGE BINARY LOGS past this file"});
  }
}

AttestedItem log_item(mysql::Session& target, const std::string& name, const std::string& output) {
  const bool on = variable(target, name) == "ON" && output != "NONE";
  return {"log", name, on ? Protection::plain : Protection::not_needed,
          name + "=" + (on ? "ON" : "OFF") + ", log_output=" + output,
          on ? "SET PERSIST " + name + "=OFF, and remove what was written" : ""};
}

void look_at_logs(mysql::Session& target, Items& items) {
  const auto output = variable(target, "log_output").value_or("FILE");
  for (const auto* name : {"general_log", "slow_query_log"}) items.push_back(log_item(target, name, output));
  // Both tables are CSV files, which no server can encrypt.
  for (const std::string table : {"mysql.general_log", "mysql.slow_log"}) {
    const bool holds = any_row(target, "SELECT 1 FROM " + table + " LIMIT 1");
    items.push_back({"log", table, holds ? Protection::plain : Protection::not_needed,
                     holds ? "the table holds rows in a CSV file" : "the table is empty",
                     holds ? "TRUNCATE TABLE " + table : ""});
  }
}

void say_what_remains(mysql::Session& target, Items& items) {
  const auto version = target.scalar("SELECT VERSION()").value_or("");
  // Pages of an encrypted tablespace are encrypted in the doublewrite files from 8.0.23 on (MySQL manual, "InnoDB
  // Data-at-Rest Encryption", "Doublewrite File Encryption").
  unsigned major = 0, minor = 0, patch = 0;
  std::sscanf(version.c_str(), "%u.%u.%u", &major, &minor, &patch);
  const bool fresh = major > 8 || (major == 8 && (minor > 0 || patch >= 23));
  items.push_back({"volume", "doublewrite files", fresh ? Protection::remains : Protection::plain,
                   fresh ? "a page lies in them as in its tablespace, so encrypted ones stay encrypted; the page of a "
                           "plain table may outlast the table"
                         : "MySQL " + version + " writes all pages to them in the clear",
                   fresh ? "" : "use MySQL 8.0.23 or later"});
  items.push_back({"volume", "ibdata1", Protection::remains,
                   "the system tablespace cannot be encrypted; a table inside it is shown as plain above", ""});
  items.push_back(
      {"volume", "error log", Protection::remains, "the server's messages, which may name objects and accounts", ""});
}

}  // namespace reseal::attest

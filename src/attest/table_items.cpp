// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>

#include "attest/items.hpp"
#include "sql/quote.hpp"
#include "sql/table.hpp"

namespace reseal::attest {
namespace {

Protection of_flag(const mysql::Cell& flag) {
  if (flag == "Y" || flag == "YES") return Protection::encrypted;
  if (flag == "N" || flag == "NO") return Protection::plain;
  return Protection::unknown;
}

/// "shop/orders#p#p0" belongs to one of `schemas`; a schema whose file name we cannot tell keeps everything in.
bool wanted(const std::string& file_name, const std::vector<std::string>& schemas) {
  if (schemas.empty()) return true;
  return std::any_of(schemas.begin(), schemas.end(), [&](const std::string& schema) {
    const auto encoded = file_name_of(schema);
    return !encoded || file_name.starts_with(*encoded + "/");
  });
}

std::string mend_for(const std::string& kind, const std::string& name) {
  if (kind == "Undo")
    return "set innodb_undo_log_encrypt=ON, then let the undo tablespace be truncated: ALTER UNDO TABLESPACE " + name +
           " SET INACTIVE, later SET ACTIVE";
  if (kind == "General") return "ALTER TABLESPACE " + sql::quote_name(name) + " ENCRYPTION='Y'";
  const auto slash = name.find('/');
  // A name with @ is encoded for the file system: it is told as it is.
  if (slash == std::string::npos || name.find('@') != std::string::npos)
    return "ALTER TABLE … ENCRYPTION='Y' for the table whose file is " + name;
  return "ALTER TABLE " + sql::quote_name(name.substr(0, slash), name.substr(slash + 1, name.find('#') - slash - 1)) +
         " ENCRYPTION='Y'";
}

void add_physical_tables(mysql::Session& target, const std::vector<std::string>& schemas, Items& items) {
  // Each partition is a row of its own. Space 0 is the system tablespace, which INNODB_TABLESPACES leaves out.
  for (const auto& row :
       target.query("SELECT t.NAME, t.SPACE, s.NAME, s.ENCRYPTION, s.SPACE_TYPE FROM information_schema.INNODB_TABLES t"
                    " LEFT JOIN information_schema.INNODB_TABLESPACES s ON s.SPACE=t.SPACE"
                    " WHERE t.NAME NOT LIKE 'mysql/%' ORDER BY t.NAME")) {
    const auto name = row[0].value_or("");
    const bool in_system = row[1] == "0";
    const auto protection = in_system ? Protection::plain : of_flag(row[3]);
    if (protection == Protection::encrypted && !wanted(name, schemas)) continue;
    items.push_back({"table", name, protection,
                     in_system
                         ? "it lies in the system tablespace"
                         : "tablespace " + row[2].value_or("not seen") + ": ENCRYPTION=" + row[3].value_or("absent"),
                     protection == Protection::encrypted
                         ? ""
                         : mend_for(row[4].value_or("Single"), row[4] == "General" ? row[2].value_or("") : name)});
  }
}

void add_foreign_engines(mysql::Session& target, Items& items) {
  for (const auto& row :
       target.query("SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE FROM information_schema.TABLES WHERE"
                    " TABLE_TYPE='BASE TABLE' AND (ENGINE IS NULL OR ENGINE<>'InnoDB') AND TABLE_SCHEMA NOT IN"
                    " ('mysql','information_schema','performance_schema','sys') ORDER BY 1, 2")) {
    const sql::TableName name{row[0].value_or(""), row[1].value_or("")};
    items.push_back({"table", name.text(), Protection::plain, "its engine is " + row[2].value_or("not available"),
                     "ALTER TABLE " + name.quoted() + " ENGINE=InnoDB ENCRYPTION='Y'"});
  }
}

}  // namespace

std::optional<std::string> file_name_of(const std::string& name) {
  constexpr char digits[] = "0123456789abcdef";
  std::string encoded;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) return std::nullopt;
    if (std::isalnum(byte) != 0 || c == '_') {
      encoded += c;
    } else {
      encoded += "@00";
      encoded += digits[byte >> 4];
      encoded += digits[byte & 15];
    }
  }
  return encoded;
}

void look_at_tablespaces(mysql::Session& target, Items& items) {
  bool mysql_seen = false;
  for (const auto& row : target.query("SELECT NAME, ENCRYPTION, SPACE_TYPE FROM information_schema.INNODB_TABLESPACES "
                                      "ORDER BY SPACE_TYPE, NAME")) {
    const auto name = row[0].value_or("");
    const auto kind = row[2].value_or("");
    mysql_seen |= name == "mysql";
    if (kind == "Single") continue;  // a table's own, looked at with the table
    if (name == "innodb_temporary") {
      items.push_back({"volume", name, Protection::remains,
                       "the global temporary tablespace cannot be encrypted; it holds undo of temporary tables and is "
                       "made anew at every start",
                       ""});
      continue;
    }
    const auto protection = of_flag(row[1]);
    items.push_back({kind == "Undo" ? "undo" : "tablespace", name, protection,
                     "INNODB_TABLESPACES: ENCRYPTION=" + row[1].value_or("absent"),
                     protection == Protection::encrypted ? "" : mend_for(kind, name)});
  }
  if (!mysql_seen) items.push_back({"tablespace", "mysql", Protection::unknown, "not in INNODB_TABLESPACES", ""});
}

void look_at_schemas(mysql::Session& target, const std::vector<std::string>& schemas, Items& items) {
  std::vector<std::string> missing = schemas;
  for (const auto& row : target.query("SELECT SCHEMA_NAME, DEFAULT_ENCRYPTION FROM information_schema.SCHEMATA WHERE"
                                      " SCHEMA_NAME NOT IN ('mysql','information_schema','performance_schema','sys')"
                                      " ORDER BY SCHEMA_NAME")) {
    const auto name = row[0].value_or("");
    std::erase(missing, name);
    const auto protection = of_flag(row[1]);
    items.push_back({"schema", name, protection, "SCHEMATA: DEFAULT_ENCRYPTION=" + row[1].value_or("absent"),
                     protection == Protection::encrypted
                         ? ""
                         : "ALTER SCHEMA " + sql::quote_name(name) + " DEFAULT ENCRYPTION='Y'"});
  }
  for (const auto& name : missing)
    items.push_back(
        {"schema", name, Protection::unknown, "this server has no such schema", "correct the list of schemas"});
}

void look_at_tables(mysql::Session& target, const std::vector<std::string>& schemas, Items& items) {
  add_physical_tables(target, schemas, items);
  add_foreign_engines(target, items);
}

}  // namespace reseal::attest

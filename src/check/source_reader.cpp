// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "check/readers.hpp"

namespace reseal::check {
namespace {

void choose_schemas(mysql::Session& session, const std::vector<std::string>& wanted, SourceState& source) {
  const auto present = mysql::user_schemas(session);
  if (wanted.empty()) {
    source.schemas = present;
    return;
  }
  for (const auto& schema : wanted) {
    const bool found = std::find(present.begin(), present.end(), schema) != present.end();
    (found ? source.schemas : source.missing_schemas).push_back(schema);
  }
}

/// Tables of every schema without a column we do not know; the unknown columns are kept as they are.
void read_schema_tables(mysql::Session& session, SourceState& source) {
  std::set<std::string> unknown;
  for (const auto& row :
       session.query("SELECT c.TABLE_SCHEMA, c.TABLE_NAME, c.COLUMN_NAME, c.DATA_TYPE FROM information_schema.COLUMNS c"
                     " JOIN information_schema.TABLES t USING (TABLE_SCHEMA, TABLE_NAME)"
                     " WHERE t.TABLE_TYPE='BASE TABLE' AND c.TABLE_SCHEMA IN " +
                     mysql::in_list(source.schemas))) {
    const auto type = row[3].value_or("");
    if (sql::family_of(type)) continue;
    source.unknown_columns.push_back({{row[0].value_or(""), row[1].value_or("")}, row[2].value_or(""), type});
    unknown.insert(row[0].value_or(""));
  }
  std::vector<std::string> readable;
  for (const auto& schema : source.schemas)
    if (!unknown.contains(schema)) readable.push_back(schema);
  source.tables = mysql::read_tables(session, readable);
}

void read_collations(mysql::Session& session, SourceState& source) {
  const auto list = mysql::in_list(source.schemas);
  for (const auto& row : session.query(
           fmt::format("SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME IN {0}"
                       " UNION SELECT TABLE_COLLATION FROM information_schema.TABLES WHERE TABLE_TYPE='BASE TABLE'"
                       " AND TABLE_SCHEMA IN {0}"
                       " UNION SELECT COLLATION_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA IN {0}",
                       list)))
    if (row[0]) source.collations.insert(*row[0]);
}

void read_foreign_keys(mysql::Session& session, SourceState& source) {
  for (auto& row : session.query(
           "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, UNIQUE_CONSTRAINT_SCHEMA, REFERENCED_TABLE_NAME,"
           " UPDATE_RULE, DELETE_RULE FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA IN " +
           mysql::in_list(source.schemas) + " ORDER BY 1, 2, 3"))
    source.foreign_keys.push_back({{row[0].value_or(""), row[1].value_or("")},
                                   row[2].value_or(""),
                                   row[3].value_or(""),
                                   row[4].value_or(""),
                                   row[5].value_or(""),
                                   row[6].value_or("")});
}

std::vector<NamedObject> named_objects(mysql::Session& session, const std::string& statement) {
  std::vector<NamedObject> objects;
  for (auto& row : session.query(statement))
    objects.push_back({row[0].value_or(""), row[1].value_or(""), row[2].value_or("")});
  return objects;
}

void read_sessions(mysql::Session& session, SourceState& source) {
  // sql_log_bin and the binlog's variables are read from other sessions here, since SET GLOBAL leaves those as they
  // are.
  for (auto& row : session.query(
           "SELECT t.PROCESSLIST_ID, CONCAT(t.PROCESSLIST_USER,'@',t.PROCESSLIST_HOST), v.VARIABLE_NAME,"
           " v.VARIABLE_VALUE FROM performance_schema.variables_by_thread v"
           " JOIN performance_schema.threads t USING (THREAD_ID)"
           " WHERE t.TYPE='FOREGROUND' AND t.PROCESSLIST_ID IS NOT NULL AND t.PROCESSLIST_ID<>CONNECTION_ID() AND ("
           "(v.VARIABLE_NAME='binlog_format' AND v.VARIABLE_VALUE<>'ROW')"
           " OR (v.VARIABLE_NAME='binlog_row_image' AND v.VARIABLE_VALUE<>'FULL')"
           " OR (v.VARIABLE_NAME='binlog_row_value_options' AND v.VARIABLE_VALUE<>'')"
           " OR (v.VARIABLE_NAME='sql_log_bin' AND v.VARIABLE_VALUE='OFF')) ORDER BY 1, 3"))
    source.sessions.push_back({number_in(row[0]), row[1].value_or(""), row[2].value_or(""), row[3].value_or("")});
}

void read_filters(mysql::Session& session, SourceState& source) {
  const auto rows = session.query(source.server.facts.at_least(8, 2) ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS");
  if (rows.empty()) return;
  source.binlog_do_db = rows[0].at(2).value_or("");
  source.binlog_ignore_db = rows[0].at(3).value_or("");
}

void read_transactions(mysql::Session& session, SourceState& source) {
  for (const auto& row : session.query(
           "SELECT trx_mysql_thread_id, TIMESTAMPDIFF(SECOND, trx_started, NOW()) FROM information_schema.INNODB_TRX"
           " WHERE trx_mysql_thread_id<>CONNECTION_ID()"))
    source.transactions.push_back({number_in(row[0]), number_in(row[1])});
}

void read_login_plugins(mysql::Session& session, SourceState& source) {
  for (auto& row : session.query("SELECT plugin, CONCAT(user,'@',host) FROM mysql.user WHERE user NOT LIKE 'mysql.%'"
                                 " AND account_locked='N' ORDER BY 1, 2"))
    source.login_plugins[row[0].value_or("")].push_back(row[1].value_or(""));
}

void read_bypass_accounts(mysql::Session& session, SourceState& source) {
  for (const auto& row :
       session.query("SELECT DISTINCT GRANTEE FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE IN"
                     " ('SUPER','CONNECTION_ADMIN') AND GRANTEE NOT LIKE '''mysql.%' ORDER BY 1"))
    source.bypass_accounts.push_back(row[0].value_or(""));
}

/// Where information_schema keeps the text of what calls functions.
struct DefinitionPlace {
  const char* kind;
  const char* view;
  const char* schema;
  const char* name;
  const char* text;
};
constexpr DefinitionPlace definition_places[] = {
    {"view", "VIEWS", "TABLE_SCHEMA", "TABLE_NAME", "VIEW_DEFINITION"},
    {"routine", "ROUTINES", "ROUTINE_SCHEMA", "ROUTINE_NAME", "ROUTINE_DEFINITION"},
    {"trigger", "TRIGGERS", "TRIGGER_SCHEMA", "TRIGGER_NAME", "ACTION_STATEMENT"},
    {"event", "EVENTS", "EVENT_SCHEMA", "EVENT_NAME", "EVENT_DEFINITION"},
    {"column", "COLUMNS", "TABLE_SCHEMA", "TABLE_NAME", "GENERATION_EXPRESSION"}};

std::string search_statement(const DefinitionPlace& place, const std::string& function, const std::string& schemas) {
  return std::string("SELECT DISTINCT ") + place.schema + ", " + place.name + " FROM information_schema." + place.view +
         " WHERE " + place.schema + " IN " + schemas + " AND LOWER(CONCAT(' '," + place.text +
         ")) REGEXP '[^a-z0-9_.]" + function + "[ `]*[(]' ORDER BY 1, 2";
}

}  // namespace

void read_uses(mysql::Session& session, const std::set<std::string>& functions, SourceState& source) {
  for (const auto& function : functions)
    for (const auto& place : definition_places)
      for (const auto& row : session.query(search_statement(place, function, mysql::in_list(source.schemas))))
        source.uses[function].push_back(std::string(place.kind) + " " + row[0].value_or("") + "." +
                                        row[1].value_or(""));
}

SourceState read_source(mysql::Session& session, ServerState server, const CheckRequest& request, Looker& looker) {
  SourceState source;
  source.server = std::move(server);
  const auto block = Severity::blocker;
  looker.look("its schemas", block, [&] { choose_schemas(session, request.schemas, source); });
  looker.look("its tables", block, [&] { read_schema_tables(session, source); });
  looker.look("collations in use", block, [&] { read_collations(session, source); });
  looker.look("foreign keys", block, [&] { read_foreign_keys(session, source); });
  const auto list = mysql::in_list(source.schemas);
  looker.look("triggers", block, [&] {
    source.triggers = named_objects(session,
                                    "SELECT TRIGGER_SCHEMA, TRIGGER_NAME, EVENT_OBJECT_TABLE FROM"
                                    " information_schema.TRIGGERS WHERE TRIGGER_SCHEMA IN " +
                                        list + " ORDER BY 1, 2");
  });
  looker.look("events", block, [&] {
    source.events = named_objects(session,
                                  "SELECT EVENT_SCHEMA, EVENT_NAME, CONCAT(STATUS, ', on completion ', ON_COMPLETION)"
                                  " FROM information_schema.EVENTS WHERE EVENT_SCHEMA IN " +
                                      list + " ORDER BY 1, 2");
  });
  looker.look("settings of living sessions", block, [&] { read_sessions(session, source); });
  if (source.server.is("log_bin", "ON"))
    looker.look("filters of the binary log", block, [&] { read_filters(session, source); });
  looker.look("prepared XA transactions", block, [&] { source.prepared_xa = session.query("XA RECOVER").size(); });
  looker.look("open transactions", Severity::warning, [&] { read_transactions(session, source); });
  looker.look("how accounts log in", Severity::warning, [&] { read_login_plugins(session, source); });
  looker.look("accounts that bypass read_only", Severity::warning, [&] { read_bypass_accounts(session, source); });
  return source;
}

}  // namespace reseal::check

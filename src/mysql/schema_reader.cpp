// SPDX-License-Identifier: Apache-2.0
#include "mysql/schema_reader.hpp"

#include <charconv>
#include <cstdio>
#include <map>

#include "sql/quote.hpp"

namespace reseal::mysql {
namespace {

std::uint64_t number(const Cell& cell) {
  std::uint64_t value = 0;
  if (cell) std::from_chars(cell->data(), cell->data() + cell->size(), value);
  return value;
}

sql::Column column_of(const sql::TableName& table, const Row& row) {
  sql::Column column;
  column.name = row[2].value_or("");
  column.data_type = row[3].value_or("");
  column.column_type = row[4].value_or("");
  column.character_set = row[5].value_or("");
  column.collation = row[6].value_or("");
  column.nullable = row[7] == "YES";
  const auto extra = row[8].value_or("");
  column.generated = !row[9].value_or("").empty();
  column.auto_increment = extra.find("auto_increment") != std::string::npos;
  column.invisible = extra.find("INVISIBLE") != std::string::npos;
  column.is_unsigned = column.column_type.find("unsigned") != std::string::npos || column.data_type == "year";
  const auto family = sql::family_of(column.data_type);
  if (!family)
    throw base::Failure(base::FailureKind::unsupported, "column " + table.text() + "." + column.name +
                                                            " has the type " + column.data_type +
                                                            ", which this version cannot copy; nothing was changed");
  column.family = *family;
  return column;
}

using Tables = std::map<sql::TableName, sql::Table>;

Tables base_tables(Session& session, const std::string& schemas) {
  Tables tables;
  for (const auto& row : session.query("SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE, TABLE_ROWS, DATA_LENGTH FROM"
                                       " information_schema.TABLES WHERE TABLE_TYPE='BASE TABLE' AND TABLE_SCHEMA IN " +
                                       schemas)) {
    sql::Table table;
    table.name = {*row[0], *row[1]};
    table.engine = row[2].value_or("");
    table.estimated_rows = number(row[3]);
    table.estimated_bytes = number(row[4]);
    tables.emplace(table.name, std::move(table));
  }
  return tables;
}

void add_columns(Session& session, const std::string& schemas, Tables& tables) {
  for (const auto& row : session.query(
           "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_SET_NAME, COLLATION_NAME,"
           " IS_NULLABLE, EXTRA, GENERATION_EXPRESSION FROM information_schema.COLUMNS WHERE TABLE_SCHEMA IN " +
           schemas + " ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION")) {
    const auto it = tables.find({*row[0], *row[1]});
    if (it != tables.end()) it->second.columns.push_back(column_of(it->first, row));
  }
}

void add_keys(Session& session, const std::string& schemas, Tables& tables) {
  // A functional key part has no COLUMN_NAME. 5.7 has no EXPRESSION column, so it is not asked for.
  for (const auto& row :
       session.query("SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, NON_UNIQUE, COLUMN_NAME, SUB_PART FROM"
                     " information_schema.STATISTICS WHERE TABLE_SCHEMA IN " +
                     schemas + " ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX")) {
    const auto it = tables.find({*row[0], *row[1]});
    if (it == tables.end()) continue;
    auto& keys = it->second.keys;
    if (keys.empty() || keys.back().name != *row[2]) keys.push_back({*row[2], row[3] == "0", {}});
    sql::KeyPart part;
    part.functional = !row[4];
    for (std::size_t i = 0; i < it->second.columns.size(); ++i)
      if (row[4] && it->second.columns[i].name == *row[4]) part.column = i;
    if (row[5]) part.prefix = static_cast<unsigned>(number(row[5]));
    keys.back().parts.push_back(part);
  }
}

}  // namespace

std::string in_list(const std::vector<std::string>& names) {
  std::string list = "(";
  for (const auto& name : names) list += (list.size() > 1 ? "," : "") + sql::quote_text(name);
  return names.empty() ? "(NULL)" : list + ")";
}

ServerFacts server_facts(Session& session) {
  ServerFacts facts;
  const auto row = session.query("SELECT VERSION(), @@server_uuid, @@server_id, @@global.gtid_mode").at(0);
  facts.version = row[0].value_or("");
  std::sscanf(facts.version.c_str(), "%u.%u", &facts.major, &facts.minor);
  facts.uuid = row[1].value_or("");
  facts.server_id = static_cast<std::uint32_t>(number(row[2]));
  facts.gtid_on = row[3] == "ON";
  return facts;
}

std::vector<std::string> user_schemas(Session& session) {
  std::vector<std::string> schemas;
  for (auto& row : session.query("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN"
                                 " ('mysql','information_schema','performance_schema','sys','reseal')"
                                 " ORDER BY SCHEMA_NAME"))
    schemas.push_back(row[0].value_or(""));
  return schemas;
}

std::vector<sql::Table> read_tables(Session& session, const std::vector<std::string>& schemas) {
  const auto list = in_list(schemas);
  auto tables = base_tables(session, list);
  add_columns(session, list, tables);
  add_keys(session, list, tables);
  std::vector<sql::Table> out;
  for (auto& [name, table] : tables) {
    table.create_statement = session.query("SHOW CREATE TABLE " + name.quoted()).at(0).at(1).value_or("");
    out.push_back(std::move(table));
  }
  return out;
}

sql::SourcePosition binlog_end(Session& session, const ServerFacts& facts) {
  const auto rows = session.query(facts.at_least(8, 2) ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS");
  if (rows.empty())
    throw base::Failure(base::FailureKind::refused, "the binary log of " + session.endpoint().text() + " is off");
  sql::SourcePosition position;
  position.binlog = {rows[0][0].value_or(""), number(rows[0][1])};
  if (facts.gtid_on)
    position.gtids = base::value_or_fail(sql::GtidSet::parse(rows[0].at(4).value_or("")), "SHOW BINARY LOG STATUS");
  return position;
}

sql::GtidSet gtid_executed(Session& session) {
  return base::value_or_fail(sql::GtidSet::parse(session.scalar("SELECT @@global.gtid_executed").value_or("")),
                             "gtid_executed");
}

}  // namespace reseal::mysql

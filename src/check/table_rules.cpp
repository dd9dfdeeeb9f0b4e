// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "check/rules.hpp"

namespace reseal::check {
namespace {

using sql::Column;
using sql::ColumnFamily;
using sql::Table;

/// Types whose stored value cannot be named by a literal in a WHERE clause without doubt.
bool inexact(const Column& column) {
  return column.family == ColumnFamily::json || column.family == ColumnFamily::real32 ||
         column.family == ColumnFamily::real64 || column.family == ColumnFamily::geometry;
}

bool real(const Column& column) {
  return column.family == ColumnFamily::real32 || column.family == ColumnFamily::real64;
}

void engine(const Table& table, Findings& findings) {
  if (table.engine == "InnoDB") return;
  findings.push_back({Severity::blocker, "engine", Where::source, table.name.text(),
                      "its storage engine is " + (table.engine.empty() ? std::string("not available") : table.engine),
                      "only InnoDB reads consistently while others write, rolls back, and encrypts its files",
                      "ALTER TABLE " + table.name.quoted() + " ENGINE=InnoDB"});
}

void row_key(const Table& table, Findings& findings) {
  const auto* key = table.row_key();
  if (key != nullptr) {
    for (const auto& part : key->parts)
      if (real(table.columns[part.column]))
        findings.push_back({Severity::blocker, "float-row-key", Where::source, table.name.text(),
                            "its row key " + key->name + " holds the " + table.columns[part.column].data_type +
                                " column " + table.columns[part.column].name,
                            "a floating-point value does not survive the way through text, so rows could be missed",
                            "give the table a primary key of other types, or change the column to DECIMAL"});
    return;
  }
  std::vector<std::string> unsure;
  for (const auto& column : table.columns)
    if (inexact(column) && !column.generated) unsure.push_back(column.name + " " + column.data_type);
  const std::string mend = "ALTER TABLE " + table.name.quoted() +
                           " ADD COLUMN reseal_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY INVISIBLE";
  if (!unsure.empty())
    findings.push_back({Severity::blocker, "no-row-key-inexact", Where::source, table.name.text(),
                        "it has no primary or unique not-null key, and holds " + listed(unsure),
                        "without a key a row is found by all its values, and these cannot be compared exactly", mend});
  else
    findings.push_back({Severity::warning, "no-row-key", Where::source, table.name.text(),
                        "it has no primary or unique not-null key",
                        "it is read whole under a short read lock, which holds its writers up, and followed row by row "
                        "through all columns, which is slow",
                        mend});
}

void json_version(const SourceState& source, const Table& table, Findings& findings) {
  if (source.server.facts.at_least(8, 0)) return;
  for (const auto& column : table.columns)
    if (column.family == ColumnFamily::json)
      findings.push_back({Severity::blocker, "json-version", Where::source, table.name.text() + "." + column.name,
                          "a JSON column on MySQL " + source.server.version,
                          "documents are taken apart with JSON_TABLE, which MySQL has from 8.0 on",
                          "upgrade the source to 8.0 first, or leave the schema out"});
}

/// One note for all tables that show `shows`, since a schema may have thousands.
template <typename Predicate>
void note_tables(const SourceState& source, const char* code, const char* what, const char* why, Predicate shows,
                 Findings& findings) {
  std::vector<std::string> names;
  for (const auto& table : source.tables)
    if (shows(table)) names.push_back(table.name.text());
  if (names.empty()) return;
  findings.push_back({Severity::note, code, Where::source,
                      std::to_string(names.size()) + (names.size() == 1 ? " table" : " tables"), what + listed(names),
                      why, ""});
}

bool any_column(const Table& table, bool Column::*flag) {
  return std::any_of(table.columns.begin(), table.columns.end(), [&](const Column& column) { return column.*flag; });
}

bool functional_key(const Table& table) {
  return std::any_of(table.keys.begin(), table.keys.end(), [](const sql::Key& key) {
    return std::any_of(key.parts.begin(), key.parts.end(), [](const sql::KeyPart& part) { return part.functional; });
  });
}

/// A clause of SHOW CREATE TABLE that points outside of the schema's own folder. The options follow the last
/// parenthesis of the column list, so a column's comment cannot be mistaken for one.
bool placed_elsewhere(const Table& table) {
  const auto options =
      table.create_statement.substr(std::min(table.create_statement.rfind("\n)"), table.create_statement.size()));
  return options.find(" TABLESPACE ") != std::string::npos || options.find("DATA DIRECTORY") != std::string::npos;
}

}  // namespace

void table_rules(const SourceState& source, Findings& findings) {
  for (const auto& schema : source.missing_schemas)
    findings.push_back({Severity::blocker, "schema-missing", Where::source, schema,
                        "the source has no such schema, or the account may not see it",
                        "it was asked for and would silently be left out", "correct the list of schemas"});
  for (const auto& unknown : source.unknown_columns)
    findings.push_back({Severity::blocker, "column-type-unknown", Where::source,
                        unknown.table.text() + "." + unknown.column, "its type is " + unknown.data_type,
                        "a type we do not know cannot be copied or compared exactly; the schema's other tables were "
                        "not looked at",
                        "change the column's type, or leave the schema out"});
  for (const auto& table : source.tables) {
    engine(table, findings);
    row_key(table, findings);
    json_version(source, table, findings);
  }
  note_tables(
      source, "generated-columns", "with generated columns: ", "the target computes them again",
      [](const Table& table) { return any_column(table, &Column::generated); }, findings);
  note_tables(
      source, "invisible-columns", "with invisible columns: ", "they are copied by name",
      [](const Table& table) { return any_column(table, &Column::invisible); }, findings);
  note_tables(source, "functional-indexes", "with indexes on expressions: ", "the target computes them again",
              functional_key, findings);
  note_tables(source, "placed-elsewhere", "in a general tablespace or a folder of their own: ",
              "on the target each becomes an encrypted file in its schema's folder", placed_elsewhere, findings);
}

}  // namespace reseal::check

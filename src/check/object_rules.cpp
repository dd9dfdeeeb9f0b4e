// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "check/rules.hpp"
#include "sql/quote.hpp"

namespace reseal::check {
namespace {

bool changes_rows(const std::string& rule) { return rule == "CASCADE" || rule == "SET NULL" || rule == "SET DEFAULT"; }

/// From 9.6 the server itself runs cascades and logs their rows, unless innodb_native_foreign_keys hands them back to
/// InnoDB, which logs nothing (seen on 9.7: OFF by default, read-only at run time).
bool cascades_are_logged(const ServerState& server) {
  return server.facts.at_least(9, 6) && !server.is("innodb_native_foreign_keys", "ON");
}

void foreign_keys(const SourceState& source, Findings& findings) {
  std::vector<std::string> logged;
  for (const auto& key : source.foreign_keys) {
    const auto subject = key.table.text() + "." + key.name;
    if (std::find(source.schemas.begin(), source.schemas.end(), key.referenced_schema) == source.schemas.end())
      findings.push_back(
          {Severity::blocker, "foreign-key-outside", Where::source, subject,
           "it refers to " + key.referenced_schema + "." + key.referenced_table + ", which is not part of the move",
           "the referenced rows would be missing on the target", "move that schema too"});
    if (!changes_rows(key.update_rule) && !changes_rows(key.delete_rule)) continue;
    if (cascades_are_logged(source.server)) {
      logged.push_back(subject);
      continue;
    }
    const bool native = source.server.is("innodb_native_foreign_keys", "ON");
    findings.push_back(
        {Severity::blocker, "foreign-key-cascade", Where::source, subject,
         "ON UPDATE " + key.update_rule + " ON DELETE " + key.delete_rule,
         "this server writes the rows that a cascade changes into no binary log, so they cannot be followed",
         native ? "restart the source with innodb_native_foreign_keys=OFF"
                : "ALTER TABLE " + key.table.quoted() + " DROP FOREIGN KEY " + sql::quote_name(key.name) +
                      " and add it again with RESTRICT, or take a way that follows by native replication"});
  }
  if (!logged.empty())
    findings.push_back({Severity::note, "foreign-key-cascade", Where::source,
                        std::to_string(logged.size()) + (logged.size() == 1 ? " foreign key" : " foreign keys"),
                        "with cascading rules: " + listed(logged),
                        "this server logs the rows that a cascade changes, so they are followed", ""});
}

void note_objects(const std::vector<NamedObject>& objects, const char* code, const char* noun, const char* why,
                  Findings& findings) {
  if (objects.empty()) return;
  std::vector<std::string> names;
  for (const auto& object : objects) names.push_back(object.schema + "." + object.name + " (" + object.detail + ")");
  findings.push_back(
      {Severity::note, code, Where::source, std::to_string(names.size()) + " " + noun, listed(names), why, ""});
}

/// What a schema change tool adds to the name of the table `x` it works on.
struct ShadowName {
  const char* prefix;
  const char* suffix;
  const char* tool;
  bool leftover;
};
constexpr ShadowName shadow_names[] = {
    {"_", "_gho", "gh-ost", false},    {"_", "_ghc", "gh-ost", false}, {"_", "_new", "pt-online-schema-change", false},
    {"_", "_chkpnt", "Spirit", false}, {"_", "_del", "gh-ost", true},  {"_", "_old", "pt-online-schema-change", true}};

void schema_changes(const SourceState& source, Findings& findings) {
  std::set<sql::TableName> names;
  for (const auto& table : source.tables) names.insert(table.name);
  for (const auto& name : names)
    for (const auto& shadow : shadow_names) {
      const std::string shadowed = shadow.prefix + name.name + shadow.suffix;
      if (!names.contains({name.schema, shadowed})) continue;
      if (shadow.leftover)
        findings.push_back({Severity::warning, "schema-change-leftover", Where::source, name.schema + "." + shadowed,
                            std::string("it looks like what ") + shadow.tool + " leaves behind of " + name.text(),
                            "it would be copied too", "drop it if it is not needed"});
      else
        findings.push_back({Severity::blocker, "schema-change-running", Where::source, name.schema + "." + shadowed,
                            std::string("it looks like ") + shadow.tool + " at work on " + name.text(),
                            "the tool swaps tables under the copy, and the run would have to start again",
                            "let the schema change end, then drop what it left"});
    }
  for (const auto& trigger : source.triggers)
    if (trigger.name.starts_with("pt_osc_"))
      findings.push_back({Severity::blocker, "schema-change-running", Where::source,
                          trigger.schema + "." + trigger.name,
                          "a trigger of pt-online-schema-change on " + trigger.detail,
                          "the tool swaps tables under the copy, and the run would have to start again",
                          "let the schema change end, or drop the trigger if the tool is gone"});
}

}  // namespace

void object_rules(const SourceState& source, Findings& findings) {
  foreign_keys(source, findings);
  schema_changes(source, findings);
  note_objects(source.triggers, "triggers", "trigger(s)", "they are created at the switch, so that nothing fires twice",
               findings);
  note_objects(source.events, "events", "event(s)",
               "they are created at the switch; a one-time event that is due before it runs on the source only",
               findings);
}

}  // namespace reseal::check

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>

#include "check/rules.hpp"

namespace reseal::check {
namespace {

/// A setting that should be the same on both sides.
struct SameValue {
  const char* variable;
  Severity severity;
  const char* code;
  const char* why;
  bool can_be_set;  ///< at run time; else it takes a configuration change and a restart
};

constexpr std::array same_values = {
    SameValue{"lower_case_table_names", Severity::blocker, "lower-case-table-names",
              "table names would mean other tables; it can only be chosen when a server is initialised", false},
    SameValue{"sql_mode", Severity::warning, "sql-mode", "statements that work today may fail or mean something else",
              true},
    SameValue{"time_zone", Severity::warning, "time-zone", "NOW() and TIMESTAMP columns would read differently", true},
    SameValue{"system_time_zone", Severity::warning, "system-time-zone",
              "with time_zone=SYSTEM, NOW() and TIMESTAMP columns would read differently", false},
    SameValue{"character_set_server", Severity::warning, "character-set-server",
              "schemas created after the switch would get another character set", true},
    SameValue{"collation_server", Severity::warning, "collation-server",
              "schemas created after the switch would sort and compare differently", true},
    SameValue{"default_collation_for_utf8mb4", Severity::warning, "default-collation-utf8mb4",
              "text with CHARSET utf8mb4 and no collation would compare differently", true},
    SameValue{"explicit_defaults_for_timestamp", Severity::warning, "explicit-defaults-for-timestamp",
              "TIMESTAMP columns created after the switch would get other defaults", true},
    SameValue{"innodb_page_size", Severity::warning, "innodb-page-size",
              "row and index size limits depend on it: a table of the source may not fit", false},
    SameValue{"innodb_strict_mode", Severity::warning, "innodb-strict-mode",
              "a table that the source accepted may be refused", true},
    SameValue{"transaction_isolation", Severity::warning, "transaction-isolation", "transactions would see other rows",
              true},
    SameValue{"default_storage_engine", Severity::warning, "default-storage-engine",
              "tables created after the switch would be of another engine", true},
    SameValue{"event_scheduler", Severity::note, "event-scheduler", "events would start or stop running at the switch",
              true},
    SameValue{"group_concat_max_len", Severity::warning, "group-concat-max-len",
              "GROUP_CONCAT would cut its result at another length", true},
    SameValue{"auto_increment_increment", Severity::warning, "auto-increment-increment",
              "numbers would be given out in other steps", true},
    SameValue{"log_bin_trust_function_creators", Severity::warning, "trust-function-creators",
              "stored functions may be refused on the target", true},
};

void same(const ServerState& source, const ServerState& target, const SameValue& rule, Findings& findings) {
  const auto here = source.variable(rule.variable);
  const auto there = target.variable(rule.variable);
  if (!here || !there || *here == *there) return;
  findings.push_back({rule.severity, rule.code, Where::both, rule.variable,
                      fmt::format("'{}' on the source, '{}' on the target", *here, *there), rule.why,
                      rule.can_be_set
                          ? fmt::format("on the target: SET PERSIST {}='{}'", rule.variable, *here)
                          : fmt::format("start (or initialise) the target with {}={}", rule.variable, *here)});
}

void packets(const ServerState& source, const ServerState& target, Findings& findings) {
  const auto here = source.number("max_allowed_packet").value_or(0);
  const auto there = target.number("max_allowed_packet").value_or(0);
  if (there >= here) return;
  findings.push_back({Severity::blocker, "max-allowed-packet", Where::target, "max_allowed_packet",
                      fmt::format("{} on the source, only {} on the target", here, there),
                      "a row the source accepted could not be written to the target",
                      fmt::format("SET PERSIST max_allowed_packet={}", here)});
}

void collations(const SourceState& source, const TargetState& target, Findings& findings) {
  // Empty means that they could not be read, which is a finding of its own.
  if (target.collations.empty()) return;
  for (const auto& collation : source.collations) {
    // 8.0.30 renamed utf8_… to utf8mb3_…; the target reads the old name in a CREATE statement.
    const auto renamed = collation.starts_with("utf8_") ? "utf8mb3_" + collation.substr(5) : collation;
    if (target.collations.contains(collation) || target.collations.contains(renamed)) continue;
    findings.push_back({Severity::blocker, "collation-missing", Where::target, collation,
                        "the source uses this collation and the target does not have it",
                        "the table could not be created there", "use a newer target, or convert the columns first"});
  }
}

void login_plugins(const SourceState& source, const TargetState& target, Findings& findings) {
  if (target.login_plugins.empty()) return;
  for (const auto& [plugin, accounts] : source.login_plugins) {
    if (target.login_plugins.contains(plugin)) continue;
    findings.push_back({Severity::blocker, "login-plugin-missing", Where::target, plugin,
                        "these accounts log in with it and the target does not have it: " + listed(accounts),
                        "they could not log in after the switch",
                        "install the plugin on the target, or on the source ALTER USER … IDENTIFIED WITH "
                        "caching_sha2_password, or lock the accounts"});
  }
}

void functions(const SourceState& source, Findings& findings) {
  for (const auto& [function, users] : source.uses)
    if (!users.empty())
      findings.push_back({Severity::warning, "function-missing", Where::target, function + "()",
                          "the target does not have it, and it seems to be called by " + listed(users),
                          "these objects could not be created or used there; applications may call it too",
                          "INSTALL COMPONENT 'file://component_classic_hashing' on the target, or change them"});
}

}  // namespace

void pair_rules(const SourceState& source, const TargetState& target, Findings& findings) {
  for (const auto& rule : same_values) same(source.server, target.server, rule, findings);
  packets(source.server, target.server, findings);
  collations(source, target, findings);
  login_plugins(source, target, findings);
  functions(source, findings);
}

}  // namespace reseal::check

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "check/rules.hpp"
#include "sql/quote.hpp"

namespace reseal::check {
namespace {

enum class Scope { server, schemas, own_schema, system_schemas };

/// A privilege one side needs. `since` and `until` are versions as 100 * major + minor; `until` is exclusive.
struct Need {
  Scope scope;
  const char* privilege;
  unsigned since;
  unsigned until;
  Severity severity;
};
constexpr unsigned always = 0;
constexpr unsigned open_end = 10000;
constexpr auto block = Severity::blocker;
constexpr auto warn = Severity::warning;

const std::vector<std::string> own_schema = {"reseal"};
// Accounts and their attributes; what living sessions have set, which sessions are ours, the state of the keyring.
const std::vector<std::string> system_schemas = {"mysql", "performance_schema"};

constexpr std::array source_needs = {
    Need{Scope::schemas, "SELECT", always, open_end, block},
    Need{Scope::schemas, "SHOW VIEW", always, open_end, block},
    Need{Scope::schemas, "TRIGGER", always, open_end, block},
    Need{Scope::schemas, "EVENT", always, open_end, block},
    Need{Scope::schemas, "LOCK TABLES", always, open_end, block},
    Need{Scope::server, "PROCESS", always, open_end, block},
    Need{Scope::server, "REPLICATION SLAVE", always, open_end, block},
    Need{Scope::server, "REPLICATION CLIENT", always, open_end, block},
    Need{Scope::server, "SUPER", always, 800, block},
    Need{Scope::server, "SHOW_ROUTINE", 800, open_end, block},
    Need{Scope::server, "SYSTEM_VARIABLES_ADMIN", 800, open_end, block},
    Need{Scope::server, "CONNECTION_ADMIN", 800, open_end, block},
    Need{Scope::server, "XA_RECOVER_ADMIN", 800, open_end, block},
    Need{Scope::own_schema, "CREATE", always, open_end, block},
    Need{Scope::own_schema, "SELECT", always, open_end, block},
    Need{Scope::own_schema, "INSERT", always, open_end, block},
    Need{Scope::own_schema, "UPDATE", always, open_end, block},
    Need{Scope::own_schema, "DELETE", always, open_end, block},
    Need{Scope::system_schemas, "SELECT", always, open_end, block},
};

constexpr std::array target_schema_needs = {
    "SELECT",      "INSERT",    "UPDATE",         "DELETE",        "CREATE", "DROP",    "ALTER",      "INDEX",
    "CREATE VIEW", "SHOW VIEW", "CREATE ROUTINE", "ALTER ROUTINE", "EVENT",  "TRIGGER", "REFERENCES", "LOCK TABLES"};

constexpr std::array target_needs = {
    Need{Scope::server, "CREATE USER", always, open_end, block},
    Need{Scope::server, "PROCESS", always, open_end, block},
    Need{Scope::server, "REPLICATION CLIENT", always, open_end, block},
    Need{Scope::server, "SYSTEM_VARIABLES_ADMIN", 800, open_end, block},
    Need{Scope::server, "SESSION_VARIABLES_ADMIN", 800, open_end, block},
    Need{Scope::server, "CONNECTION_ADMIN", 800, open_end, block},
    Need{Scope::server, "ROLE_ADMIN", 800, open_end, block},
    Need{Scope::server, "SET_USER_ID", 800, 802, block},
    Need{Scope::server, "SET_ANY_DEFINER", 802, open_end, block},
    Need{Scope::server, "ALLOW_NONEXISTENT_DEFINER", 802, open_end, warn},
    Need{Scope::system_schemas, "SELECT", always, open_end, block},
};

// While the target serves, the source follows it (rows are written there), a rollback makes triggers, events and
// counters there, and finish drops our tables.
constexpr std::array way_back_source_needs = {
    Need{Scope::schemas, "INSERT", always, open_end, warn}, Need{Scope::schemas, "UPDATE", always, open_end, warn},
    Need{Scope::schemas, "DELETE", always, open_end, warn}, Need{Scope::schemas, "CREATE", always, open_end, warn},
    Need{Scope::schemas, "ALTER", always, open_end, warn},  Need{Scope::own_schema, "DROP", always, open_end, warn},
};
// Only where there are triggers and events, which are dropped and made again as their definers'. To drop what an
// account with SYSTEM_USER defines takes SYSTEM_USER (error 1227, seen on 9.7).
constexpr std::array definer_needs = {
    Need{Scope::server, "SYSTEM_USER", 800, open_end, warn},
    Need{Scope::server, "SET_USER_ID", 800, 802, warn},
    Need{Scope::server, "SET_ANY_DEFINER", 802, open_end, warn},
    Need{Scope::server, "ALLOW_NONEXISTENT_DEFINER", 802, open_end, warn},
};
constexpr std::array way_back_target_needs = {
    Need{Scope::server, "REPLICATION SLAVE", always, open_end, warn},
    Need{Scope::server, "XA_RECOVER_ADMIN", 800, open_end, warn},
};

/// What a missing privilege means.
struct Purpose {
  const char* code;
  const char* why;
};
constexpr Purpose the_move = {"privilege-missing", "the run would stop where it first needs it"};
constexpr Purpose the_way_back = {
    "privilege-missing-for-the-way-back",
    "the switch goes through without it, and there is no following back, no rollback or no"
    " clean finish after it"};

/// Collects what is missing, to be told as one finding and one GRANT per place.
class Missing {
 public:
  Missing(const ServerState& server, const Purpose& purpose) : server_(server), purpose_(purpose) {}

  void need(const Need& need, const std::vector<std::string>& schemas) {
    const auto version = 100 * server_.facts.major + server_.facts.minor;
    if (version < need.since || version >= need.until) return;
    if (need.scope == Scope::server) {
      if (!server_.privileges.has(need.privilege)) add(need.severity, "", need.privilege);
      return;
    }
    const auto& places = need.scope == Scope::schemas      ? schemas
                         : need.scope == Scope::own_schema ? own_schema
                                                           : system_schemas;
    for (const auto& schema : places)
      if (!server_.privileges.has_on(need.privilege, schema)) add(need.severity, schema, need.privilege);
  }

  void tell(Findings& findings) const {
    for (const auto& [place, privileges] : missing_) {
      const auto& [severity, schema] = place;
      const auto on = schema.empty() ? std::string("*.*") : sql::quote_name(schema) + ".*";
      findings.push_back({severity, purpose_.code, server_.where, server_.account,
                          "the account lacks " + listed(privileges, 100) + " on " + on, purpose_.why,
                          fmt::format("GRANT {} ON {} TO {}", listed(privileges, 100), on, quoted_account())});
    }
  }

 private:
  void add(Severity severity, const std::string& schema, const char* privilege) {
    missing_[{severity, schema}].emplace_back(privilege);
  }
  std::string quoted_account() const {
    const auto at = server_.account.rfind('@');
    if (at == std::string::npos) return sql::quote_text(server_.account);
    return sql::quote_text(server_.account.substr(0, at)) + "@" + sql::quote_text(server_.account.substr(at + 1));
  }

  const ServerState& server_;
  Purpose purpose_;
  std::map<std::pair<Severity, std::string>, std::vector<std::string>> missing_;
};

}  // namespace

void privilege_rules(const SourceState& source, const TargetState& target, Findings& findings) {
  Missing on_source(source.server, the_move);
  for (const auto& need : source_needs) on_source.need(need, source.schemas);
  on_source.tell(findings);

  Missing back_on_source(source.server, the_way_back);
  for (const auto& need : way_back_source_needs) back_on_source.need(need, source.schemas);
  if (!source.triggers.empty() || !source.events.empty())
    for (const auto& need : definer_needs) back_on_source.need(need, {});
  back_on_source.tell(findings);

  if (!source.triggers.empty() && source.server.is("log_bin", "ON") &&
      !source.server.is("log_bin_trust_function_creators", "ON") && !source.server.privileges.has("SUPER"))
    findings.push_back({Severity::warning, "triggers-for-the-way-back", Where::source,
                        "log_bin_trust_function_creators", "it is OFF, the account lacks SUPER, and there are triggers",
                        "a rollback could not make the triggers again, and would be given up (error 1419)",
                        "SET GLOBAL log_bin_trust_function_creators=1"});

  Missing back_on_target(target.server, the_way_back);
  for (const auto& need : way_back_target_needs) back_on_target.need(need, {});
  back_on_target.tell(findings);

  Missing on_target(target.server, the_move);
  for (const auto* privilege : target_schema_needs) {
    on_target.need({Scope::schemas, privilege, always, open_end, block}, source.schemas);
    on_target.need({Scope::own_schema, privilege, always, open_end, block}, {});
  }
  for (const auto& need : target_needs) on_target.need(need, {});
  on_target.tell(findings);
  if (!target.server.privileges.may_grant())
    findings.push_back({Severity::blocker, "privilege-missing", Where::target, target.server.account,
                        "the account lacks GRANT OPTION on *.*",
                        "accounts and their privileges cannot be carried over without it",
                        "repeat its GRANT on *.* with WITH GRANT OPTION"});
}

}  // namespace reseal::check

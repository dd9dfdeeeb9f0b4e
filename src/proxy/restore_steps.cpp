// SPDX-License-Identifier: Apache-2.0
#include "proxy/restore_steps.hpp"

#include <map>
#include <utility>

namespace reseal::proxy {
namespace {

// Statements by the schema that they were prepared under; the empty one is none at all.
using BySchema = std::map<std::string, std::vector<RestoreStep>>;

std::string statement_not_carried_because(const OpenStatement& statement) {
  if (!statement.text) return "it has a prepared statement that is too long to be kept";
  if (statement.cursor_open) return "it has an open cursor";
  if (statement.long_data_pending) return "it has sent a part of a statement's parameters";
  if (!statement.types_readable) return "it has a prepared statement whose parameters cannot be told";
  return {};
}

std::string sort_by_schema(const WholeState& wanted, const OpenStatements& statements, BySchema& sorted) {
  if (!statements.empty() && wanted.schema_changes != wanted.schema_changes_seen)
    return "it has prepared statements, and it cannot be told under which schema";
  for (const auto& [id, statement] : statements.all()) {
    if (auto why = statement_not_carried_because(statement); !why.empty()) return why;
    if (!statement.schema && wanted.schema_changes > 0)
      return "it has prepared statements, and it cannot be told under which schema";
    const auto schema = statement.schema.value_or(wanted.session.schema.value_or(""));
    if (!is_ascii(schema)) return "its schema has letters beyond ASCII";
    sorted[schema].push_back(
        {RestoreStep::Kind::prepare, *statement.text, id, statement.parameters, statement.columns});
  }
  return {};
}

}  // namespace

RestoreSteps restore_steps(const SessionState& fresh, const WholeState& wanted, const OpenStatements& statements,
                           double now) {
  RestoreSteps plan;
  const auto session = plan_restore(fresh, wanted.session, now);
  plan.impossible_because = session.impossible_because;
  BySchema sorted;
  if (plan.impossible_because.empty()) plan.impossible_because = sort_by_schema(wanted, statements, sorted);
  if (!plan.impossible_because.empty()) return plan;
  const auto run = [&plan](const std::string& text) {
    if (!text.empty()) plan.steps.push_back({RestoreStep::Kind::run, text});
  };
  const auto use = [&](const std::string& statement) {
    run(statement);
    if (!statement.empty()) ++plan.schema_changes;
  };
  const auto schema = wanted.session.schema.value_or("");
  run(session.roles);
  if (!sorted.empty()) {
    // They are prepared in the session's own mode and character sets. Those without a schema come first: there is no
    // way back to none.
    run(session.variables);
    if (!wanted.user_variables.empty()) run(set_user_variables(wanted.user_variables));
    for (auto& [under, steps] : sorted) {
      if (!under.empty()) use(use_statement(under));
      for (const auto& step : steps) plan.schema_of[step.statement] = under;
      std::move(steps.begin(), steps.end(), std::back_inserter(plan.steps));
    }
    if (schema.empty() && !sorted.rbegin()->first.empty())
      plan.impossible_because = "it has prepared statements of a schema, and is in none";
    use(schema.empty() ? std::string() : use_statement(schema));
  } else {
    use(session.schema);
  }
  run(session.variables);
  if (!wanted.user_variables.empty()) run(set_user_variables(wanted.user_variables));
  return plan;
}

}  // namespace reseal::proxy

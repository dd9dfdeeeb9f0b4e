// SPDX-License-Identifier: Apache-2.0
#include "provision/table_settings.hpp"

#include <utility>
#include <vector>

#include "base/failure.hpp"
#include "sql/quote.hpp"

namespace reseal::provision {
namespace {

using base::Failure;
using base::FailureKind;
using mysql::Session;
using Settings = std::vector<std::pair<std::string, std::string>>;

std::string statement(const Settings& settings) {
  std::string text;
  for (const auto& [name, value] : settings)
    text += (text.empty() ? "SET SESSION " : ", ") + name + "=" + sql::quote_text(value);
  return text;
}

// The session's present values of those settings that the server has and that differ from what is wanted.
Settings to_change(Session& session, const Settings& wanted) {
  Settings present;
  for (const auto& [name, value] : wanted)
    for (const auto& row : session.query("SHOW SESSION VARIABLES LIKE " + sql::quote_text(name)))
      if (row[0] == name && row[1] != value) present.emplace_back(name, row[1].value_or(""));
  return present;
}

Settings only(const Settings& wanted, const Settings& names) {
  Settings chosen;
  for (const auto& setting : wanted)
    for (const auto& name : names)
      if (setting.first == name.first) chosen.push_back(setting);
  return chosen;
}

void run_then_restore(Session& session, const Settings& before, const std::function<void()>& body) {
  try {
    body();
  } catch (const Failure& failure) {
    if (failure.kind() != FailureKind::transient && !before.empty()) session.execute(statement(before));
    throw;
  }
  if (!before.empty()) session.execute(statement(before));
}

}  // namespace

void with_table_settings(Session& target, const std::function<void()>& body, const std::string& utf8mb4_collation) {
  Settings wanted = {{"sql_generate_invisible_primary_key", "OFF"},
                     {"sql_require_primary_key", "OFF"},
                     {"explicit_defaults_for_timestamp", "ON"}};
  if (!utf8mb4_collation.empty()) wanted.emplace_back("default_collation_for_utf8mb4", utf8mb4_collation);
  const auto before = to_change(target, wanted);
  if (!before.empty()) target.execute(statement(only(wanted, before)));
  run_then_restore(target, before, body);
}

void with_free_foreign_keys(Session& target, const std::function<void()>& body) {
  const Settings wanted = {{"restrict_fk_on_non_standard_key", "OFF"}};
  auto before = to_change(target, wanted);
  try {
    if (!before.empty()) target.execute(statement(wanted));
  } catch (const Failure& failure) {
    if (failure.kind() == FailureKind::transient) throw;
    before.clear();
  }
  run_then_restore(target, before, body);
}

}  // namespace reseal::provision

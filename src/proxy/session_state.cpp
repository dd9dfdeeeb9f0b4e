// SPDX-License-Identifier: Apache-2.0
#include "proxy/session_state.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <set>

namespace reseal::proxy {
namespace {

constexpr double set_by_client_seconds = 60;
constexpr std::string_view canary = "reseal";

// Read-only, or another name of one that is carried, or no state: they tell of the statement before, or nothing at all.
constexpr std::array<std::string_view, 13> not_state = {
    "error_count",      "warning_count", "external_user", "proxy_user",   "identity",
    "pseudo_thread_id", "rand_seed1",    "rand_seed2",    "statement_id", "pseudo_slave_mode",
    "gtid_executed",    "gtid_owned",    "gtid_purged"};

bool is_state(std::string_view name) { return std::find(not_state.begin(), not_state.end(), name) == not_state.end(); }

bool is_number(std::string_view value) {
  if (value.empty()) return false;
  const auto digits = value.substr(value.front() == '-' ? 1 : 0);
  return !digits.empty() && digits.find_first_not_of("0123456789.") == std::string_view::npos &&
         std::count(digits.begin(), digits.end(), '.') <= 1;
}

std::string literal(const std::optional<std::string>& value) {
  if (!value) return "NULL";
  return is_number(*value) ? *value : bytes_literal("utf8mb4", *value);
}

// A point in time that moves on is the server's clock, and one that stands is the client's.
bool clock_runs(const std::string& timestamp, double now) {
  return std::abs(std::strtod(timestamp.c_str(), nullptr) - now) < set_by_client_seconds;
}

// Where a character set is ASCII's kin, ASCII is the same in all of them, and what is beyond it depends on settings
// that the two sessions need not share.
std::string unreadable_because(const SessionState& state) {
  if (!is_ascii(state.roles) || !is_ascii(state.schema.value_or("")))
    return "its schema or a role has letters beyond ASCII";
  for (const auto& [name, value] : state.variables) {
    if (!is_ascii(value.value_or(""))) return "the value of " + name + " has letters beyond ASCII";
    // Carried, it would be a transaction id that the other server waits for.
    if (name == "gtid_next" && value != "AUTOMATIC") return "it has set gtid_next";
  }
  return {};
}

void append_values(std::string& query, std::string_view scope, const std::vector<std::string>& names) {
  for (const auto& name : names) query.append(query.back() == ' ' ? "" : ",").append(scope).append(name);
  query += " LIMIT 1";  // over the session's own sql_select_limit
}

}  // namespace

void VariableNames::keep_common(const VariableNames& others) {
  const std::set<std::string_view> there(others.all.begin(), others.all.end());
  const std::set<std::string_view> global_there(others.global.begin(), others.global.end());
  std::erase_if(all, [&](const auto& name) { return there.count(name) == 0; });
  std::erase_if(global, [&](const auto& name) { return global_there.count(name) == 0; });
}

VariableNames read_names(const Rows& rows) {
  VariableNames names;
  for (const auto& row : rows) {
    if (row.size() != 2 || !row[0] || !is_state(*row[0])) continue;
    names.all.push_back(*row[0]);
    if (row[1] == "1") names.global.push_back(*row[0]);
  }
  return names;
}

std::string_view names_query() {
  return "SELECT s.VARIABLE_NAME, g.VARIABLE_NAME IS NOT NULL FROM performance_schema.session_variables s"
         " LEFT JOIN performance_schema.global_variables g ON g.VARIABLE_NAME = s.VARIABLE_NAME"
         " LIMIT 1000000";  // over the session's own sql_select_limit
}

std::string state_query(const VariableNames& names) {
  auto query = "SELECT '" + std::string(canary) + "',DATABASE(),CURRENT_ROLE()";
  append_values(query, "@@session.", names.all);
  return query;
}

bool read_state(const Rows& rows, const VariableNames& names, SessionState& state) {
  constexpr std::size_t ahead = 3;
  if (rows.size() != 1 || rows[0].size() != ahead + names.all.size() || rows[0][0] != canary) return false;
  state.schema = rows[0][1];
  state.roles = rows[0][2].value_or("NONE");
  for (std::size_t i = 0; i < names.all.size(); ++i) state.variables[names.all[i]] = rows[0][ahead + i];
  return true;
}

std::string globals_query(const VariableNames& names) {
  std::string query = "SELECT ";
  append_values(query, "@@global.", names.global);
  return query;
}

void leave_what_is_given(SessionState& state, const VariableNames& names, const Rows& rows) {
  if (rows.size() != 1 || rows[0].size() != names.global.size()) return;
  for (std::size_t i = 0; i < names.global.size(); ++i) {
    const auto found = state.variables.find(names.global[i]);
    if (found != state.variables.end() && found->second == rows[0][i]) state.variables.erase(found);
  }
}

bool read_schema_changes(const Rows& rows, std::uint64_t& count) {
  if (rows.size() != 1 || rows[0].size() != 2 || !is_number(rows[0][1].value_or(""))) return false;
  count = std::strtoull(rows[0][1]->c_str(), nullptr, 10);
  return true;
}

RestorePlan plan_restore(const SessionState& fresh, const SessionState& wanted, double now) {
  RestorePlan plan;
  plan.impossible_because = unreadable_because(wanted);
  if (!plan.impossible_because.empty()) return plan;
  if (wanted.roles != fresh.roles) plan.roles = "SET ROLE " + wanted.roles;
  if (wanted.schema && wanted.schema != fresh.schema) plan.schema = use_statement(*wanted.schema);
  const auto set = [&plan](const std::string& name, const std::string& value) {
    plan.variables += (plan.variables.empty() ? "SET SESSION " : ",SESSION ") + name + "=" + value;
  };
  for (const auto& [name, value] : wanted.variables) {
    const auto there = fresh.variables.find(name);
    if (name == "timestamp") {
      if (value && !clock_runs(*value, now)) set(name, *value);
    } else if (there == fresh.variables.end() || there->second != value) {
      set(name, literal(value));
    }
  }
  // What the new server gives to this session alone, and the client has not: its own default for the one.
  for (const auto& [name, value] : fresh.variables)
    if (name != "timestamp" && wanted.variables.count(name) == 0) set(name, "DEFAULT");
  return plan;
}

std::string use_statement(std::string_view schema) {
  std::string statement = "USE `";
  for (const char c : schema) statement.append(c == '`' ? 2 : 1, c);
  return statement + "`";
}

std::string bytes_literal(std::string_view character_set, std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  auto out = "_" + std::string(character_set) + (text.empty() ? " ''" : " 0x");
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

bool is_ascii(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace reseal::proxy

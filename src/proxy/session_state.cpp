// SPDX-License-Identifier: Apache-2.0
#include "proxy/session_state.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

namespace reseal::proxy {
namespace {

// performance_schema shows so many characters of a value (table session_variables).
constexpr std::size_t shown_characters = 1024;
constexpr double set_by_client_seconds = 60;

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

// Hexadecimal: right under every sql_mode and character set of the session.
std::string text_literal(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out = "_utf8mb4 0x";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return text.empty() ? std::string("''") : out;
}

std::string literal(const std::string& name, const std::string& value) {
  if (is_number(value)) return value;
  // A character set that is not there is NULL, which is shown as an empty text.
  if (value.empty() && name == "character_set_results") return "NULL";
  return text_literal(value);
}

// A point in time that moves on is the server's clock, and one that stands is the client's.
bool clock_runs(const std::string& timestamp, double now) {
  return std::abs(std::strtod(timestamp.c_str(), nullptr) - now) < set_by_client_seconds;
}

// Every session has a clock. Without it the rows came in a character set that is not ASCII's kin, as utf16. Where it
// is, ASCII is the same in all of them, and what is beyond it depends on settings that the two sessions need not share.
std::string unreadable_because(const SessionState& state) {
  const auto plain = [](std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  };
  if (state.variables.count("timestamp") == 0) return "its variables cannot be read in its character set";
  if (!plain(state.roles) || !plain(state.schema.value_or(""))) return "its schema or a role has letters beyond ASCII";
  for (const auto& [name, value] : state.variables) {
    if (!is_state(name)) continue;
    if (!plain(value)) return "the value of " + name + " has letters beyond ASCII";
    if (value.size() >= shown_characters) return "the value of " + name + " is too long to be read";
    // Carried, it would be a transaction id that the other server waits for.
    if (name == "gtid_next" && value != "AUTOMATIC") return "it has set gtid_next";
  }
  return {};
}

}  // namespace

std::string_view variables_query() {
  return "SELECT s.VARIABLE_NAME, s.VARIABLE_VALUE FROM performance_schema.session_variables s"
         " LEFT JOIN performance_schema.global_variables g ON g.VARIABLE_NAME = s.VARIABLE_NAME"
         " WHERE NOT (s.VARIABLE_VALUE COLLATE utf8mb4_bin <=> g.VARIABLE_VALUE COLLATE utf8mb4_bin)"
         " LIMIT 1000000";  // over the session's own sql_select_limit
}

std::string_view all_variables_query() {
  return "SELECT VARIABLE_NAME, VARIABLE_VALUE FROM performance_schema.session_variables LIMIT 1000000";
}

void leave_what_is_given(SessionState& state, const std::map<std::string, std::string>& globals) {
  std::erase_if(state.variables, [&](const auto& variable) {
    const auto given = globals.find(variable.first);
    return given != globals.end() && given->second == variable.second;
  });
}

std::string_view place_query() { return "SELECT DATABASE(), CURRENT_ROLE()"; }

void read_variables(const Rows& rows, SessionState& state) {
  for (const auto& row : rows)
    if (row.size() == 2 && row[0]) state.variables[*row[0]] = row[1].value_or("");
}

void read_place(const Rows& rows, SessionState& state) {
  if (rows.size() != 1 || rows[0].size() != 2) return;
  state.schema = rows[0][0];
  state.roles = rows[0][1].value_or("NONE");
}

RestorePlan plan_restore(const SessionState& fresh, const SessionState& wanted, double now) {
  RestorePlan plan;
  plan.impossible_because = unreadable_because(wanted);
  if (!plan.impossible_because.empty()) return plan;
  // Roles first, for what follows may need their rights; the schema before the variables that it sets.
  if (wanted.roles != fresh.roles) plan.statements.push_back("SET ROLE " + wanted.roles);
  if (wanted.schema && wanted.schema != fresh.schema) {
    std::string quoted;
    for (const char c : *wanted.schema) quoted.append(c == '`' ? 2 : 1, c);
    plan.statements.push_back("USE `" + quoted + "`");
  }
  for (const auto& [name, value] : wanted.variables) {
    if (!is_state(name)) continue;
    const auto there = fresh.variables.find(name);
    if (name == "timestamp") {
      if (!clock_runs(value, now)) plan.statements.push_back("SET SESSION timestamp=" + value);
    } else if (there == fresh.variables.end() || there->second != value) {
      plan.statements.push_back("SET SESSION " + name + "=" + literal(name, value));
    }
  }
  // What the new server gives to this session alone, and the client has not: its own default for the one.
  for (const auto& [name, value] : fresh.variables)
    if (is_state(name) && name != "timestamp" && wanted.variables.count(name) == 0)
      plan.statements.push_back("SET SESSION " + name + "=DEFAULT");
  return plan;
}

}  // namespace reseal::proxy

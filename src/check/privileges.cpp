// SPDX-License-Identifier: Apache-2.0
#include "check/privileges.hpp"

#include <algorithm>
#include <cctype>

namespace reseal::check {
namespace {

constexpr std::string_view all = "ALL PRIVILEGES";

// SUPER still stands for these (MySQL manual, "Dynamic Privilege Descriptions", "Migrating Accounts from SUPER").
bool super_covers(std::string_view privilege) {
  static const std::set<std::string_view> covered = {"SYSTEM_VARIABLES_ADMIN",
                                                     "SESSION_VARIABLES_ADMIN",
                                                     "CONNECTION_ADMIN",
                                                     "ROLE_ADMIN",
                                                     "SET_USER_ID",
                                                     "SET_ANY_DEFINER",
                                                     "BINLOG_ADMIN",
                                                     "ALLOW_NONEXISTENT_DEFINER",
                                                     "XA_RECOVER_ADMIN"};
  return covered.contains(privilege);
}

bool covers(const Grant& grant, std::string_view privilege) {
  const auto holds = [&](std::string_view name) { return grant.privileges.contains(std::string(name)); };
  return holds(privilege) || holds(all) || (super_covers(privilege) && holds("SUPER"));
}

std::string trimmed_upper(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return upper;
}

bool consume(std::string_view& rest, std::string_view word) {
  if (!rest.starts_with(word)) return false;
  rest.remove_prefix(word.size());
  return true;
}

/// A quoted or bare identifier, or `*` as an empty one.
std::string take_name(std::string_view& rest) {
  std::string name;
  if (consume(rest, "*")) return name;
  const char quote = rest.empty() ? '\0' : rest.front();
  if (quote != '`' && quote != '"') {
    while (!rest.empty() && rest.front() != '.' && rest.front() != ' ') {
      name += rest.front();
      rest.remove_prefix(1);
    }
    return name;
  }
  rest.remove_prefix(1);
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == quote) {
      if (rest.empty() || rest.front() != quote) return name;
      rest.remove_prefix(1);
    }
    name += c;
  }
  return name;
}

/// The privilege list up to " ON " outside of quotes and parentheses; false for a line that grants roles.
bool take_privileges(std::string_view& rest, std::set<std::string>& privileges) {
  std::string word;
  bool of_columns = false;
  unsigned depth = 0;
  const auto finish = [&] {
    if (auto name = trimmed_upper(word); !name.empty() && !of_columns) privileges.insert(std::move(name));
    word.clear();
    of_columns = false;
  };
  while (!rest.empty()) {
    if (depth == 0 && consume(rest, " ON ")) {
      finish();
      return true;
    }
    const char c = rest.front();
    if (c == '`' || c == '"') {
      take_name(rest);
      if (depth == 0) return false;  // a role's name
      continue;
    }
    rest.remove_prefix(1);
    if (c == '(') {
      ++depth;
      of_columns = true;
    } else if (c == ')') {
      if (depth > 0) --depth;
    } else if (c == ',' && depth == 0) {
      finish();
    } else if (depth == 0) {
      word += c;
    }
  }
  return false;
}

}  // namespace

base::Result<Grant> parse_grant(std::string_view line) {
  Grant grant;
  auto rest = line;
  if (consume(rest, "REVOKE ")) {
    grant.revoke = true;
  } else if (!consume(rest, "GRANT ")) {
    return base::BadInput{"not a line of SHOW GRANTS"};
  }
  if (!take_privileges(rest, grant.privileges)) return Grant{};
  if (grant.privileges.contains("PROXY")) return Grant{};
  if (consume(rest, "PROCEDURE ") || consume(rest, "FUNCTION ")) return Grant{};
  consume(rest, "TABLE ");
  grant.schema = take_name(rest);
  if (!consume(rest, ".")) return base::BadInput{"a grant without a schema and a table"};
  grant.table = take_name(rest);
  grant.grant_option = rest.find(" WITH GRANT OPTION") != std::string_view::npos;
  return grant;
}

bool matches_schema(std::string_view pattern, std::string_view schema) {
  if (pattern.empty()) return schema.empty();
  if (pattern[0] == '%') {
    for (std::size_t skip = 0; skip <= schema.size(); ++skip)
      if (matches_schema(pattern.substr(1), schema.substr(skip))) return true;
    return false;
  }
  if (schema.empty()) return false;
  if (pattern[0] == '_') return matches_schema(pattern.substr(1), schema.substr(1));
  if (pattern[0] == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
  return pattern[0] == schema[0] && matches_schema(pattern.substr(1), schema.substr(1));
}

bool Privileges::has(std::string_view privilege) const {
  const auto gives = [&](const Grant& g) { return !g.revoke && g.schema.empty() && covers(g, privilege); };
  return std::any_of(grants_.begin(), grants_.end(), gives);
}

bool Privileges::has_on(std::string_view privilege, std::string_view schema) const {
  const auto on_schema = [&](const Grant& g) {
    return !g.schema.empty() && g.table.empty() && matches_schema(g.schema, schema) && covers(g, privilege);
  };
  const auto revoked = [&](const Grant& g) { return g.revoke && on_schema(g); };
  if (has(privilege) && std::none_of(grants_.begin(), grants_.end(), revoked)) return true;
  return std::any_of(grants_.begin(), grants_.end(), [&](const Grant& g) { return !g.revoke && on_schema(g); });
}

bool Privileges::may_grant() const {
  return std::any_of(grants_.begin(), grants_.end(),
                     [](const Grant& g) { return !g.revoke && g.schema.empty() && g.grant_option; });
}

}  // namespace reseal::check

// SPDX-License-Identifier: Apache-2.0
#include "provision/accounts.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "base/failure.hpp"
#include "provision/sql_tokens.hpp"
#include "sql/quote.hpp"

namespace reseal::provision {
namespace {

using base::Failure;
using base::FailureKind;
using mysql::Session;

// MySQL's own accounts (manual, "Reserved Accounts"), those that RDS and Debian make, and the administrator's.
bool belongs_to_server(const std::string& user) {
  static constexpr std::array<std::string_view, 9> names = {"mysql.sys",    "mysql.session",      "mysql.infoschema",
                                                            "root",         "rdsadmin",           "rdstopmgr",
                                                            "rdsrepladmin", "rds_superuser_role", "debian-sys-maint"};
  return std::find(names.begin(), names.end(), user) != names.end();
}

AccountName session_account(Session& session) {
  const auto name = session.scalar("SELECT CURRENT_USER()").value_or("");
  const auto at = name.rfind('@');
  return {name.substr(0, at), at == std::string::npos ? std::string() : name.substr(at + 1)};
}

std::set<AccountName> all_accounts(Session& session) {
  std::set<AccountName> accounts;
  for (const auto& row : session.query("SELECT User, Host FROM mysql.user"))
    accounts.insert({row[0].value_or(""), row[1].value_or("")});
  return accounts;
}

// Rows of a table or column that older servers lack, or that the account may not read: then there are none.
std::vector<mysql::Row> query_if_there(Session& session, const std::string& query) {
  try {
    return session.query(query);
  } catch (const Failure& failure) {
    switch (failure.server_errno()) {
      case 1054:  // ER_BAD_FIELD_ERROR
      case 1142:  // ER_TABLEACCESS_DENIED_ERROR
      case 1146:  // ER_NO_SUCH_TABLE
        return {};
      default:
        throw;
    }
  }
}

// The server quotes the statement in some errors, and the statement holds a hash.
std::string safe_text(const Failure& failure) {
  if (failure.server_errno() == 1064)
    return "the target's version does not understand how the source defines it (1064)";
  std::string text = failure.what();
  return text.substr(0, text.find("0x"));
}

std::vector<Token> tokens_of(const std::string& statement, const AccountName& account) {
  return base::value_or_fail(tokenize(statement), "what the server says of account " + account.text());
}

bool same_on_both(Session& source, Session& target, const AccountName& account) {
  return account_definition(source, account) == account_definition(target, account);
}

void note_what_stays(Session& source, const std::vector<AccountName>& accounts, AccountReport& report) {
  const auto note = [&](const std::string& query, const char* what, const char* why) {
    for (const auto& row : query_if_there(source, query)) {
      const AccountName account{row[0].value_or(""), row[1].value_or("")};
      if (std::binary_search(accounts.begin(), accounts.end(), account)) report.skipped.push_back({account, what, why});
    }
  };
  note("SELECT User, Host FROM mysql.user WHERE JSON_EXTRACT(User_attributes, '$.additional_password') IS NOT NULL",
       "secondary password", "no statement shows it; only the current password works on the target");
  note("SELECT DISTINCT User, Host FROM mysql.password_history", "password history",
       "no statement sets it; the target remembers passwords from now on");
}

/// A GRANT or REVOKE taken apart: `verb` item, item… `rest`.
struct GrantParts {
  std::string verb;
  std::vector<std::string> items;
  std::string rest;  ///< from ON, TO or FROM to the end
};

GrantParts split_grant(const std::string& statement, const AccountName& account) {
  const auto tokens = tokens_of(statement, account);
  GrantParts parts;
  if (tokens.empty()) return parts;
  parts.verb = tokens[0].text;
  std::size_t first = 1;
  for (std::size_t i = 1; i < tokens.size(); ++i) {
    const bool end =
        tokens[i].depth == 0 && (tokens[i].is_word("ON") || tokens[i].is_word("TO") || tokens[i].is_word("FROM"));
    if (!end && !(tokens[i].kind == TokenKind::comma && tokens[i].depth == 0)) continue;
    if (i > first)
      parts.items.push_back(statement.substr(tokens[first].begin, tokens[i - 1].end() - tokens[first].begin));
    first = i + 1;
    if (end) {
      parts.rest = statement.substr(tokens[i].begin);
      break;
    }
  }
  return parts;
}

void grant_one_by_one(Session& target, const AccountName& account, const std::string& statement, const Failure& whole,
                      AccountReport& report) {
  const auto parts = split_grant(statement, account);
  if (parts.items.size() < 2) {
    report.skipped.push_back({account, statement, safe_text(whole)});
    return;
  }
  for (const auto& item : parts.items) {
    const auto single = parts.verb + " " + item + " " + parts.rest;
    try {
      target.execute(single);
      ++report.grants;
    } catch (const Failure& failure) {
      if (failure.kind() == FailureKind::transient) throw;
      report.skipped.push_back({account, single, safe_text(failure)});
    }
  }
}

void grant(Session& target, const AccountName& account, const std::string& statement, AccountReport& report) {
  try {
    target.execute(statement);
    ++report.grants;
  } catch (const Failure& failure) {
    if (failure.kind() == FailureKind::transient) throw;
    grant_one_by_one(target, account, statement, failure, report);
  }
}

void set_default_roles(Session& target, const AccountName& account, const std::vector<AccountName>& roles,
                       AccountReport& report) {
  std::string list;
  for (const auto& role : roles) list += (list.empty() ? "" : ", ") + role.quoted();
  try {
    target.execute("ALTER USER " + account.quoted() + " DEFAULT ROLE " + list);
  } catch (const Failure& failure) {
    if (failure.kind() == FailureKind::transient) throw;
    report.skipped.push_back({account, "default roles", safe_text(failure)});
  }
}

void create_account(Session& target, const AccountName& account, const std::string& definition, AccountReport& report) {
  const auto tokens = tokens_of(definition, account);
  if (tokens.size() < 3 || !tokens[0].is_word("CREATE") || !tokens[1].is_word("USER"))
    throw Failure(FailureKind::unsupported,
                  "the source's answer to SHOW CREATE USER of " + account.text() + " is no CREATE USER statement");
  try {
    target.execute("CREATE USER IF NOT EXISTS " + definition.substr(tokens[2].begin));
    ++report.created;
  } catch (const Failure& failure) {
    if (failure.kind() == FailureKind::transient) throw;
    report.skipped.push_back({account, "account", safe_text(failure)});
  }
}

}  // namespace

std::string AccountName::quoted() const { return sql::quote_text(user) + "@" + sql::quote_text(host); }

std::vector<AccountName> moving_accounts(Session& source, Session& target, const AccountOptions& options) {
  std::set<AccountName> stay(options.leave_out.begin(), options.leave_out.end());
  stay.insert(session_account(source));
  stay.insert(session_account(target));
  std::vector<AccountName> moving;
  for (const auto& account : all_accounts(source))
    if (!belongs_to_server(account.user) && stay.count(account) == 0) moving.push_back(account);
  return moving;
}

std::string account_definition(Session& session, const AccountName& account) {
  session.execute("SET SESSION print_identified_with_as_hex=ON");
  const auto rows = session.query("SHOW CREATE USER " + account.quoted());
  const auto statement = rows.at(0).at(0).value_or("");
  const auto tokens = tokens_of(statement, account);
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    if (!tokens[i].is_word("DEFAULT") || !tokens[i + 1].is_word("ROLE")) continue;
    auto end = i + 2;
    while (end < tokens.size() && !tokens[end].is_word("REQUIRE")) ++end;
    return statement.substr(0, tokens[i].begin) +
           (end < tokens.size() ? statement.substr(tokens[end].begin) : std::string());
  }
  return statement;
}

std::vector<std::string> account_grants(Session& session, const AccountName& account) {
  std::vector<std::string> grants;
  for (auto& row : session.query("SHOW GRANTS FOR " + account.quoted())) grants.push_back(row.at(0).value_or(""));
  std::sort(grants.begin(), grants.end());
  return grants;
}

std::vector<AccountName> default_roles(Session& session, const AccountName& account) {
  std::vector<AccountName> roles;
  for (auto& row : query_if_there(session,
                                  "SELECT DEFAULT_ROLE_USER, DEFAULT_ROLE_HOST FROM mysql.default_roles WHERE"
                                  " USER=" +
                                      sql::quote_text(account.user) + " AND HOST=" + sql::quote_text(account.host)))
    roles.push_back({row[0].value_or(""), row[1].value_or("")});
  std::sort(roles.begin(), roles.end());
  return roles;
}

AccountReport create_accounts(Session& source, Session& target, const AccountOptions& options) {
  AccountReport report;
  const auto moving = moving_accounts(source, target, options);
  const auto present = all_accounts(target);
  for (const auto& account : moving) {
    const auto definition = account_definition(source, account);
    if (present.count(account) == 0)
      create_account(target, account, definition, report);
    else if (definition == account_definition(target, account))
      ++report.present;
    else
      report.skipped.push_back({account, "account",
                                "the target has this account with another password or other"
                                " options, and it was left as it is"});
  }
  note_what_stays(source, moving, report);
  return report;
}

AccountReport grant_privileges(Session& source, Session& target, const AccountOptions& options) {
  AccountReport report;
  const auto present = all_accounts(target);
  for (const auto& account : moving_accounts(source, target, options)) {
    if (present.count(account) == 0 || !same_on_both(source, target, account)) {
      report.skipped.push_back({account, "grants", "the account on the target is missing or another one"});
      continue;
    }
    ++report.present;
    const auto have = account_grants(target, account);
    // Sorted: every GRANT comes before the partial REVOKEs that narrow it.
    for (const auto& statement : account_grants(source, account))
      if (!std::binary_search(have.begin(), have.end(), statement)) grant(target, account, statement, report);
    const auto roles = default_roles(source, account);
    if (!roles.empty() && roles != default_roles(target, account)) set_default_roles(target, account, roles, report);
  }
  return report;
}

}  // namespace reseal::provision

// SPDX-License-Identifier: Apache-2.0
#include "seed/clone_account.hpp"

#include <nlohmann/json.hpp>

#include "base/random_password.hpp"
#include "seed/wait_until.hpp"
#include "sql/quote.hpp"

namespace reseal::seed {
namespace {

using base::Failure;
using base::FailureKind;
using nlohmann::json;

constexpr unsigned parse_error = 1064;     // ER_PARSE_ERROR, whose text quotes the statement
constexpr unsigned no_such_thread = 1094;  // ER_NO_SUCH_THREAD
constexpr auto end_bound = std::chrono::seconds(60);

const std::string clone_account = "'reseal_clone'@'%'";

std::string quoted(const KeptAccount& account) {
  return sql::quote_text(account.user) + "@" + sql::quote_text(account.host);
}

/// What stands between REQUIRE and PASSWORD EXPIRE in SHOW CREATE USER, whose hash may hold any byte but comes first.
std::string tls_demand_of(const std::string& create_user) {
  const auto end = create_user.rfind(" PASSWORD EXPIRE");
  const auto begin = end == std::string::npos ? end : create_user.rfind(" REQUIRE ", end);
  if (begin == std::string::npos)
    throw Failure(FailureKind::unsupported,
                  "SHOW CREATE USER on the recipient has a form that we do not know; nothing was changed");
  constexpr std::size_t word = std::string_view(" REQUIRE ").size();
  return create_user.substr(begin + word, end - begin - word);
}

void require_password_login(const std::string& create_user, const std::string& account) {
  for (const char* plugin : {"caching_sha2_password", "sha256_password", "mysql_native_password"})
    if (create_user.find(std::string(" IDENTIFIED WITH '") + plugin + "'") != std::string::npos) return;
  throw Failure(FailureKind::refused, "the recipient's account " + account +
                                          " does not log in by a password, and a clone replaces all accounts: we "
                                          "could not put it back; nothing was changed. Log in with an account that "
                                          "has a password");
}

}  // namespace

std::string KeptAccount::text() const {
  return json{{"user", user}, {"host", host}, {"tls_demand", tls_demand}, {"grants", grants}}.dump();
}

base::Result<KeptAccount> KeptAccount::parse(std::string_view text) {
  const auto read = json::parse(text, nullptr, false);
  if (!read.is_object()) return base::BadInput{"the kept account is not a JSON object"};
  const auto word = [&](const char* name) {
    const auto found = read.find(name);
    return found == read.end() || !found->is_string() ? std::string() : found->get<std::string>();
  };
  KeptAccount account{word("user"), word("host"), word("tls_demand"), {}};
  const auto grants = read.find("grants");
  if (account.host.empty() || account.tls_demand.empty() || grants == read.end() || !grants->is_array())
    return base::BadInput{"the kept account lacks its host, TLS demand or grants"};
  for (const auto& grant : *grants) {
    if (!grant.is_string()) return base::BadInput{"a grant of the kept account is not text"};
    account.grants.push_back(grant.get<std::string>());
  }
  return account;
}

std::vector<std::string> own_grants(mysql::Session& session) {
  session.execute("SET ROLE ALL");
  const auto roles = session.scalar("SELECT CURRENT_ROLE()").value_or("NONE");
  std::vector<std::string> grants;
  for (const auto& row : session.query("SHOW GRANTS FOR CURRENT_USER()" + (roles == "NONE" ? "" : " USING " + roles))) {
    const auto grant = row[0].value_or("");
    // GRANT `role`@`host` TO …: what the role gave is in the other lines.
    if (!grant.starts_with("GRANT `") && !grant.starts_with("GRANT PROXY")) grants.push_back(grant);
  }
  return grants;
}

KeptAccount read_own_account(mysql::Session& recipient) {
  const auto name = recipient.scalar("SELECT CURRENT_USER()").value_or("");
  const auto at = name.rfind('@');
  KeptAccount account;
  account.user = name.substr(0, at);
  account.host = name.substr(at + 1);
  const auto definition = recipient.scalar("SHOW CREATE USER CURRENT_USER()").value_or("");
  require_password_login(definition, name);
  account.tls_demand = tls_demand_of(definition);
  account.grants = own_grants(recipient);
  return account;
}

void execute_secret(mysql::Session& session, const base::Secret& statement, std::string_view what) {
  try {
    session.execute(statement.reveal());
  } catch (const Failure& failure) {
    if (failure.server_errno() == parse_error)
      throw Failure(failure.kind(),
                    std::string(what) + ": " + session.endpoint().text() +
                        " does not understand the statement, which is not shown as it holds a "
                        "password (1064)",
                    parse_error);
    throw failure.within(what);
  }
}

void put_back_account(mysql::Session& recipient, const KeptAccount& account, const base::Secret& password) {
  mysql::without_binlog(recipient);
  const auto what = "putting back the account " + account.user + "@" + account.host + " on " +
                    recipient.endpoint().text() + ", whose accounts are the donor's now";
  for (const char* verb : {"CREATE USER IF NOT EXISTS ", "ALTER USER "}) {
    const base::Secret statement(verb + quoted(account) + " IDENTIFIED WITH caching_sha2_password BY " +
                                 sql::quote_text(password.reveal()) + " REQUIRE " + account.tls_demand +
                                 " ACCOUNT UNLOCK");
    execute_secret(recipient, statement, what);
  }
  for (const auto& grant : account.grants) {
    try {
      recipient.execute(grant);
    } catch (const Failure& failure) {
      throw failure.within(what +
                           ": the donor's account may not grant it; give it that with GRANT OPTION and run again");
    }
  }
}

base::Secret make_clone_account(mysql::Session& donor) {
  mysql::without_binlog(donor);
  auto password = base::random_password();
  const auto what = "making the account " + clone_account + " on " + donor.endpoint().text();
  for (const char* verb : {"CREATE USER IF NOT EXISTS ", "ALTER USER "}) {
    const base::Secret statement(verb + clone_account + " IDENTIFIED WITH caching_sha2_password BY " +
                                 sql::quote_text(password.reveal()) + " REQUIRE SSL ACCOUNT UNLOCK");
    execute_secret(donor, statement, what);
  }
  donor.execute("GRANT BACKUP_ADMIN ON *.* TO " + clone_account);
  return password;
}

void end_lost_clones(mysql::Session& donor, const std::stop_token& stop) {
  const auto ended = [&] {
    const auto rows = donor.query("SELECT PROCESSLIST_ID FROM performance_schema.threads WHERE PROCESSLIST_USER=" +
                                  sql::quote_text(clone_user) + " AND PROCESSLIST_ID IS NOT NULL");
    for (const auto& row : rows) {
      try {
        donor.execute("KILL CONNECTION " + row[0].value_or("0"));
      } catch (const Failure& failure) {
        if (failure.server_errno() != no_such_thread) throw;
      }
    }
    return rows.empty();
  };
  const auto what = "an earlier clone of ours to end on " + donor.endpoint().text();
  if (!wait_until(ended, end_bound, stop, what))
    throw Failure(FailureKind::transient, "waited in vain for " + what + "; both servers are as they were. Run again");
}

void drop_clone_account(mysql::Session& server) {
  mysql::without_binlog(server);
  server.execute("DROP USER IF EXISTS " + clone_account);
}

}  // namespace reseal::seed

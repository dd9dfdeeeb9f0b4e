// SPDX-License-Identifier: Apache-2.0
#include "follow/channel_account.hpp"

#include <string>

#include "base/random_password.hpp"
#include "sql/quote.hpp"

namespace reseal::follow {
namespace {

using base::Failure;
using base::FailureKind;

std::string quoted_account() { return sql::quote_text(follow_account) + "@'%'"; }

}  // namespace

base::Secret make_follow_account(mysql::Session& source) {
  auto password = base::random_password();
  const auto account = quoted_account();
  source.execute("DROP USER IF EXISTS " + account);
  try {
    source.execute("CREATE USER " + account + " IDENTIFIED BY " + sql::quote_text(password.reveal()) +
                   " REQUIRE SSL PASSWORD EXPIRE NEVER");
  } catch (const Failure& failure) {
    // The server's text may quote the statement, and with it the password.
    throw Failure(failure.kind(),
                  "the source did not create the replication account reseal_follow (error " +
                      std::to_string(failure.server_errno()) +
                      "); nothing else was changed. Look at the privileges of reseal's own account (CREATE USER) and at"
                      " the server's password policy, and start again",
                  failure.server_errno());
  }
  source.execute("GRANT REPLICATION SLAVE ON *.* TO " + account);
  return password;
}

void drop_follow_account(mysql::Session& source) { source.execute("DROP USER IF EXISTS " + quoted_account()); }

}  // namespace reseal::follow

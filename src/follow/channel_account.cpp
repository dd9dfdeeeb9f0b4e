// SPDX-License-Identifier: Apache-2.0
#include "follow/channel_account.hpp"

#include <openssl/rand.h>

#include <array>
#include <string>

#include "sql/quote.hpp"

namespace reseal::follow {
namespace {

using base::Failure;
using base::FailureKind;

std::string quoted_account() { return sql::quote_text(follow_account) + "@'%'"; }

// 28 random characters (168 bits) and one of each kind that a password policy may ask for: replication takes 32 at
// most.
base::Secret random_password() {
  static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  static_assert(alphabet.size() == 64);
  std::array<unsigned char, 28> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    throw Failure(FailureKind::local,
                  "this machine's OpenSSL gives no random bytes for a password; nothing was changed");
  std::string text;
  text.reserve(bytes.size() + 4);
  for (const auto byte : bytes) text += alphabet[byte % alphabet.size()];
  return base::Secret(std::move(text.append("aA1-")));
}

}  // namespace

base::Secret make_follow_account(mysql::Session& source) {
  auto password = random_password();
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

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string>
#include <vector>

#include "mysql/session.hpp"

namespace reseal::provision {

struct AccountName {
  std::string user;
  std::string host;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the zero of a generated comparison for a pointer
  auto operator<=>(const AccountName&) const = default;
  /// user@host, for messages.
  std::string text() const { return user + "@" + host; }
  /// 'user'@'host', for statements.
  std::string quoted() const;
};

/// Something about an account that did not come over. Never holds a password or a hash.
struct AccountNote {
  AccountName account;
  std::string what;  ///< "account", "grant SELECT ON …", "default roles", "password history"
  std::string why;
};

struct AccountReport {
  std::size_t created = 0;
  std::size_t present = 0;  ///< were there already, the same
  std::size_t grants = 0;   ///< statements that took
  std::vector<AccountNote> skipped;
};

/// Users and roles that stay where they are besides MySQL's own (mysql.*), root and the sessions' own accounts.
struct AccountOptions {
  std::vector<AccountName> leave_out;
};

/// The source's accounts that belong to the move, in order. Needs SELECT on mysql.user.
std::vector<AccountName> moving_accounts(mysql::Session& source, mysql::Session& target, const AccountOptions& options);

/// Creates users and roles with their hashes, resource limits, TLS needs, lock and expiry state as they are. An
/// account that exists on the target is left as it is, and reported unless it is the same. To run before views and
/// routines, so that definers exist.
AccountReport create_accounts(mysql::Session& source, mysql::Session& target, const AccountOptions& options);

/// Grants privileges (global, dynamic, schema, table, column, routine, proxy), partial revokes, roles and default
/// roles to the accounts that are the same on both sides. A privilege that the target does not know or refuses is
/// reported and the rest of its statement still granted. Grants on views and routines need those to exist, and views
/// on views need their definers' grants: run it before and after Provisioner::create_views_and_routines and keep the
/// second report. Running again changes nothing.
AccountReport grant_privileges(mysql::Session& source, mysql::Session& target, const AccountOptions& options);

/// SHOW CREATE USER without DEFAULT ROLE, hashes as hex: holds a secret, for comparing and creating only.
std::string account_definition(mysql::Session& session, const AccountName& account);
/// SHOW GRANTS, one statement each, sorted. Holds no secret.
std::vector<std::string> account_grants(mysql::Session& session, const AccountName& account);
/// The default roles, sorted.
std::vector<AccountName> default_roles(mysql::Session& session, const AccountName& account);

}  // namespace reseal::provision

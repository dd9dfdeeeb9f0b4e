// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "mysql/session.hpp"

namespace reseal::seed {

/// The account with which we log in to the recipient, as it was before the clone replaced every account there. Holds no
/// secret: the password stays with the endpoint. Its text is for the journal, so that a process that was killed between
/// the clone and the account's return can go on.
struct KeptAccount {
  std::string user;
  std::string host;
  std::string tls_demand;           ///< what follows REQUIRE: "NONE", "SSL", "X509", "SUBJECT '…'"
  std::vector<std::string> grants;  ///< as SHOW GRANTS gives them; what came by a role is granted directly

  std::string text() const;
  static base::Result<KeptAccount> parse(std::string_view text);
  bool operator==(const KeptAccount&) const = default;
};

/// The session's own account. Throws Failure(refused) when it logs in by other means than a password, which could not
/// be put back.
KeptAccount read_own_account(mysql::Session& recipient);

/// Makes the account work again with `password`, and with what it was allowed; the donor's account of the same name
/// becomes it, and keeps what it was allowed there. Not written to the binary log. Running it again changes nothing.
void put_back_account(mysql::Session& recipient, const KeptAccount& account, const base::Secret& password);

/// SHOW GRANTS of the session's own account with all its roles turned on, without the roles themselves.
std::vector<std::string> own_grants(mysql::Session& session);

/// The account `reseal_clone` on the donor, for the clone alone: TLS is demanded, BACKUP_ADMIN is all it has. The
/// password is a new random one each time and exists only in memory. Not written to the binary log: neither the donor's
/// replicas nor the recipient, when it replays the donor's log, get to know the account.
base::Secret make_clone_account(mysql::Session& donor);
/// Ends what a clone that broke off left on the donor: it waits minutes for a recipient that does not come back, and no
/// other clone can begin. Only while no clone of ours runs.
void end_lost_clones(mysql::Session& donor, const std::stop_token& stop);
/// Does nothing when it is not there. Not written to the binary log.
void drop_clone_account(mysql::Session& server);

/// Runs a statement that holds a password: an error never shows the statement. `what` says what it was to do.
void execute_secret(mysql::Session& session, const base::Secret& statement, std::string_view what);

inline constexpr const char* clone_user = "reseal_clone";

}  // namespace reseal::seed

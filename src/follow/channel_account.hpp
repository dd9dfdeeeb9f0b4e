// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/secret.hpp"
#include "mysql/session.hpp"

namespace reseal::follow {

/// The account on the source that the target's own replication logs in with.
inline constexpr const char* follow_account = "reseal_follow";

/// Makes reseal_follow@'%' anew with a new random password, which is in nobody's hands but the caller's: REPLICATION
/// SLAVE and nothing else, TLS demanded. To be called each time the channel is configured. The source's log gets the
/// statements, with a hash of the password.
base::Secret make_follow_account(mysql::Session& source);
/// Drops it, if it is there.
void drop_follow_account(mysql::Session& source);

}  // namespace reseal::follow

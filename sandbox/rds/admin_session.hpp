// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/secret.hpp"
#include "mysql/session.hpp"
#include "sandbox/server_folder.hpp"

namespace reseal::sandbox::rds {

/// The passwords of the two accounts that the control plane has on every server of one sandbox. They are in the data
/// of snapshots too, so they stay as long as its folder.
struct AdminAccounts {
  base::Secret rdsadmin;      ///< rdsadmin@localhost, every privilege
  base::Secret rdsrepladmin;  ///< rdsrepladmin@%, for managed read replicas
};

/// A session of rdsadmin over the server's socket, whose writes stay out of the binlog. `timeout` 0 waits for ever.
mysql::Session admin_session(const AdminAccounts& accounts, const ServerFolder& folder,
                             std::chrono::seconds timeout = std::chrono::seconds(0));
/// The same for a server that was just made, whose root has no password.
mysql::Session first_session(const ServerFolder& folder);

/// A random password that satisfies any policy: 32 characters, the most that replication takes.
std::string random_password();

}  // namespace reseal::sandbox::rds

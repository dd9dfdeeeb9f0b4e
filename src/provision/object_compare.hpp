// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "mysql/session.hpp"
#include "provision/accounts.hpp"

namespace reseal::provision {

/// Before the switch triggers and events must be absent on the target; after it they must be the source's.
enum class CompareTime { before_switch, after_switch };

struct ObjectDifference {
  std::string kind;  ///< database, table, view, procedure, function, trigger, event, account, grant
  std::string name;
  std::string what;  ///< what differs, without secrets: "missing on the target", "key `a` differs: …"
};

/// Compares databases, tables, views, routines, triggers, events, accounts and grants by what each server says of
/// them, not by what was created. ENCRYPTION and AUTO_INCREMENT are left out of it. Accounts that only the target has
/// are its own affair and not reported. Reads only; takes a few round trips per object.
std::vector<ObjectDifference> compare_objects(mysql::Session& source, mysql::Session& target,
                                              const std::vector<std::string>& schemas, CompareTime time,
                                              const AccountOptions& accounts);

}  // namespace reseal::provision

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "rds/model.hpp"
#include "rds/requests.hpp"

namespace reseal::platform {

// The requests that make instances like the source. Names and tags of ownership are for the caller. No I/O.

/// A read replica of the source: same class, storage and network; one zone, no protection.
rds::CreateReadReplica replica_request(const rds::DbInstance& source);
/// The target, from the encrypted snapshot, with everything of the source that a restore takes, but for the parameter
/// group: the target waits with one of its own.
rds::RestoreFromSnapshot restore_request(const rds::DbInstance& source, const std::string& target,
                                         const std::string& snapshot, const std::string& waiting_group);
/// What a restore does not take and `target` does not have yet; nothing when there is no such difference.
std::optional<rds::ModifyInstance> later_changes(const rds::DbInstance& source, const rds::DbInstance& target);

/// Tags that a user gave: without those of AWS, whose prefix nobody else may set, and without ours.
rds::Tags user_tags(const rds::Tags& tags);

}  // namespace reseal::platform

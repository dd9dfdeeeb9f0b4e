// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "mysql/session.hpp"

namespace reseal::follow {

/// Throws Failure(refused) unless the target's replication on `channel` executes all that the source's log says, in its
/// order, exactly once: no skipped errors, no filters (but those on MySQL's own tables, which RDS sets), no delay, no
/// gaps between workers, no other channel that writes, and a place that a crash cannot make wrong.
void require_faithful_replication(mysql::Session& target, const std::string& channel, bool by_gtid);

}  // namespace reseal::follow

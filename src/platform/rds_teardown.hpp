// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "platform/rds_made.hpp"
#include "rds/ownership.hpp"
#include "rds/waiting.hpp"

namespace reseal::platform {

/// Something that is still there when a run is over.
struct Leftover {
  std::string kind;  ///< "instance", "snapshot", "automated backup", "parameter group"
  std::string name;
  std::string arn;
  bool encrypted = false;  ///< false: rows in the clear are on a disk of Amazon's
  bool ours = false;       ///< made by the run, by its tags: `remove_made` deletes it
  std::string next;        ///< what the user can do about one that is not ours
};

/// What the run has made and the old instance with its snapshots and automated backups; not the target. Reads only.
std::vector<Leftover> list_leftovers(rds::RdsClient& client, rds::OwnedResources& owned, const std::string& source,
                                     const std::string& target);

/// Deletes the replica, the snapshot, its copy, and the waiting group when no instance uses it any more; waits until
/// they are gone. Never the source and never the target, and nothing without our tags. Can be done again. The names of
/// what was deleted by this call.
std::vector<std::string> remove_made(rds::RdsClient& client, rds::OwnedResources& owned, const std::string& target,
                                     const rds::WaitOptions& wait);

}  // namespace reseal::platform

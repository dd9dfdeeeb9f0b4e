// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rds/ownership.hpp"

namespace reseal::platform {

// What a run makes at RDS, by the parts of its names and tags.
inline constexpr std::string_view replica_part = "replica";
inline constexpr std::string_view snapshot_part = "snapshot";  ///< of the replica: in the clear
inline constexpr std::string_view copy_part = "copy";          ///< of the snapshot: encrypted
inline constexpr std::string_view group_part = "waiting";      ///< the target's parameter group until the switch
inline constexpr std::string_view target_part = "target";      ///< whose name is the user's

struct MadeResource {
  std::string_view part;
  std::string_view kind;  ///< "instance", "snapshot", "parameter group"
  std::string name;
  std::string arn;
  std::string status;      ///< empty for a group
  bool encrypted = false;  ///< a group holds no rows, and counts as encrypted
};

/// Everything of the run that is there now. Throws Failure(refused) when a stranger has one of its names.
std::vector<MadeResource> list_made(rds::OwnedResources& owned, const std::string& target);

}  // namespace reseal::platform

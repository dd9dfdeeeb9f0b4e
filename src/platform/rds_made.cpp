// SPDX-License-Identifier: Apache-2.0
#include "platform/rds_made.hpp"

namespace reseal::platform {

std::vector<MadeResource> list_made(rds::OwnedResources& owned, const std::string& target) {
  std::vector<MadeResource> made;
  const auto instance = [&](std::string_view part, const std::string& name) {
    if (const auto found = owned.own_instance(part, name))
      made.push_back({part, "instance", found->identifier, found->arn, found->status, found->storage_encrypted});
  };
  instance(replica_part, {});
  for (const auto part : {snapshot_part, copy_part})
    if (const auto found = owned.own_snapshot(part))
      made.push_back({part, "snapshot", found->identifier, found->arn, found->status, found->encrypted});
  if (const auto found = owned.own_parameter_group(group_part))
    made.push_back({group_part, "parameter group", found->name, found->arn, {}, true});
  instance(target_part, target);
  return made;
}

}  // namespace reseal::platform

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "rds/model.hpp"
#include "rds/rds_client.hpp"

namespace reseal::platform {

/// One setting that the two instances do not share.
struct Difference {
  std::string what;  ///< the API's name, or "parameter NAME"
  std::string source;
  std::string target;
  std::string why;  ///< why it matters
};

/// An instance and all parameters of its group.
struct InstanceSettingsView {
  const rds::DbInstance& instance;
  const std::vector<rds::Parameter>& parameters;
};

/// What differs, but for what has to: names, endpoint, encryption and its key, the group's name, and AWS's and our own
/// tags. While the target waits (`waiting`), its read_only and event_scheduler are expected to be 1 and OFF, and told
/// when they are not. No I/O.
std::vector<Difference> compare_instances(const InstanceSettingsView& source, const InstanceSettingsView& target,
                                          bool waiting);

/// Reads both instances and their groups, to the last page, and compares. `waiting_group` is the name of the group that
/// a target has until the switch. Throws Failure(refused) when an instance is not there; else the service's errors.
std::vector<Difference> read_parity(rds::RdsClient& client, const std::string& source, const std::string& target,
                                    const std::string& waiting_group);

}  // namespace reseal::platform

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "check/finding.hpp"
#include "check/rds_check.hpp"
#include "rds/model.hpp"

namespace reseal::check {

/// What was seen of the instance and what it needs; the rules read only this.
struct RdsState {
  std::string region;
  std::string identity;  ///< for people: who asks, with which credentials
  std::optional<rds::DbInstance> instance;
  std::vector<rds::OrderableOption> options;  ///< of the instance's engine, version and class
  bool options_seen = false;
  std::vector<rds::Quota> quotas;
  std::string kms_key;  ///< as it was asked for
  bool key_seen = false;
  std::optional<rds::KmsKey> key;
};

// Each group appends what does not hold.
void rds_instance_rules(const RdsRequest& request, const RdsState& state, Findings& findings);
void rds_room_rules(const RdsState& state, Findings& findings);
void rds_key_rules(const RdsState& state, Findings& findings);

}  // namespace reseal::check

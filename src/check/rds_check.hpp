// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "check/finding.hpp"
#include "rds/environment.hpp"

namespace reseal::check {

/// The instance of Amazon RDS that is to be moved, and the key for the encrypted one.
struct RdsRequest {
  std::string instance;      ///< DBInstanceIdentifier of the source
  std::string region;        ///< empty: AWS_REGION, AWS_DEFAULT_REGION, the profile
  std::string kms_key;       ///< id, ARN or alias/NAME; empty: alias/aws/rds
  std::string endpoint_url;  ///< instead of the services' own addresses
  bool allow_replica_source = false;
  /// Told when a service does not answer and is asked again. May be empty.
  std::function<void(std::string_view)> tell;
};

/// Looks at the instance through the control plane and reports every precondition that does not hold, each with the AWS
/// command that mends it. Changes nothing; uses the actions of deploy/iam/check.json. An action that the identity may
/// not use becomes a `cannot-look` finding, and the other looks go on. Throws Failure when credentials or region are
/// missing, when the identity is refused, and when a service does not answer.
Findings check_rds(const RdsRequest& request, const rds::Environment& environment, const std::stop_token& stop);

}  // namespace reseal::check

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "rds/model.hpp"
#include "rds/service_connection.hpp"

namespace reseal::rds {

/// KMS DescribeKey. `key`: id, ARN, alias/NAME or the alias's ARN. Nothing when there is no such key. Throws what
/// ServiceConnection throws.
Outcome<std::optional<KmsKey>> describe_key(ServiceConnection& kms, const std::string& key,
                                            const std::stop_token& stop);

/// STS GetCallerIdentity, which needs no permission.
Outcome<CallerIdentity> caller_identity(ServiceConnection& sts, const std::stop_token& stop);

/// The region within an ARN: "eu-central-1" of arn:aws:kms:eu-central-1:123:key/…; empty when it is no ARN.
std::string region_of_arn(std::string_view arn);

}  // namespace reseal::rds

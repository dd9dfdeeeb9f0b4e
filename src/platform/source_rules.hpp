// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "rds/model.hpp"

namespace reseal::platform {

// What has to hold before anything is made. Each throws Failure(refused) with what is in the way, where, and the
// command that mends it. No I/O.

/// The source is a plain instance of RDS for MySQL that keeps a binary log and whose endpoint replication can take.
void require_movable(const rds::DbInstance& source);
/// `asked` is the key as it was given, `key` what KMS says of it; nothing when it knows no such key.
void require_usable_key(const std::string& asked, const std::string& region, const std::optional<rds::KmsKey>& key);
/// The name of the instance to be made is one that RDS takes, and not the source's.
void require_target_name(const std::string& source, const std::string& target);

}  // namespace reseal::platform

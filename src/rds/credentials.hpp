// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/secret.hpp"
#include "rds/clock.hpp"

namespace reseal::rds {

/// What requests are signed with. The access key id is a name, not a secret.
struct Credentials {
  std::string access_key_id;
  base::Secret secret_access_key;
  base::Secret session_token;   ///< empty for long-lived keys
  std::optional<Time> expires;  ///< nothing for long-lived keys
  std::string origin;           ///< for people: "environment", "profile prod of ~/.aws/credentials"
};

}  // namespace reseal::rds

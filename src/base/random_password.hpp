// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/secret.hpp"

namespace reseal::base {

/// A new password of 32 characters, the most that MySQL's replication takes: 168 random bits of the kernel's, and one
/// character of each kind that a password policy may ask for. Throws Failure(local) when there are no random numbers.
Secret random_password();

}  // namespace reseal::base

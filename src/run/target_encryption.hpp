// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mysql/session.hpp"

namespace reseal::run {

/// The first thing on the target that is in the clear or cannot be seen, by what the server says (no file is read):
/// "tablespace mysql: …". Nothing when all is encrypted.
std::optional<std::string> not_encrypted(mysql::Session& target, const std::vector<std::string>& schemas);

}  // namespace reseal::run

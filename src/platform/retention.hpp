// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "mysql/session.hpp"

namespace reseal::platform {

/// For how many hours an RDS instance keeps binlogs that nothing else holds; nothing: it purges them as soon as it can,
/// which is the default.
using RetentionHours = std::optional<int>;
inline constexpr int longest_retention_hours = 168;

/// Throws Failure(source) when the server is no RDS instance.
RetentionHours read_retention(mysql::Session& session);
/// Also lowers it. The caller is RDS's master user.
void set_retention(mysql::Session& session, RetentionHours hours);

// For the record of a run: "none" or the number.
std::string retention_text(RetentionHours hours);
RetentionHours retention_of_text(std::string_view text);

}  // namespace reseal::platform

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "mysql/session.hpp"

namespace reseal::provision {

/// Runs `body` with the target session's settings such that a table that is created or altered is the one that is
/// written: no generated primary key, no demand for one, no automatic TIMESTAMP defaults, and, when given,
/// `utf8mb4_collation` where the text leaves it out. Puts the settings back afterwards, also on failure.
void with_table_settings(mysql::Session& target, const std::function<void()>& body,
                         const std::string& utf8mb4_collation = {});

/// Runs `body` such that a foreign key may point at a key that is not unique, as sources before 8.4 allow. A target
/// account that may not set this goes on without: the server then says which key it refuses.
void with_free_foreign_keys(mysql::Session& target, const std::function<void()>& body);

}  // namespace reseal::provision

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "mysql/session.hpp"

namespace reseal::seed {

/// Whether the clone plugin can copy `donor` to `recipient` whole. Throws Failure(refused) with the first reason why
/// not and what mends it; changes nothing. The plugin is not looked for: see `ensure_clone_plugin`.
void require_clonable(mysql::Session& donor, mysql::Session& recipient);

/// Whether the clone's account can be made on the donor. Throws Failure(refused) when not; changes nothing.
void require_writable(mysql::Session& donor);

/// Installs the clone plugin where it is missing; true when it did. It stays installed.
bool ensure_clone_plugin(mysql::Session& server);

/// Whether a clone runs on this recipient now. False without the plugin.
bool clone_runs(mysql::Session& recipient);

}  // namespace reseal::seed

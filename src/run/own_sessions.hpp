// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "mysql/session.hpp"

namespace reseal::run {

/// Ends every session that this run's processes have on the server, but those of the process `keep`, and returns when
/// the server shows none: nothing they sent can take effect afterwards. Sessions carry their run and process as
/// connection attributes. Throws Failure(transient) when they do not end within a minute.
void end_other_sessions(mysql::Session& server, const std::string& run_id, const std::string& keep);

/// The same for one session of our own that was lost: a statement whose answer never came may still be waiting in the
/// server for a lock, and must not take effect after what we do next. `connection_id` as the server numbers them.
void end_lost_session(mysql::Session& server, const std::string& process, const std::string& connection_id);

}  // namespace reseal::run

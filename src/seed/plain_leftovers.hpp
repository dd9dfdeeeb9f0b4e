// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <stop_token>

#include "mysql/session.hpp"

namespace reseal::seed {

/// Plain pages of a physical copy lie in more than its tables. The settings that encrypt undo and redo count for what
/// is written from now on, and the server shows such files as encrypted although old pages in them are not. Each of
/// these can be run again after a kill. The session must not write to the binary log.

/// Makes the file of every undo tablespace anew: out of use, empty, in use again, one at a time. At least two must stay
/// in use, so a temporary one helps out and is dropped. Throws Failure(transient) when one does not become empty within
/// `bound`: a snapshot or a transaction still needs it.
void renew_undo(mysql::Session& session, std::chrono::seconds bound, const std::stop_token& stop);

/// Makes the redo log's files anew, by changing their size and changing it back. A kill in between leaves half (or the
/// double) of the capacity until the server starts again.
void renew_redo(mysql::Session& session, const std::stop_token& stop);

}  // namespace reseal::seed

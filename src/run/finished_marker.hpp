// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "mysql/session.hpp"

namespace reseal::run {

/// reseal.finished on the source: the run that moved its data is finished, and the target serves for good. A proxy that
/// finds no record on the target reads it, so that it never takes the old source for the side that serves.
/// Writes it, into no log, through the source's fence. Can be done again.
void mark_finished(mysql::Session& source, const std::string& run_id);
/// The run that is named there; empty when none is.
std::string finished_run(mysql::Session& source);

}  // namespace reseal::run

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>

#include "run/run.hpp"

namespace reseal::run {

/// While traffic goes on, compares the rows that changed since the full comparison, so that few are left for the
/// switch. A row that is equal needs no further look until it changes again; one that is not is left for the switch,
/// which alone may call it different.
void narrow_changed_rows(Run& run, std::stop_token stop);

/// Under the fence and after the drain: compares every row that is left, and every table that could only be judged
/// while nothing moves. Throws Failure(divergence) on a difference, Failure(given_up) when too many rows changed.
void compare_changed_rows(Run& run);

}  // namespace reseal::run

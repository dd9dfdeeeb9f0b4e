// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "cutover/decision_record.hpp"
#include "mysql/endpoint.hpp"

namespace reseal::run {

/// Who serves, for a proxy that heard nothing: by the decision record, never by a guess. An attempt to switch that is
/// under way gets `patience` to end. Then it is closed, so that it can never be decided any more, and the fence of the
/// side that goes on is lowered; one that was decided and not finished gets its side opened. One that is known to be
/// over (TargetRecord::backed_out_epoch) is left alone: a fence that stands then is somebody else's. Without an attempt
/// the source serves, unless it says itself that its run is finished. Throws Failure when a server that has to be asked
/// does not answer: nothing is known then.
cutover::Serves settle_attempt(const mysql::Endpoint& source, const mysql::Endpoint& target,
                               std::chrono::milliseconds patience);

}  // namespace reseal::run

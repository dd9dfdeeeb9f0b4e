// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reseal::run {

/// How far a run has got. Each is reached once and stored on the target when it is; but a rollback leads from switched
/// to caught_up. From finished nothing leads anywhere: there is no way back any more.
enum class Phase { fresh, provisioned, seeded, caught_up, verified, switched, finished };

std::string_view name(Phase phase);
std::optional<Phase> phase_named(std::string_view text);

}  // namespace reseal::run

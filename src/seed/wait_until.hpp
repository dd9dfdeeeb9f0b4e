// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string_view>

namespace reseal::seed {

/// Looks at `done` again and again, ten times a second, until it holds; false when `bound` passed before that. Throws
/// Failure(interrupted) on stop, which names `what` we waited for.
bool wait_until(const std::function<bool()>& done, std::chrono::seconds bound, const std::stop_token& stop,
                std::string_view what);

}  // namespace reseal::seed

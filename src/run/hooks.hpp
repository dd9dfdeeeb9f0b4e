// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "base/log.hpp"

namespace reseal::run {

enum class HookResult { absent, succeeded, failed };

/// Runs `folder`/reseal-on-`event`, if it is there and executable, directly (no shell), with `json` on its standard
/// input and its output on our standard error. Waits at most `timeout`, then kills it. A link or a file that others may
/// write is not run and counts as failed.
HookResult run_hook(const std::filesystem::path& folder, const std::string& event, const std::string& json,
                    std::chrono::milliseconds timeout, base::Log& log);

}  // namespace reseal::run

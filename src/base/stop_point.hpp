// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace reseal::base {

enum class Edge { before, after };

/// A named place where a rehearsal or a test can have this process stand still. It does nothing unless the environment
/// variable RESEAL_STOP_AT names it: NAME:before or NAME:after, several with commas between. Then the process stops
/// itself with SIGSTOP, all its threads with it, and goes on at SIGCONT. Each place that is named stops once. Any
/// thread may call it. Not for servers that matter: what is held or fenced stays so while the process stands.
void stop_point(std::string_view name, Edge edge);

}  // namespace reseal::base

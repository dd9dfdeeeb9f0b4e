// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reseal::run {

/// How a run moves the data, chosen when it begins and fixed from then on.
enum class Way {
  stream,  ///< copied row by row while the source serves, then followed by our applier
  dump     ///< copied row by row under the fence: nothing is to be followed, and nothing can be written meanwhile
};

/// When the source stops taking writes.
enum class FenceTime { at_switch, before_copy };

/// A way is one of each.
struct WayParts {
  FenceTime fence;
};
WayParts parts(Way way);

std::string_view name(Way way);
std::optional<Way> way_named(std::string_view text);
/// All of them, for a message: "stream, dump".
std::string way_names();

}  // namespace reseal::run

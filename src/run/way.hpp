// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reseal::run {

/// How a run moves the data, chosen when it begins and fixed from then on.
enum class Way { stream, dump, replica, snapshot };

/// How the target gets its first copy.
enum class SeedKind {
  rows,  ///< row by row, into tables that we make
  clone  ///< the files of the whole server, by its clone plugin, and encrypted in place then
};

/// How the target catches up with what was written meanwhile. Only until the first switch: from then on each side
/// follows the other by our applier.
enum class FollowKind { none, applier, replication };

/// A way is one of each.
struct WayParts {
  SeedKind seed;
  FollowKind follow;
  /// Where nothing is followed, the source stops taking writes before the copy; else at the switch.
  bool fences_first() const { return follow == FollowKind::none; }
};
WayParts parts(Way way);

std::string_view name(Way way);
std::optional<Way> way_named(std::string_view text);
/// All of them, for a message: "stream, dump, …".
std::string way_names();

}  // namespace reseal::run

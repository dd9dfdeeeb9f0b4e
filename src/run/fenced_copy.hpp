// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <stop_token>

#include "run/options.hpp"
#include "run/run.hpp"

namespace reseal::run {

/// The copy of a way whose fence comes first: from the fence on the source takes no writes, so that what is copied and
/// compared afterwards is what it holds until the switch. Why that is right is in docs/correctness.md, "The copy under
/// the fence". Made for one process, in one thread.
class FencedCopy {
 public:
  FencedCopy(Run& run, SwitchOptions options) : run_(run), options_(options) {}

  /// Fences the source, copies and compares; the downtime has begun when it does, and ends with the switch. After a
  /// kill it goes on with the copy when the source's log has not moved since its fence, else it begins anew. On a
  /// failure or `stop` the source takes writes again, and the failure is thrown on; Failure(needs_operator) when it
  /// does not answer, and its fence may stand.
  void execute(std::stop_token stop);

  /// An earlier one was cut off, and its fence may stand.
  bool unfinished() { return run_.copied_under_fence(); }
  /// The source takes writes again. For one that is cut off and not to be gone on with. Can be done again.
  void back_out();

 private:
  void fence();
  void look_ahead();
  void renew_sessions();

  Run& run_;
  SwitchOptions options_;
};

/// How far a run gets before the source is fenced for its copy.
Until ahead_of_fence(Way way);
/// Whether the log of the source has moved since it was fenced for the copy.
bool moved_since_copy(Run& run, const sql::SourcePosition& now);
/// Since the source was fenced for the copy, by this machine's clock; nothing when it was not.
std::optional<std::chrono::milliseconds> downtime_so_far(Run& run);

}  // namespace reseal::run

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "rds/clock.hpp"
#include "rds/model.hpp"

namespace reseal::rds {

/// What one look says of a state that is waited for.
struct Verdict {
  enum class Kind { reached, not_yet, absent, failed };
  Kind kind = Kind::not_yet;
  std::string seen;  ///< for people: "creating, 40 %"
};

// Pure judgements of one look; nothing stands for a resource that is not there.
Verdict judge_available(const std::optional<DbInstance>& instance);
Verdict judge_available(const std::optional<DbSnapshot>& snapshot);
Verdict judge_deleted(const std::optional<DbInstance>& instance);
Verdict judge_deleted(const std::optional<DbSnapshot>& snapshot);
/// An instance in this state answers SQL: available, or storage-optimization and the like.
bool is_usable(std::string_view status);

struct WaitOptions {
  std::chrono::milliseconds interval{15'000};
  std::chrono::milliseconds longest{std::chrono::hours(24)};
  /// So many looks in a row have to say `reached`: an instance may leave `available` again at once for what the service
  /// does after a restore.
  int stable_looks = 1;
  /// Told what is seen whenever it changes. May be empty.
  std::function<void(const std::string&)> tell;
};

/// Looks until the state is reached. `what` names it in messages: "the snapshot reseal-1a2b-copy". Throws Failure:
/// source when it failed or vanished, transient at the deadline, interrupted when stopped; whatever `look` throws.
void wait_until(const std::string& what, const std::function<Verdict()>& look, const WaitOptions& options,
                const Clock& clock, const std::stop_token& stop);

}  // namespace reseal::rds

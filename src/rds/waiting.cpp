// SPDX-License-Identifier: Apache-2.0
#include "rds/waiting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/failure.hpp"

namespace reseal::rds {
namespace {

using base::Failure;
using base::FailureKind;

// What an instance does not come out of by waiting.
constexpr std::array<std::string_view, 14> dead_ends = {"failed",
                                                        "deleting",
                                                        "restore-error",
                                                        "incompatible-network",
                                                        "incompatible-option-group",
                                                        "incompatible-parameters",
                                                        "incompatible-restore",
                                                        "incompatible-create",
                                                        "insufficient-capacity",
                                                        "inaccessible-encryption-credentials",
                                                        "inaccessible-encryption-credentials-recoverable",
                                                        "stopped",
                                                        "stopping",
                                                        "storage-full"};
constexpr std::array<std::string_view, 2> dead_snapshots = {"failed", "deleting"};

template <std::size_t N>
bool among(const std::array<std::string_view, N>& states, std::string_view state) {
  return std::find(states.begin(), states.end(), state) != states.end();
}

std::string seen(const DbSnapshot& snapshot) {
  return snapshot.status == "available" ? snapshot.status
                                        : fmt::format("{}, {} %", snapshot.status, snapshot.percent_progress);
}

}  // namespace

bool is_usable(std::string_view status) {
  constexpr std::array<std::string_view, 3> usable = {"available", "storage-optimization", "storage-initialization"};
  return among(usable, status);
}

Verdict judge_available(const std::optional<DbInstance>& instance) {
  if (!instance) return {Verdict::Kind::absent, "not there"};
  if (among(dead_ends, instance->status)) return {Verdict::Kind::failed, instance->status};
  if (is_usable(instance->status) && !instance->address.empty()) return {Verdict::Kind::reached, instance->status};
  return {Verdict::Kind::not_yet, instance->status};
}

Verdict judge_available(const std::optional<DbSnapshot>& snapshot) {
  if (!snapshot) return {Verdict::Kind::absent, "not there"};
  if (among(dead_snapshots, snapshot->status)) return {Verdict::Kind::failed, snapshot->status};
  return {snapshot->status == "available" ? Verdict::Kind::reached : Verdict::Kind::not_yet, seen(*snapshot)};
}

Verdict judge_deleted(const std::optional<DbInstance>& instance) {
  if (!instance) return {Verdict::Kind::reached, "gone"};
  // Any other state means that nobody is deleting it.
  return {instance->status == "deleting" ? Verdict::Kind::not_yet : Verdict::Kind::failed, instance->status};
}

Verdict judge_deleted(const std::optional<DbSnapshot>& snapshot) {
  if (!snapshot || snapshot->status == "deleted") return {Verdict::Kind::reached, "gone"};
  return {snapshot->status == "deleting" ? Verdict::Kind::not_yet : Verdict::Kind::failed, snapshot->status};
}

void wait_until(const std::string& what, const std::function<Verdict()>& look, const WaitOptions& options,
                const Clock& clock, const std::stop_token& stop) {
  const auto deadline = clock.now() + options.longest;
  std::string last;
  bool was_there = false;
  for (int reached = 0;;) {
    if (stop.stop_requested())
      throw Failure(FailureKind::interrupted, fmt::format("{} is {}: stopped waiting for it", what, last));
    const auto verdict = look();
    if (verdict.seen != last && options.tell) options.tell(fmt::format("{}: {}", what, verdict.seen));
    last = verdict.seen;
    // What was just made may not be seen for a moment; what was seen and is gone was taken away.
    const bool vanished = verdict.kind == Verdict::Kind::absent && was_there;
    was_there = was_there || verdict.kind != Verdict::Kind::absent;
    if (verdict.kind == Verdict::Kind::failed || vanished)
      throw Failure(FailureKind::source,
                    fmt::format("{} is {}: it will not come to what was waited for. See its events:"
                                " aws rds describe-events --duration 1440",
                                what, last));
    reached = verdict.kind == Verdict::Kind::reached ? reached + 1 : 0;
    if (reached >= options.stable_looks) return;
    if (clock.now() + options.interval > deadline)
      throw Failure(FailureKind::transient,
                    fmt::format("{} is still {} after {} min; run the same command again to go on waiting", what, last,
                                std::chrono::duration_cast<std::chrono::minutes>(options.longest).count()));
    clock.wait(options.interval, stop);
  }
}

}  // namespace reseal::rds

// SPDX-License-Identifier: Apache-2.0
#include "run/live_follow.hpp"

#include <algorithm>

#include "base/failure.hpp"

namespace reseal::run {

using base::Failure;
using base::FailureKind;
using std::chrono::milliseconds;

namespace {
constexpr auto slice = milliseconds(200);  // between two looks at whether the follow has failed
}

LiveFollow::LiveFollow(mysql::Endpoint source, follow::SinkMaker sinks, follow::FollowScope scope,
                       std::uint32_t server_id, follow::ChangedKeys& changed, base::Log& log)
    : follower_(std::move(source), std::move(sinks), std::move(scope), server_id, changed, log),
      thread_([this](std::stop_token stop) {
        try {
          follower_.run(stop);
        } catch (const std::exception&) {
          const std::lock_guard lock(mutex_);
          failure_ = std::current_exception();
        }
      }) {}

LiveFollow::~LiveFollow() = default;

void LiveFollow::check() const {
  const std::lock_guard lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
}

void LiveFollow::wait_until(const sql::SourcePosition& position, std::stop_token stop, milliseconds timeout) const {
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (true) {
    check();
    const auto left = std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now());
    if (follower_.wait_until(position, stop, std::clamp(left, milliseconds(0), slice))) return;
    if (stop.stop_requested()) throw Failure(FailureKind::interrupted, "stopped while following");
    if (left <= milliseconds(0))
      throw Failure(FailureKind::transient, "the follow did not reach " + position.binlog.text() +
                                                " in time; it is at " + status().applied.binlog.text());
  }
}

void LiveFollow::wait_until_strict(std::stop_token stop) const {
  while (!follower_.wait_until_strict(stop, slice)) {
    check();
    if (stop.stop_requested()) throw Failure(FailureKind::interrupted, "stopped while following");
  }
}

}  // namespace reseal::run

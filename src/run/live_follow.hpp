// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <memory>
#include <mutex>
#include <thread>

#include "follow/follower.hpp"

namespace reseal::run {

/// The follow, running in a thread of its own. Any thread may wait; when the follow has failed, waiting throws its
/// failure.
class LiveFollow {
 public:
  LiveFollow(mysql::Endpoint source, follow::SinkMaker sinks, follow::FollowScope scope, std::uint32_t server_id,
             follow::ChangedKeys& changed, base::Log& log);
  ~LiveFollow();
  LiveFollow(const LiveFollow&) = delete;
  LiveFollow& operator=(const LiveFollow&) = delete;

  follow::FollowStatus status() const { return follower_.status(); }
  /// Throws the follow's failure, if it has failed.
  void check() const;
  /// Waits until `position` is applied. Throws Failure(interrupted) on stop and Failure(transient) after `timeout`.
  void wait_until(const sql::SourcePosition& position, std::stop_token stop, std::chrono::milliseconds timeout) const;
  /// Waits, however long it takes, until the seed's overlap has been applied.
  void wait_until_strict(std::stop_token stop) const;

 private:
  follow::Follower follower_;
  mutable std::mutex mutex_;
  std::exception_ptr failure_;
  std::jthread thread_;
};

}  // namespace reseal::run

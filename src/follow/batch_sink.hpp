// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include "follow/progress.hpp"

namespace reseal::follow {

/// Where the batches of a follow go: on the target by our own hand (BatchWriter), or only waited for, because the
/// target's own replication writes them (ChannelSink). One sink serves one connection's worth of following.
///
/// Not thread-safe. After a throw the sink must be discarded.
class BatchSink {
 public:
  virtual ~BatchSink() = default;

  /// Where to read on. `half_done`, if any, names the batch that must be written first and goes away with it.
  virtual const Resume& resume() const = 0;
  /// Takes a part of a batch whose last transaction is not complete yet.
  virtual void spill(const Batch& part) = 0;
  /// Returns once the batch is on the target for good, with the new progress; with `spilled`, as the end of the
  /// transaction whose parts were spilled. Nothing when `stop` came first: the batch then counts as never read.
  virtual std::optional<LaneProgress> write(const Batch& batch, bool spilled, std::stop_token stop) = 0;
  /// The follow has met what it must not pass. Whatever writes to the target without being asked is to stand still.
  virtual void halt() noexcept {}
};

/// Makes the sink for each attempt. Called from the follow's thread; may throw Failure.
using SinkMaker = std::function<std::unique_ptr<BatchSink>()>;

}  // namespace reseal::follow

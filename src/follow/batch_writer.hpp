// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <vector>

#include "follow/batch_sink.hpp"

namespace reseal::follow {

/// Writes batches to the target, each together with its progress. Small batches, and the parts of a transaction too big
/// for memory, go through one session in one transaction; large ones are split into lanes that commit side by side.
/// A kill between two lanes' commits is seen from their progress: `resume().half_done` then names the batch, which must
/// be the first one written, and only the lanes that miss it apply it.
///
/// Not thread-safe. After a throw the writer must be discarded: the server rolls back what was not committed.
class BatchWriter final : public BatchSink {
 public:
  explicit BatchWriter(const mysql::Endpoint& target);
  ~BatchWriter() override;

  /// What the target held when this writer was made; `half_done` goes away once that batch is written.
  const Resume& resume() const override { return resume_; }
  /// Applies a part of a batch whose last transaction is not complete yet; nothing is committed.
  void spill(const Batch& part) override;
  /// Applies and commits; with `spilled`, as the end of the open transaction. Does not look at the stop: it is soon
  /// done.
  std::optional<LaneProgress> write(const Batch& batch, bool spilled, std::stop_token stop) override;

 private:
  LaneProgress next_progress(const Batch& batch) const;
  void write_whole(const Batch& batch, const LaneProgress& next);
  void write_lanes(const Batch& batch, const LaneProgress& next, const std::vector<bool>& done);
  void write_one_lane(std::size_t lane, const LaneWork& work, const LaneProgress& next);

  std::vector<mysql::Session> sessions_;  ///< one per lane
  Resume resume_;
  LaneProgress last_;  ///< as of the last batch, whether its empty progress was stored or not
  std::uint64_t stored_batch_ = 0;
  bool open_ = false;  ///< a spilled transaction is open on the first session
  std::chrono::steady_clock::time_point stored_at_{};
};

/// The sinks of a follow that our own applier writes to `target`.
SinkMaker applying_to(mysql::Endpoint target);

}  // namespace reseal::follow

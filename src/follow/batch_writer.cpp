// SPDX-License-Identifier: Apache-2.0
#include "follow/batch_writer.hpp"

#include <algorithm>

#include "base/failure.hpp"
#include "base/task_group.hpp"

namespace reseal::follow {
namespace {

using base::Failure;
using base::FailureKind;

constexpr std::size_t worth_splitting = 256 << 10;  // bytes; below it one commit is cheaper than several
constexpr auto store_empty_after = std::chrono::seconds(2);
constexpr int tries = 10;
constexpr unsigned lock_wait_timeout = 1205;  // ER_LOCK_WAIT_TIMEOUT
constexpr unsigned deadlock = 1213;           // ER_LOCK_DEADLOCK

/// Runs `work` in a transaction, again after a deadlock or lock wait: both rolled it back or leave it to us to.
template <typename Work>
void in_transaction(mysql::Session& session, const Work& work) {
  for (int attempt = 1;; ++attempt) {
    try {
      session.execute("START TRANSACTION");
      work();
      session.execute("COMMIT");
      return;
    } catch (const Failure& failure) {
      const bool again = failure.server_errno() == deadlock || failure.server_errno() == lock_wait_timeout;
      if (!again || attempt == tries) throw;
      session.execute("ROLLBACK");
    }
  }
}

}  // namespace

BatchWriter::BatchWriter(const mysql::Endpoint& target) {
  sessions_.emplace_back(target, mysql::Side::target);
  const auto lanes = read_lanes(sessions_.front());
  RESEAL_CHECK(!lanes.empty());
  resume_ = resume_from(lanes);
  last_ = resume_.from;
  stored_batch_ = last_.batch;
  for (std::size_t lane = 1; lane < lanes.size(); ++lane) sessions_.emplace_back(target, mysql::Side::target);
  for (auto& session : sessions_) mysql::without_binlog(session);
}

BatchWriter::~BatchWriter() = default;

LaneProgress BatchWriter::next_progress(const Batch& batch) const {
  LaneProgress next;
  next.batch = stored_batch_ + 1;
  next.start = batch.start;
  next.end = batch.end;
  next.strictness = batch.turns_strict ? Strictness::strict : last_.strictness;
  next.commit_us = batch.last_commit_us;
  return next;
}

void BatchWriter::spill(const Batch& part) {
  // A half-done batch was split into lanes, and such a batch never outgrew the memory bound the first time.
  if (resume_.half_done)
    throw Failure(FailureKind::divergence, "the batch to complete is larger than it was: the memory bound was changed");
  auto& session = sessions_.front();
  if (!open_) session.execute("START TRANSACTION");
  open_ = true;
  for (const auto& work : split_into_lanes(part, 1)) apply_lane(session, work, last_.strictness);
}

std::optional<LaneProgress> BatchWriter::write(const Batch& batch, bool spilled, std::stop_token) {
  auto next = next_progress(batch);
  const auto half_done = std::exchange(resume_.half_done, std::nullopt);
  const bool worth_storing = !batch.empty() || spilled || batch.turns_strict || half_done ||
                             std::chrono::steady_clock::now() - stored_at_ > store_empty_after;
  if (!worth_storing) {
    last_ = next;
    return last_;
  }
  if (half_done) {
    write_lanes(batch, next, half_done->done);
  } else if (spilled || batch.weight < worth_splitting || sessions_.size() == 1) {
    write_whole(batch, next);
  } else {
    write_lanes(batch, next, std::vector<bool>(sessions_.size(), false));
  }
  stored_batch_ = next.batch;
  stored_at_ = std::chrono::steady_clock::now();
  last_ = next;
  return last_;
}

void BatchWriter::write_whole(const Batch& batch, const LaneProgress& next) {
  auto& session = sessions_.front();
  const auto work = [&] {
    for (const auto& lane : split_into_lanes(batch, 1)) apply_lane(session, lane, last_.strictness);
    for (std::size_t lane = 0; lane < sessions_.size(); ++lane) write_lane(session, lane, next);
  };
  if (!open_) return in_transaction(session, work);
  // The earlier parts are in this transaction already, so it cannot be tried again from here.
  work();
  session.execute("COMMIT");
  open_ = false;
}

void BatchWriter::write_one_lane(std::size_t lane, const LaneWork& work, const LaneProgress& next) {
  in_transaction(sessions_[lane], [&] {
    apply_lane(sessions_[lane], work, last_.strictness);
    write_lane(sessions_[lane], lane, next);
  });
}

void BatchWriter::write_lanes(const Batch& batch, const LaneProgress& next, const std::vector<bool>& done) {
  const auto work = split_into_lanes(batch, sessions_.size());
  base::TaskGroup group;
  for (std::size_t lane = 0; lane < sessions_.size(); ++lane)
    if (!done[lane]) group.start([&, lane](std::stop_token) { write_one_lane(lane, work[lane], next); });
  group.join();
}

SinkMaker applying_to(mysql::Endpoint target) {
  return [target = std::move(target)] { return std::make_unique<BatchWriter>(target); };
}

}  // namespace reseal::follow

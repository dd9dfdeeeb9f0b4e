// SPDX-License-Identifier: Apache-2.0
#include "follow/follower.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include "base/bounded_queue.hpp"
#include "base/task_group.hpp"
#include "binlog/transaction_assembler.hpp"
#include "mysql/binlog_stream.hpp"

namespace reseal::follow {

using base::Failure;
using base::FailureKind;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t queue_bytes = 16 << 20;
constexpr auto stuck_after = std::chrono::seconds(4);  // four heartbeats
constexpr auto huge_row_poll = milliseconds(5);
constexpr auto retry_wait = milliseconds(500);

std::uint64_t wall_clock_us() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
}

}  // namespace

/// One connection's worth of following: from the progress on the target until a failure or a stop.
class Follower::Attempt {
 public:
  explicit Attempt(Follower& follower)
      : follower_(follower),
        sink_(follower.sinks_()),
        builder_(follower.scope_, sink_->resume().from.end, [this](Batch& part) { spill(part); }),
        queue_(queue_bytes) {
    if (!sink_->resume().half_done) follower_.resumed(sink_->resume().from);
  }

  void run(std::stop_token stop) {
    const auto start = sink_->resume().from.end;
    binlog::TransactionAssembler assembler({start.binlog, binlog::ChecksumAlgorithm::crc32, {}});
    base::TaskGroup group(stop);
    group.start([this, start](std::stop_token token) { read(start, token); });
    group.start([this, &assembler](std::stop_token token) { apply(assembler, token); });
    try {
      group.join();
    } catch (const Failure& failure) {
      if (failure.kind() == FailureKind::unsupported) sink_->halt();
      throw;
    }
  }

 private:
  void read(const sql::SourcePosition& start, std::stop_token stop) {
    mysql::BinlogStreamOptions options;
    options.server_id = follower_.server_id_;
    mysql::BinlogStream stream(follower_.source_, start, follower_.scope_.by_gtid, options);
    while (auto event = stream.next(stop)) {
      follower_.heard();
      const auto weight = (*event)->size();
      const std::weak_ptr<const std::string> held = *event;
      if (!queue_.push(std::move(*event), weight, stop)) break;
      // A huge row is applied before the next is read, so that one at a time is held. It never waits for its
      // transaction's end: what is larger than a batch is spilled at once.
      while (weight > follower_.scope_.batch_bytes && !held.expired() && !stop.stop_requested())
        std::this_thread::sleep_for(huge_row_poll);
    }
    queue_.close();
  }

  void apply(binlog::TransactionAssembler& assembler, std::stop_token stop) {
    while (!stop.stop_requested()) {
      auto event = queue_.try_pop();
      if (!event && builder_.ready() && !completing()) {
        write(stop);
        continue;
      }
      if (!event && !builder_.ready() && !assembler.in_transaction()) follower_.idle(assembler.position());
      if (!event) event = queue_.pop(stop);
      if (!event) return;
      base::value_or_fail(assembler.feed(*event, builder_), "binary log at " + assembler.position().text());
      event.reset();
      if (completing() ? completed() : builder_.full()) write(stop);
      if (!completing() && builder_.spilled() && builder_.ready()) write(stop);
    }
  }

  /// Before anything new, the batch that a kill left half done is read again, to its end exactly.
  bool completing() const { return sink_->resume().half_done.has_value(); }
  bool completed() const {
    const auto& end = sink_->resume().half_done->end;
    if (!builder_.ready()) return false;
    return follower_.scope_.by_gtid ? builder_.position().gtids.contains(end.gtids)
                                    : builder_.position().binlog >= end.binlog;
  }

  /// Its keys are told together with the rest of its transaction: nobody may compare them before.
  void spill(const Batch& part) {
    sink_->spill(part);
    spilled_keys_.add(part);
  }

  void write(const std::stop_token& stop) {
    const bool was_spilled = builder_.spilled();
    const auto batch = builder_.take();
    follower_.writing();
    const auto progress = sink_->write(batch, was_spilled, stop);
    if (!progress) return;  // stopped
    follower_.changed_.add(batch);
    if (was_spilled) {
      follower_.changed_.add(spilled_keys_.snapshot());
      spilled_keys_.clear();
    }
    follower_.applied(batch, *progress);
  }

  Follower& follower_;
  std::unique_ptr<BatchSink> sink_;
  BatchBuilder builder_;
  ChangedKeys spilled_keys_;
  base::BoundedQueue<binlog::EventBytes> queue_;
};

Follower::Follower(mysql::Endpoint source, SinkMaker sinks, FollowScope scope, std::uint32_t server_id,
                   ChangedKeys& changed, base::Log& log)
    : source_(std::move(source)),
      sinks_(std::move(sinks)),
      scope_(std::move(scope)),
      server_id_(server_id),
      changed_(changed),
      log_(log) {}

void Follower::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    try {
      Attempt(*this).run(stop);
    } catch (const Failure& failure) {
      {
        const std::lock_guard lock(mutex_);
        status_.connected = false;
        writing_since_.reset();
      }
      if (failure.kind() != FailureKind::transient) throw;
      log_.warn(std::string("the follow lost a server and tries again: ") + failure.what());
      std::unique_lock lock(mutex_);
      moved_.wait_for(lock, stop, retry_wait, [] { return false; });
    }
  }
}

void Follower::heard() {
  const std::lock_guard lock(mutex_);
  heard_at_ = steady_clock::now();
  status_.connected = true;
}

void Follower::writing() {
  const std::lock_guard lock(mutex_);
  writing_since_ = steady_clock::now();
}

void Follower::applied(const Batch& batch, const LaneProgress& progress) {
  {
    const std::lock_guard lock(mutex_);
    writing_since_.reset();
    status_.applied = progress.end;
    status_.strictness = progress.strictness;
    status_.transactions += batch.transactions;
    status_.changes += batch.changes;
    const auto now = wall_clock_us();
    status_.lag = milliseconds(now > batch.last_commit_us ? (now - batch.last_commit_us) / 1000 : 0);
  }
  moved_.notify_all();
}

void Follower::resumed(const LaneProgress& progress) {
  {
    const std::lock_guard lock(mutex_);
    status_.applied = progress.end;
    status_.strictness = progress.strictness;
  }
  moved_.notify_all();
}

void Follower::idle(const sql::BinlogPosition& read_to) {
  {
    const std::lock_guard lock(mutex_);
    status_.applied.binlog = read_to;
    if (status_.connected) status_.lag = milliseconds(0);
  }
  moved_.notify_all();
}

FollowStatus Follower::status() const {
  const std::lock_guard lock(mutex_);
  auto status = status_;
  if (steady_clock::now() - heard_at_ > stuck_after) {
    status.lag.reset();
    status.connected = false;
  }
  if (writing_since_ && steady_clock::now() - *writing_since_ > stuck_after) status.lag.reset();
  return status;
}

bool Follower::reached(const sql::SourcePosition& position) const {
  return scope_.by_gtid ? status_.applied.gtids.contains(position.gtids) && !status_.applied.binlog.empty()
                        : !status_.applied.binlog.empty() && status_.applied.binlog >= position.binlog;
}

bool Follower::wait_until(const sql::SourcePosition& position, std::stop_token stop, milliseconds timeout) const {
  std::unique_lock lock(mutex_);
  return moved_.wait_for(lock, stop, timeout, [&] { return reached(position); });
}

bool Follower::wait_until_strict(std::stop_token stop, milliseconds timeout) const {
  std::unique_lock lock(mutex_);
  return moved_.wait_for(lock, stop, timeout,
                         [&] { return !status_.applied.binlog.empty() && status_.strictness == Strictness::strict; });
}

}  // namespace reseal::follow

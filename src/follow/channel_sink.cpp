// SPDX-License-Identifier: Apache-2.0
#include "follow/channel_sink.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "base/failure.hpp"

namespace reseal::follow {
namespace {

using base::Failure;
using base::FailureKind;
using Receiver = ChannelStatus::Receiver;

constexpr auto poll = std::chrono::milliseconds(20);

// MySQL manual, "Server Error Message Reference" and "Client Error Message Reference".
// What a new start of the applier may get over: lock waits, deadlocks, a shutdown.
constexpr std::array<unsigned, 6> applier_again = {1053, 1205, 1213, 1317, 1927, 3168};
// No room, no key of the keyring, a relay log that cannot be read: nothing is wrong with the rows.
constexpr std::array<unsigned, 7> applier_stuck = {1021, 1030, 1114, 1593, 1594, 3185, 13121};
// The network, or a source that is on its way down or up.
constexpr std::array<unsigned, 13> receiver_again = {1040, 1053, 1158, 1159, 1160, 1161, 1203,
                                                     2002, 2003, 2005, 2006, 2013, 3032};
// A login that will not succeed without a person: tried again and again by the server all the same.
constexpr std::array<unsigned, 8> receiver_refused = {1044, 1045, 1130, 1227, 1862, 2061, 3118, 3159};

template <std::size_t N>
bool one_of(unsigned number, const std::array<unsigned, N>& list) {
  return std::find(list.begin(), list.end(), number) != list.end();
}

std::string head(const NativeChannel& channel) {
  return channel.dialect().text() + " on the target " + channel.target().text();
}

[[noreturn]] void applier_failed(const NativeChannel& channel, const ChannelStatus& status, unsigned why) {
  const auto what = head(channel) + " stopped executing with error " + std::to_string(why) + " after the source's " +
                    status.executed.binlog.text();
  const std::string look =
      " What the error says may hold row values and stands only on that server, in"
      " performance_schema.replication_applier_status_by_worker.";
  if (one_of(why, applier_again)) throw Failure(FailureKind::transient, what + "; it is started again", why);
  if (one_of(why, applier_stuck))
    throw Failure(FailureKind::target,
                  what + "; everything before is executed, and nothing is lost." + look +
                      " Mend the cause there (disk, keyring, relay log), and start again",
                  why);
  throw Failure(FailureKind::divergence,
                what +
                    ": the target does not hold what the source held there. The source was not changed, and the"
                    " target stands at that place." +
                    look + " Repair the rows it names, or cancel the run and start again",
                why);
}

[[noreturn]] void receiver_failed(const NativeChannel& channel, const ChannelStatus& status) {
  const auto why = status.receiver_errno;
  throw Failure(FailureKind::source,
                head(channel) + " cannot read the source's log at " + status.host + ":" + std::to_string(status.port) +
                    " (error " + std::to_string(why) + ", received up to " + status.received.binlog.text() +
                    "); what it has received is executed, and nothing is lost. Look at Last_IO_Error of SHOW REPLICA"
                    " STATUS on the target: the account reseal_follow on the source, a purged log, or two servers with"
                    " one server_id are the usual causes. Mend it, and start again",
                why);
}

/// What one maker's sinks have in common.
struct Place {
  mysql::Endpoint target;
  bool by_gtid;
  base::Log& log;
  std::optional<sql::SourcePosition> written;  ///< up to here the keys are known
};

class ChannelSink final : public BatchSink {
 public:
  explicit ChannelSink(std::shared_ptr<Place> place) : place_(std::move(place)), channel_(place_->target) {
    const auto status = channel_.status();
    start_if_stopped(status);
    if (!place_->written) place_->written = status.executed;
    resume_.from.end = *place_->written;
    resume_.from.strictness = Strictness::strict;
  }

  const Resume& resume() const override { return resume_; }
  void spill(const Batch&) override {}

  std::optional<LaneProgress> write(const Batch& batch, bool, std::stop_token stop) override {
    while (!executed(batch.end))
      if (!wait(stop)) return std::nullopt;
    place_->written = batch.end;
    LaneProgress progress;
    progress.start = batch.start;
    progress.end = batch.end;
    progress.strictness = Strictness::strict;
    progress.commit_us = batch.last_commit_us;
    return progress;
  }

  // The whole channel: RDS has no procedure for the applier alone. Its places are durable, so nothing is lost by it.
  void halt() noexcept override {
    try {
      channel_.stop();
      place_->log.warn(head(channel_) + " was stopped, because the follow cannot go on");
    } catch (const std::exception& failure) {
      place_->log.warn(head(channel_) + " could not be stopped and may run on: " + failure.what());
    }
  }

 private:
  void start_if_stopped(const ChannelStatus& status) {
    const bool stands = status.exists && (status.receiver == Receiver::stands || !status.applier_runs);
    const bool may_start =
        (status.applier_runs || status.why_applier() == 0 || one_of(status.why_applier(), applier_again)) &&
        (status.receiver_errno == 0 || one_of(status.receiver_errno, receiver_again));
    if (!stands || !may_start) return require_going(channel_, status);
    place_->log.info(head(channel_) + " was stopped and is started");
    channel_.start();
  }

  bool executed(const sql::SourcePosition& position) {
    const auto status = channel_.status();
    const bool there = place_->by_gtid ? status.executed.gtids.contains(position.gtids)
                                       : !status.executed.binlog.empty() && status.executed.binlog >= position.binlog;
    if (!there) require_going(channel_, status);
    return there;
  }

  /// False when `stop` was requested.
  bool wait(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    woken_.wait_for(lock, stop, poll, [] { return false; });
    return !stop.stop_requested();
  }

  std::shared_ptr<Place> place_;
  NativeChannel channel_;
  Resume resume_;
  std::mutex mutex_;
  std::condition_variable_any woken_;
};

}  // namespace

void require_going(const NativeChannel& channel, const ChannelStatus& status) {
  if (!status.exists)
    throw Failure(FailureKind::target, head(channel) +
                                           " is gone: somebody took it away. The source was not changed, and"
                                           " the target stands where it was. Start again");
  if (!status.applier_runs && status.why_applier() != 0) applier_failed(channel, status, status.why_applier());
  const bool refused = status.receiver == Receiver::connecting && one_of(status.receiver_errno, receiver_refused);
  const bool gave_up = status.receiver == Receiver::stands && status.receiver_errno != 0 &&
                       !one_of(status.receiver_errno, receiver_again);
  if (refused || gave_up) receiver_failed(channel, status);
  if (!status.applier_runs || status.receiver == Receiver::stands)
    throw Failure(FailureKind::transient, head(channel) + " was stopped");
  if (status.receiver == Receiver::connecting && status.receiver_errno != 0)
    throw Failure(FailureKind::transient,
                  head(channel) + " has lost the source (error " + std::to_string(status.receiver_errno) +
                      ") and goes on by itself when it is back",
                  status.receiver_errno);
}

SinkMaker waiting_for_channel(mysql::Endpoint target, bool by_gtid, base::Log& log) {
  auto place = std::make_shared<Place>(Place{std::move(target), by_gtid, log, std::nullopt});
  return [place] { return std::make_unique<ChannelSink>(place); };
}

}  // namespace reseal::follow

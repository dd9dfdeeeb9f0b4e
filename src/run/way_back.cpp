// SPDX-License-Identifier: Apache-2.0
// The way back: while the target serves, the source follows it, and is looked at for writes of others.
#include <chrono>
#include <thread>

#include "base/failure.hpp"
#include "follow/table_binding.hpp"
#include "run/run.hpp"

namespace reseal::run {

using base::Failure;
using base::FailureKind;

namespace {

constexpr auto hold_slice = std::chrono::milliseconds(200);
constexpr auto look_at_source_every = std::chrono::seconds(10);
constexpr unsigned log_is_gone = 1236;                    // ER_MASTER_FATAL_ERROR_READING_BINLOG
constexpr const char* way_back_note = "way_back_broken";  // in the journal: why, empty when it is not

/// Whether a way back that failed so can be mended: what the server lacks (space, a privilege) can, a log that does not
/// fit the rows cannot.
bool for_good(const Failure& failure) {
  return failure.kind() == FailureKind::divergence || failure.kind() == FailureKind::unsupported ||
         failure.server_errno() == log_is_gone;
}

}  // namespace

void Run::follow_back() {
  RESEAL_CHECK(serves_ == cutover::Serves::target);
  throw_if_poisoned(true);
  if (!live_) start_follow();
}

void Run::make_ready_for_rollback(std::stop_token stop) {
  refuse_written_source();
  try {
    follow_back();
    if (!verified_here_) verify(std::move(stop));
  } catch (const Failure& failure) {
    way_back_failed(failure);
    throw;
  }
}

void Run::hold(std::stop_token stop) {
  auto look_at = std::chrono::steady_clock::now();
  try {
    while (!stop.stop_requested()) {
      live().check();
      if (serves_ == cutover::Serves::target && std::chrono::steady_clock::now() >= look_at) {
        watch_source();
        look_at = std::chrono::steady_clock::now() + look_at_source_every;
      }
      std::this_thread::sleep_for(hold_slice);
    }
  } catch (const Failure& failure) {
    if (serves_ == cutover::Serves::target) way_back_failed(failure);
    throw;
  }
}

/// A server that is away is looked at again later: the follow waits for it too.
void Run::watch_source() {
  try {
    const auto written = written_on_source();
    if (written.none()) return;
    record("source-written", written.text());
    log_.warn("others write on the source, past its fence: " + written.text() +
              ". A rollback refuses until that is accepted");
  } catch (const Failure& failure) {
    if (failure.kind() != FailureKind::transient) throw;
    try {
      reconnect();
    } catch (const Failure& lost) {
      if (lost.kind() != FailureKind::transient) throw;
    }
  }
}

StandbyWrites Run::written_on_source() {
  RESEAL_CHECK(serves_ == cutover::Serves::target);
  if (!source_log_) {
    const auto decision = cutover::latest_decision(*target_);
    RESEAL_CHECK(decision && decision->serves == cutover::Serves::target);
    const auto server_id = static_cast<std::uint32_t>(follow::stable_hash(id_ + ":source") | 0x80000000U);
    source_log_.emplace(options_.source, source_facts_, schemas_, decision->source, server_id);
  }
  return source_log_->look(*source_);
}

void Run::refuse_written_source() {
  const auto written = written_on_source();
  if (written.none()) return;
  record("source-written", written.text());
  if (!options_.accept_source_writes) {
    source_log_.reset();  // the next look begins at the switch again
    throw Failure(FailureKind::refused,
                  "not ready to switch: others have written on the source, past its fence: " + written.text() +
                      ". The target does not have it. Nothing was changed. Bring what is wanted over to the target by"
                      " hand, and run rollback with --accept-source-writes: it compares every row all the same");
  }
  log_.warn("accepted: others have written on the source: " + written.text());
}

void Run::way_back_failed(const Failure& failure) {
  const auto kind = failure.kind();
  if (kind != FailureKind::divergence && kind != FailureKind::unsupported && kind != FailureKind::source &&
      kind != FailureKind::target)
    return;
  record("way-back-broken", failure.what());
  note(way_back_note, failure.what());
  if (!for_good(failure)) return;
  try {
    reconnect();
    if (!poisoned()) poison(std::string("way back: ") + failure.what());
  } catch (const Failure& lost) {
    // The journal holds it, and that is enough.
    note("poison", std::string("way back: ") + failure.what());
    log_.warn(std::string("the target could not be told that the way back is broken: ") + lost.what());
  }
}

}  // namespace reseal::run

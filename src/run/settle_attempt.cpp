// SPDX-License-Identifier: Apache-2.0
#include "run/settle_attempt.hpp"

#include <thread>

#include "base/failure.hpp"
#include "fence/source_fence.hpp"
#include "run/finished_marker.hpp"
#include "run/identity.hpp"
#include "run/own_sessions.hpp"
#include "run/target_record.hpp"

namespace reseal::run {

using cutover::Serves;
using std::chrono::steady_clock;

namespace {

constexpr auto look_again = std::chrono::milliseconds(100);

bool decided(mysql::Session& target, std::uint64_t epoch) {
  const auto decision = cutover::latest_decision(target);
  return decision && decision->epoch == epoch;
}

/// After the fence is down, never before. Whoever does not find it settles the attempt once more.
void note_backed_out(mysql::Session& target, std::uint64_t epoch) {
  try {
    TargetRecord(target).backed_out(epoch);
  } catch (const base::Failure&) {
    // Who serves is known all the same, and clients wait.
  }
}

/// No attempt on the target: either no run has come so far, or the record was removed after the run was finished.
/// Only the source can tell.
Serves without_record(const mysql::Endpoint& source) {
  if (source.user.empty())
    throw base::Failure(base::FailureKind::refused,
                        "the target holds no record of who serves, and the source cannot be asked without an account");
  mysql::Session session(source, mysql::Side::source);
  return finished_run(session).empty() ? Serves::source : Serves::target;
}

}  // namespace

Serves settle_attempt(const mysql::Endpoint& source, const mysql::Endpoint& target,
                      std::chrono::milliseconds patience) {
  const auto process = new_run_id();
  mysql::Session first(target, mysql::Side::target);
  const auto attempt = cutover::latest_attempt(first);
  if (!attempt) return without_record(source);
  const auto until = steady_clock::now() + patience;
  while (!decided(first, attempt->epoch) && !cutover::closed(first, attempt->epoch) && steady_clock::now() < until)
    std::this_thread::sleep_for(look_again);
  const auto throw_if_overtaken = [&](mysql::Session& session) {
    const auto now = cutover::latest_attempt(session);  // none: the record was dropped, by finish
    if (!now || now->epoch != attempt->epoch)
      throw base::Failure(base::FailureKind::transient, "another attempt to switch has begun meanwhile");
  };
  // Of an attempt that is over nothing is left to be put right. Should a fence stand now, it is somebody else's.
  if (cutover::closed(first, attempt->epoch) && TargetRecord(first).backed_out_epoch() == attempt->epoch) {
    throw_if_overtaken(first);
    return attempt->from;
  }
  auto run_id = TargetRecord(first).get("run_id").value_or("");
  // Sessions of this process carry the run's name, so that the next attempt ends them with whatever they have sent.
  const auto open = [&](Serves side, mysql::Side dialect) {
    auto endpoint = side == Serves::source ? source : target;
    endpoint.run = run_id;
    endpoint.process = process;
    return mysql::Session(endpoint, dialect);
  };
  auto record = open(Serves::target, mysql::Side::target);
  mysql::without_binlog(record);
  // What was read is only true until the next attempt, which ends all sessions that are open then. So the session that
  // acts is opened first, and the record is looked at after that.
  // In this order: open a session, close the attempt, end the tools' sessions, lower the fence in the session that was
  // opened before. Then no order that a tool has sent under this attempt can raise the fence again behind our back.
  // An attempt that is decided stays so, and the side that it left is not asked: it may be gone.
  if (!decided(record, attempt->epoch)) {
    auto going_on = open(attempt->from, mysql::Side::source);
    if (cutover::close_attempts(record, run_id)) {
      throw_if_overtaken(record);
      end_other_sessions(going_on, run_id, process);
      // Also when it looks lowered: half of it may stand, by another proxy that writes the record just now, or by one
      // who died before the server's next start was told.
      fence::SourceFence(going_on).lower();
      note_backed_out(record, attempt->epoch);
      return attempt->from;
    }
  }
  const auto serves = cutover::other(attempt->from);
  const auto finished = std::stoull(TargetRecord(record).get("switched_epoch").value_or("0"));
  if (finished < attempt->epoch) {
    auto session = open(serves, mysql::Side::target);
    throw_if_overtaken(record);
    // Also when it is open: a tool that was killed may have left it closed for its next start.
    fence::open_standby(session);
  }
  return serves;
}

}  // namespace reseal::run

// SPDX-License-Identifier: Apache-2.0
#include "run/settle_attempt.hpp"

#include <thread>

#include "fence/source_fence.hpp"
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

}  // namespace

Serves settle_attempt(const mysql::Endpoint& source, const mysql::Endpoint& target,
                      std::chrono::milliseconds patience) {
  mysql::Session record(target, mysql::Side::target);
  mysql::without_binlog(record);
  const auto attempt = cutover::latest_attempt(record);
  if (!attempt) return Serves::source;
  const auto until = steady_clock::now() + patience;
  while (!decided(record, attempt->epoch) && !cutover::closed(record, attempt->epoch) && steady_clock::now() < until)
    std::this_thread::sleep_for(look_again);
  const auto endpoint = [&](Serves side) { return side == Serves::source ? source : target; };
  const auto run_id = TargetRecord(record).get("run_id").value_or("");
  if (cutover::close_attempts(record, run_id)) {
    mysql::Session session(endpoint(attempt->from), mysql::Side::source);
    fence::SourceFence fence(session);
    if (fence.up()) fence.lower();
    return attempt->from;
  }
  const auto serves = cutover::other(attempt->from);
  const auto finished = std::stoull(TargetRecord(record).get("switched_epoch").value_or("0"));
  if (finished < attempt->epoch) {
    mysql::Session session(endpoint(serves), mysql::Side::target);
    if (!fence::standby_open(session)) fence::open_standby(session);
  }
  return serves;
}

}  // namespace reseal::run

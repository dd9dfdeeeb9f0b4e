// SPDX-License-Identifier: Apache-2.0
#include "platform/replica_place.hpp"

#include <fmt/format.h>

#include "base/failure.hpp"

namespace reseal::platform {
namespace {

using base::Failure;
using base::FailureKind;
using Kind = rds::Verdict::Kind;

constexpr int most_stops = 3;

}  // namespace

bool same_place(const sql::SourcePosition& a, const sql::SourcePosition& b) {
  return a.binlog == b.binlog && a.gtids == b.gtids;
}

base::Result<sql::SourcePosition> parse_place(std::string_view text) {
  const auto blank = std::min(text.find(' '), text.size());
  auto binlog = sql::BinlogPosition::parse(text.substr(0, blank));
  if (!binlog.ok()) return binlog.bad();
  sql::SourcePosition place{std::move(binlog).value(), {}};
  if (blank == text.size()) return place;
  auto gtids = sql::GtidSet::parse(text.substr(blank + 1));
  if (!gtids.ok()) return gtids.bad();
  place.gtids = std::move(gtids).value();
  return place;
}

ReplicaPlace::ReplicaPlace(mysql::Session& source, mysql::Session& replica, Options options, const rds::Clock& clock,
                           std::stop_token stop)
    : source_(source),
      replica_(replica),
      options_(std::move(options)),
      clock_(clock),
      stop_(std::move(stop)),
      source_facts_(mysql::server_facts(source)),
      replica_facts_(mysql::server_facts(replica)) {}

void ReplicaPlace::require_no_error(const ReplicaStatus& status) const {
  if (status.applier_errno == 0) return;
  throw Failure(FailureKind::refused,
                fmt::format("the applier of the replica at {} failed with error {} after {}: it does not hold what the "
                            "source has. No snapshot was taken of it and the source was left as it is. Look at SHOW "
                            "REPLICA STATUS there, delete the replica, and run the same command again",
                            replica_.endpoint().text(), status.applier_errno, status.applied.text()));
}

void ReplicaPlace::wait_in_sync() {
  const auto end = mysql::binlog_end(source_, source_facts_).binlog;
  const auto look = [&]() -> rds::Verdict {
    const auto now = status();
    require_no_error(now);
    return {now.applied >= end ? Kind::reached : Kind::not_yet,
            fmt::format("at {}, the source was at {}", now.applied.text(), end.text())};
  };
  rds::wait_until("the replica", look, options_.wait, clock_, stop_);
}

std::optional<sql::SourcePosition> ReplicaPlace::standing() {
  const auto now = status();
  if (!now.stopped()) return std::nullopt;
  require_no_error(now);
  sql::SourcePosition place{now.applied, {}};
  if (replica_facts_.gtid_on) place.gtids = mysql::gtid_executed(replica_);
  return place;
}

void ReplicaPlace::wait_stopped() {
  const auto look = [&]() -> rds::Verdict {
    const bool stands = status().stopped();
    return {stands ? Kind::reached : Kind::not_yet, stands ? "stopped" : "stopping"};
  };
  rds::wait_until("replication", look, options_.wait, clock_, stop_);
}

sql::SourcePosition ReplicaPlace::read_twice() {
  const auto first = standing();
  clock_.wait(options_.settle, stop_);
  if (stop_.stop_requested())
    throw Failure(FailureKind::interrupted, "stopped between two looks at the replica; run the same command again");
  const auto second = standing();
  if (first && second && same_place(*first, *second)) return *second;
  throw Failure(FailureKind::refused,
                fmt::format("the replica at {} was told to stop and stood at {}, and then {}: something else starts "
                            "its replication. No snapshot was taken. Run the same command again when that is over",
                            replica_.endpoint().text(), first ? first->binlog.text() : "no place",
                            second ? "at " + second->binlog.text() : "went on"));
}

std::string ReplicaPlace::fault_of(const sql::BinlogPosition& applied) {
  const auto farthest = farthest_worker(replica_);
  if (!farthest.empty() && farthest > applied)
    return fmt::format("a worker is at {} already: there are gaps between", farthest.text());
  if (!is_between_transactions(source_, applied)) return "that is within a transaction";
  return {};
}

void ReplicaPlace::go_on_from(const sql::BinlogPosition& applied) {
  replica_.call("CALL mysql.rds_start_replication");
  const auto look = [&]() -> rds::Verdict {
    const auto now = status();
    require_no_error(now);
    return {now.applied > applied ? Kind::reached : Kind::not_yet, "at " + now.applied.text()};
  };
  rds::wait_until("the replica", look, options_.wait, clock_, stop_);
}

sql::SourcePosition ReplicaPlace::stop() {
  std::string fault;
  for (int stops = 0; stops < most_stops; ++stops) {
    if (!status().stopped()) replica_.call("CALL mysql.rds_stop_replication");
    wait_stopped();
    auto place = read_twice();
    fault = fault_of(place.binlog);
    if (fault.empty()) return place;
    fault = fmt::format("it stands at {}, and {}", place.binlog.text(), fault);
    if (stops + 1 < most_stops) go_on_from(place.binlog);
  }
  throw Failure(FailureKind::refused,
                fmt::format("the replica at {} was stopped {} times and has no exact place: {}. No snapshot was taken. "
                            "Set replica_preserve_commit_order=1 in its parameter group, and run the same command "
                            "again",
                            replica_.endpoint().text(), most_stops, fault));
}

}  // namespace reseal::platform

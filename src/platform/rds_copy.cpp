// SPDX-License-Identifier: Apache-2.0
#include "platform/rds_copy.hpp"

#include <fmt/format.h>

#include "base/failure.hpp"
#include "platform/source_rules.hpp"
#include "platform/target_settings.hpp"
#include "rds/key_and_identity.hpp"

namespace reseal::platform {

using base::Failure;
using base::FailureKind;

namespace {

constexpr const char* retention_fact = "rds-retention-before";
constexpr const char* position_fact = "rds-position";
constexpr const char* proof_fact = "rds-snapshot-proven";  ///< when the proven snapshot was created, by the service
constexpr int most_logins = 20;                            ///< a new endpoint's name is not known everywhere at once

}  // namespace

RdsCopy::RdsCopy(CopyRequest request, CopyOptions options, rds::Session& session, OpenSession open, CopyNotes notes,
                 base::Log& log, std::stop_token stop)
    : request_(std::move(request)),
      options_(std::move(options)),
      session_(session),
      open_(std::move(open)),
      notes_(std::move(notes)),
      log_(log),
      stop_(std::move(stop)),
      client_(session.rds(), stop_),
      owned_(client_, request_.run_id) {}

CopyReport RdsCopy::run() {
  look_before();
  raise_retention();
  make_waiting_group();
  if (!has_proven_snapshot()) {
    make_replica();
    make_proven_snapshot();
  }
  const auto position = noted_position();
  if (!owned_.own_instance(target_part, request_.target)) make_copy();
  make_target();
  const auto target = describe(request_.target);
  return {target.address, static_cast<std::uint16_t>(target.port), position,
          retention_of_text(notes_.fact(retention_fact).value_or("")), list_made(owned_, request_.target)};
}

void RdsCopy::done(CopyStep step) const {
  if (options_.done) options_.done(step);
}

void RdsCopy::look_before() {
  require_target_name(request_.source, request_.target);
  source_ = describe(request_.source);
  require_movable(source_);
  const auto key = rds::value_or_fail(rds::describe_key(session_.kms(), request_.kms_key, stop_), "kms:DescribeKey");
  require_usable_key(request_.kms_key, session_.region(), key);
  key_arn_ = key->arn;
  // A stranger's with one of our names is refused here, before anything is made.
  list_made(owned_, request_.target);
}

void RdsCopy::raise_retention() {
  auto session = open(source_, mysql::Side::source);
  const auto now = read_retention(session);
  // The value of before our first change, however often this runs.
  if (!notes_.fact(retention_fact)) notes_.note(retention_fact, retention_text(now));
  if (!now || *now < options_.retention_hours) {
    set_retention(session, options_.retention_hours);
    log_.info(fmt::format("rds: {} keeps its binlogs for {} h now, before: {}", request_.source,
                          options_.retention_hours, retention_text(now)));
  }
  done(CopyStep::log_kept);
}

// Early, as a new group takes the service some minutes until an instance gets all of its values.
void RdsCopy::make_waiting_group() {
  if (source_.parameter_groups.empty())
    throw Failure(FailureKind::source, request_.source + " has no parameter group; nothing was made");
  const auto& group = source_.parameter_groups.front().name;
  const auto description = fmt::format("{} until the switch of reseal run {}", group, request_.run_id);
  if (group.starts_with("default.")) {
    // The service copies no default group; a new one of its family has the same values.
    const auto found =
        rds::value_or_fail(client_.describe_parameter_group(group), "DescribeDBParameterGroups " + group);
    owned_.ensure(group_part, rds::CreateParameterGroup{"", found ? found->family : "", description, {}});
  } else {
    owned_.ensure(group_part, rds::CopyParameterGroup{group, "", description, {}});
  }
  rds::value_or_fail(
      client_.modify_parameters(owned_.name(group_part), {{"read_only", "1", true}, {"event_scheduler", "OFF", true}}),
      "ModifyDBParameterGroup " + owned_.name(group_part));
}

bool RdsCopy::has_proven_snapshot() {
  // A copy is made of a proven snapshot only, and a target of such a copy.
  if (owned_.own_instance(target_part, request_.target) || owned_.own_snapshot(copy_part)) return true;
  const auto snapshot = owned_.own_snapshot(snapshot_part);
  return snapshot && snapshot->status == "available" && notes_.fact(proof_fact) == snapshot->created;
}

void RdsCopy::make_replica() {
  if (!owned_.own_instance(replica_part)) wait_stable(request_.source);
  owned_.ensure(replica_part, replica_request(source_));
  wait_stable(owned_.name(replica_part));
  done(CopyStep::replica_made);
}

void RdsCopy::make_proven_snapshot() {
  auto source = open(source_, mysql::Side::source);
  auto replica = open(describe(owned_.name(replica_part)), mysql::Side::source);
  ReplicaPlace place(source, replica, {wait_options(options_.longest_instance_wait, 1), options_.settle},
                     client_.clock(), stop_);
  drop_failed_snapshot(snapshot_part);
  if (!owned_.own_snapshot(snapshot_part)) stop_and_snapshot(place);
  prove_snapshot(place);
  done(CopyStep::snapshot_taken);
}

void RdsCopy::stop_and_snapshot(ReplicaPlace& place) {
  if (!place.standing()) place.wait_in_sync();
  const auto position = place.stop();
  // Durable before there is a snapshot, which then is judged by it.
  notes_.note(position_fact, position.text());
  log_.info("rds: the replica stands at " + position.binlog.text() + " of " + request_.source);
  done(CopyStep::replica_stopped);
  wait_stable(owned_.name(replica_part));
  owned_.ensure(snapshot_part, rds::CreateSnapshot{"", owned_.name(replica_part), {}});
}

void RdsCopy::prove_snapshot(ReplicaPlace& place) {
  const auto snapshot = wait_snapshot(snapshot_part);
  wait_stable(owned_.name(replica_part));
  const auto noted = notes_.fact(position_fact);
  const auto now = place.standing();
  if (noted && now && same_place(*now, noted_position())) return notes_.note(proof_fact, snapshot.created);
  remove_snapshot(snapshot_part);
  throw Failure(FailureKind::refused,
                fmt::format("the replica {} stood at {} before its snapshot and {} after it: nobody knows what the "
                            "snapshot {} holds. It is of no use and was deleted; the source was left as it is. Run the "
                            "same command again: it stops replication anew",
                            owned_.name(replica_part), noted.value_or("no noted place"),
                            now ? "at " + now->text() : "replicates", snapshot.identifier));
}

void RdsCopy::drop_failed_snapshot(std::string_view part) {
  const auto found = owned_.own_snapshot(part);
  if (!found || found->status != "failed") return;
  log_.warn("rds: the snapshot " + found->identifier + " has failed; it is deleted and made again");
  remove_snapshot(part);
}

void RdsCopy::make_copy() {
  drop_failed_snapshot(copy_part);
  owned_.ensure(copy_part, rds::CopySnapshot{owned_.name(snapshot_part), "", key_arn_, std::nullopt, {}});
  const auto copy = wait_snapshot(copy_part);
  require_sealed("the snapshot " + copy.identifier, copy.encrypted, copy.kms_key_id,
                 "aws rds delete-db-snapshot --db-snapshot-identifier " + copy.identifier);
  done(CopyStep::copied);
}

void RdsCopy::remove_snapshot(std::string_view part) {
  owned_.remove_snapshot(part);
  rds::wait_until(
      "the snapshot " + owned_.name(part), [&] { return rds::judge_deleted(owned_.own_snapshot(part)); },
      wait_options(options_.longest_instance_wait, 1), client_.clock(), stop_);
}

rds::DbSnapshot RdsCopy::wait_snapshot(std::string_view part) {
  const auto name = owned_.name(part);
  std::optional<rds::DbSnapshot> found;
  const auto look = [&] {
    found = owned_.own_snapshot(part);
    return rds::judge_available(found);
  };
  rds::wait_until("the snapshot " + name, look, wait_options(options_.longest_snapshot_wait, 1), client_.clock(),
                  stop_);
  return *found;
}

rds::DbInstance RdsCopy::wait_stable(const std::string& identifier) {
  std::optional<rds::DbInstance> found;
  const auto look = [&] {
    found = rds::value_or_fail(client_.describe_instance(identifier), "DescribeDBInstances " + identifier);
    auto verdict = rds::judge_available(found);
    if (verdict.kind == rds::Verdict::Kind::reached)
      for (const auto& group : found->parameter_groups)
        if (group.status == "applying") return rds::Verdict{rds::Verdict::Kind::not_yet, "applying parameters"};
    return verdict;
  };
  rds::wait_until("the instance " + identifier, look,
                  wait_options(options_.longest_instance_wait, options_.stable_looks), client_.clock(), stop_);
  return *found;
}

rds::DbInstance RdsCopy::describe(const std::string& identifier) {
  auto found = rds::value_or_fail(client_.describe_instance(identifier), "DescribeDBInstances " + identifier);
  if (!found)
    throw Failure(FailureKind::refused,
                  fmt::format("there is no instance {} in {}; nothing was changed. List them: aws rds "
                              "describe-db-instances --region {}",
                              identifier, session_.region(), session_.region()));
  return std::move(*found);
}

mysql::Session RdsCopy::open(const rds::DbInstance& instance, mysql::Side side) {
  for (int logins = 1;; ++logins) {
    try {
      return open_(instance.address, static_cast<std::uint16_t>(instance.port), side);
    } catch (const Failure& failure) {
      if (failure.kind() != FailureKind::transient || logins == most_logins || stop_.stop_requested()) throw;
      client_.clock().wait(options_.poll, stop_);
    }
  }
}

sql::SourcePosition RdsCopy::noted_position() {
  const auto noted = notes_.fact(position_fact);
  if (!noted)
    throw Failure(FailureKind::refused,
                  fmt::format("snapshots or the target of run {} are there, and its notes do not say at which place of "
                              "the log they were taken: the state folder is not that run's, or was lost. Nothing was "
                              "changed. Give the right folder, or delete {}, {} and {} and run the same command again",
                              request_.run_id, owned_.name(snapshot_part), owned_.name(copy_part), request_.target));
  return base::value_or_fail(parse_place(*noted), std::string("the note ") + position_fact, FailureKind::local);
}

rds::WaitOptions RdsCopy::wait_options(std::chrono::milliseconds longest, int stable_looks) const {
  return {options_.poll, longest, stable_looks, [this](const std::string& seen) { log_.info("rds: " + seen); }};
}

}  // namespace reseal::platform

// SPDX-License-Identifier: Apache-2.0
// The last part of RdsCopy: the target is restored, made like the source, and looked at.
#include <fmt/format.h>

#include "base/failure.hpp"
#include "platform/rds_copy.hpp"
#include "platform/target_settings.hpp"

namespace reseal::platform {

using base::Failure;
using base::FailureKind;

namespace {

constexpr int most_reboots = 3;
constexpr int most_changes = 2;

}  // namespace

void RdsCopy::require_sealed(const std::string& what, bool encrypted, const std::string& key,
                             const std::string& remedy) const {
  if (encrypted && key == key_arn_) return;
  throw Failure(FailureKind::refused,
                fmt::format("{} is {}, and it is to be encrypted with {}. It was not used, and the source was left as "
                            "it is. Delete it and run the same command again: {}",
                            what, encrypted ? "encrypted with " + key : "not encrypted", key_arn_, remedy));
}

void RdsCopy::make_target() {
  owned_.ensure(target_part,
                restore_request(source_, request_.target, owned_.name(copy_part), owned_.name(group_part)));
  const auto target = wait_stable(request_.target);
  require_sealed("the instance " + request_.target, target.storage_encrypted, target.kms_key_id,
                 "aws rds delete-db-instance --skip-final-snapshot --db-instance-identifier " + request_.target);
  done(CopyStep::restored);
  change_later();
  apply_parameters();
  check_target();
  done(CopyStep::checked);
}

void RdsCopy::change_later() {
  for (int sent = 0; sent < most_changes; ++sent) {
    const auto changes = later_changes(source_, wait_stable(request_.target));
    if (!changes) return;
    const auto answer = client_.modify(*changes);
    // Sent again after a lost answer, it is refused for the state that the first sending brought about.
    if (!answer.ok() && answer.error().code != "InvalidDBInstanceState")
      throw rds::as_failure(answer.error(), "ModifyDBInstance " + request_.target);
  }
  if (later_changes(source_, wait_stable(request_.target)))
    log_.warn("rds: " + request_.target + " did not take every setting of " + request_.source +
              "; the comparison of settings tells which");
}

void RdsCopy::apply_parameters() {
  for (int reboots = 0;; ++reboots) {
    const auto target = wait_stable(request_.target);
    if (target.parameter_groups.empty() || target.parameter_groups.front().status == "in-sync") return;
    if (reboots == most_reboots)
      throw Failure(FailureKind::target,
                    fmt::format("{} was rebooted {} times, and its parameter group is still {}. The source was left as "
                                "it is. See its events: aws rds describe-events --duration 1440",
                                request_.target, reboots, target.parameter_groups.front().status));
    log_.info("rds: " + request_.target + " reboots to take its parameters");
    const auto answer = client_.reboot(request_.target);
    // A lost answer: the next look tells, and one reboot more harms nobody yet.
    if (!answer.ok() && answer.error_class() != rds::ErrorClass::server_fault)
      throw rds::as_failure(answer.error(), "RebootDBInstance " + request_.target);
  }
}

void RdsCopy::check_target() {
  auto target = open(describe(request_.target), mysql::Side::target);
  auto source = open(source_, mysql::Side::source);
  const auto facts = mysql::server_facts(target);
  const auto source_facts = mysql::server_facts(source);
  const auto refuse = [&](const std::string& what) {
    throw Failure(FailureKind::refused,
                  fmt::format("the target {}: {}. It is not used, and the source was left as it is. See its parameter "
                              "group {}",
                              request_.target, what, owned_.name(group_part)));
  };
  if (facts.uuid == source_facts.uuid || facts.server_id == source_facts.server_id)
    refuse("its server_id or server_uuid is the source's, and replication would not tell them apart");
  if (target.scalar("SELECT CAST(@@GLOBAL.read_only AS CHAR)") != "1")
    refuse("it takes writes, and has to be read-only until the switch");
  if (target.scalar("SELECT CAST(@@GLOBAL.event_scheduler AS CHAR)") == "ON")
    refuse("it runs events, which the source runs too");
  check_gtids(target, facts);
}

// What the target itself logged since, heartbeats of RDS, is under its own name.
void RdsCopy::check_gtids(mysql::Session& target, const mysql::ServerFacts& facts) {
  const auto position = noted_position();
  if (!facts.gtid_on || position.gtids.empty()) return;
  const auto executed = mysql::gtid_executed(target);
  auto own = base::value_or_fail(sql::GtidSet::parse(facts.uuid + ":1-9223372036854775806"), "the target's uuid");
  const auto foreign = executed.minus(position.gtids).minus(own);
  if (executed.contains(position.gtids) && foreign.empty()) return;
  throw Failure(FailureKind::refused,
                fmt::format("the target {} has executed other transactions than the replica had: missing '{}', "
                            "foreign '{}'. It is not used, and the source was left as it is. Delete it, {} and {}, and "
                            "run the same command again",
                            request_.target, position.gtids.minus(executed).text(), foreign.text(),
                            owned_.name(copy_part), owned_.name(snapshot_part)));
}

}  // namespace reseal::platform

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "check/rds_state.hpp"
#include "check/rules.hpp"
#include "rds/waiting.hpp"

namespace reseal::check {
namespace {

constexpr std::size_t most_replicas = 15;
constexpr std::size_t longest_old_host = 60;

/// "aws rds VERB --region R --db-instance-identifier ID ARGUMENTS"
std::string command(const RdsState& state, std::string_view verb, std::string_view arguments = "") {
  return fmt::format("aws rds {} --region {} --db-instance-identifier {}{}{}", verb, state.region,
                     state.instance->identifier, arguments.empty() ? "" : " ", arguments);
}

void kind(const RdsState& state, Findings& findings) {
  const auto& instance = *state.instance;
  if (instance.engine != "mysql" || !instance.cluster.empty())
    findings.push_back({Severity::blocker, "rds-engine", Where::source, instance.identifier,
                        instance.cluster.empty() ? "the engine is " + instance.engine
                                                 : "the instance belongs to the cluster " + instance.cluster,
                        "only single instances and Multi-AZ instances of RDS for MySQL are moved",
                        "name another instance with --source-instance"});
  if (instance.storage_encrypted)
    findings.push_back({Severity::blocker, "rds-already-encrypted", Where::source, instance.identifier,
                        "the storage is encrypted already, with " + instance.kms_key_id,
                        "there is nothing to move for encryption's sake",
                        "name another instance with --source-instance"});
}

void readiness(const RdsState& state, Findings& findings) {
  const auto& instance = *state.instance;
  if (instance.status == "available") return;
  const bool usable = rds::is_usable(instance.status);
  findings.push_back({usable ? Severity::warning : Severity::blocker, "rds-not-available", Where::source,
                      instance.identifier, "the status is " + instance.status,
                      usable ? "the storage is busy, which makes snapshots and reads slow"
                             : "no replica and no snapshot can be made of it",
                      instance.status == "stopped" ? command(state, "start-db-instance")
                                                   : command(state, "wait db-instance-available")});
}

void backups(const RdsState& state, Findings& findings) {
  const auto& instance = *state.instance;
  if (instance.backup_retention_days == 0)
    findings.push_back(
        {Severity::blocker, "rds-no-backups", Where::source, instance.identifier, "BackupRetentionPeriod is 0",
         "without automated backups there is no binary log and no replica",
         command(state, "modify-db-instance", "--backup-retention-period 7 --apply-immediately") + " (restarts it)"});
}

void replication(const RdsRequest& request, const RdsState& state, Findings& findings) {
  const auto& instance = *state.instance;
  if (!instance.replica_source.empty())
    findings.push_back({request.allow_replica_source ? Severity::warning : Severity::blocker, "rds-is-replica",
                        Where::source, instance.identifier, "it is a read replica of " + instance.replica_source,
                        "the application's writes go to the other one",
                        "name that one with --source-instance, or give --allow-replica-source"});
  if (instance.replicas.size() >= most_replicas)
    findings.push_back(
        {Severity::blocker, "rds-too-many-replicas", Where::source, instance.identifier,
         fmt::format("it has {} read replicas, as many as there may be", instance.replicas.size()),
         "the copy is taken of one more",
         fmt::format("aws rds delete-db-instance --region {} --db-instance-identifier {} --skip-final-snapshot",
                     state.region, instance.replicas.front())});
  if (!instance.replicas.empty())
    findings.push_back(
        {Severity::warning, "rds-has-replicas", Where::source, instance.identifier,
         "its read replicas are " + listed(instance.replicas),
         "they stay in the clear, and stay with the old instance after the switch",
         "after the switch make new ones of the encrypted instance: aws rds create-db-instance-read-replica"});
  for (const auto& info : instance.status_infos)
    if (!info.normal)
      findings.push_back({Severity::warning, "rds-status-info", Where::source, instance.identifier,
                          fmt::format("{} is {}: {}", info.type, info.status, info.message),
                          "RDS itself calls this not normal", command(state, "describe-db-instances")});
}

void waiting_changes(const RdsState& state, Findings& findings) {
  const auto& instance = *state.instance;
  if (!instance.pending.empty()) {
    std::vector<std::string> names;
    for (const auto& [name, value] : instance.pending) {
      names.push_back(name);
      if (!value.empty()) names.back().append("=").append(value);
    }
    findings.push_back({Severity::warning, "rds-pending-changes", Where::source, instance.identifier,
                        "changes wait for the maintenance window: " + listed(names),
                        "they would come in the middle of the move, and the encrypted instance would not have them",
                        command(state, "modify-db-instance", "--apply-immediately with these values")});
  }
  const auto groups = [&](const std::vector<rds::GroupMembership>& memberships, std::string_view what) {
    for (const auto& group : memberships) {
      if (group.status == "in-sync") continue;
      const bool reboot = group.status == "pending-reboot";
      findings.push_back(
          {Severity::warning, reboot ? "rds-pending-reboot" : "rds-group-not-applied", Where::source,
           instance.identifier, fmt::format("the {} {} is {}", what, group.name, group.status),
           "the encrypted instance starts with all of the group's values, and would behave differently",
           reboot ? command(state, "reboot-db-instance") : command(state, "wait db-instance-available")});
    }
  };
  groups(instance.parameter_groups, "parameter group");
  groups(instance.option_groups, "option group");
  if (instance.auto_minor_version_upgrade)
    findings.push_back({Severity::note, "rds-maintenance-window", Where::source, instance.identifier,
                        "a minor version upgrade may restart it in its window " + instance.maintenance_window,
                        "a restart holds the move up, and another version is another source", ""});
}

void instance_class(const RdsState& state, Findings& findings) {
  if (!state.options_seen) return;
  const auto& instance = *state.instance;
  const auto change = command(state, "modify-db-instance", "--db-instance-class CLASS --apply-immediately");
  if (state.options.empty())
    findings.push_back({Severity::warning, "rds-class-not-offered", Where::source, instance.identifier,
                        fmt::format("RDS does not offer {} with {} {} any more", instance.instance_class,
                                    instance.engine, instance.engine_version),
                        "a restore with these may be refused", change + ", or upgrade the engine first"});
  else if (std::none_of(state.options.begin(), state.options.end(), [&](const rds::OrderableOption& option) {
             return option.supports_storage_encryption &&
                    (instance.storage_type.empty() || option.storage_type == instance.storage_type);
           }))
    findings.push_back(
        {Severity::blocker, "rds-class-without-encryption", Where::source, instance.identifier,
         fmt::format("{} with {} storage cannot be encrypted", instance.instance_class, instance.storage_type),
         "the encrypted instance could not have the same class", change});
}

// MASTER_HOST of these versions holds 60 characters (WL#12571).
void host_name(const RdsState& state, Findings& findings) {
  const auto& instance = *state.instance;
  unsigned major = 0, minor = 0, patch = 0;
  if (std::sscanf(instance.engine_version.c_str(), "%u.%u.%u", &major, &minor, &patch) != 3) return;
  if (std::tie(major, minor, patch) >= std::make_tuple(8U, 0U, 17U) || instance.address.size() <= longest_old_host)
    return;
  findings.push_back({Severity::blocker, "rds-host-too-long", Where::source, instance.address,
                      fmt::format("the endpoint has {} characters", instance.address.size()),
                      fmt::format("MySQL {} takes at most 60 as the source of replication", instance.engine_version),
                      command(state, "modify-db-instance", "--new-db-instance-identifier SHORTER --apply-immediately") +
                          " (restarts it), or upgrade the engine"});
}

void protection(const RdsState& state, Findings& findings) {
  const auto& instance = *state.instance;
  if (instance.deletion_protection)
    findings.push_back({Severity::note, "rds-deletion-protection", Where::source, instance.identifier,
                        "deletion protection is on", "the old instance cannot be deleted at the end while it is",
                        command(state, "modify-db-instance", "--no-deletion-protection --apply-immediately") +
                            ", when the move is finished"});
}

}  // namespace

void rds_instance_rules(const RdsRequest& request, const RdsState& state, Findings& findings) {
  findings.push_back({Severity::note, "rds-identity", Where::source, "AWS", "requests are made as " + state.identity,
                      "this identity is the one whose permissions count", ""});
  if (!state.instance) {
    findings.push_back(
        {Severity::blocker, "rds-no-instance", Where::source, request.instance,
         "there is no instance of this name in " + state.region, "there is nothing to move",
         fmt::format("aws rds describe-db-instances --region {} --query 'DBInstances[].DBInstanceIdentifier'",
                     state.region)});
    return;
  }
  kind(state, findings);
  readiness(state, findings);
  backups(state, findings);
  replication(request, state, findings);
  waiting_changes(state, findings);
  instance_class(state, findings);
  host_name(state, findings);
  protection(state, findings);
}

}  // namespace reseal::check

// SPDX-License-Identifier: Apache-2.0
#include "platform/rds_teardown.hpp"

#include <algorithm>

namespace reseal::platform {
namespace {

Leftover old_instance(const rds::DbInstance& source) {
  const auto name = " --db-instance-identifier " + source.identifier;
  std::string next = "aws rds delete-db-instance --skip-final-snapshot --delete-automated-backups" + name;
  if (source.deletion_protection)
    next = "aws rds modify-db-instance --no-deletion-protection --apply-immediately" + name + "; " + next;
  return {"instance", source.identifier, source.arn, source.storage_encrypted, false, next};
}

Leftover old_snapshot(const rds::DbSnapshot& snapshot) {
  const bool automated = snapshot.type == "automated";
  return {automated ? "automated backup" : "snapshot",
          snapshot.identifier,
          snapshot.arn,
          snapshot.encrypted,
          false,
          automated ? "goes with the instance, when it is deleted with --delete-automated-backups"
                    : "aws rds delete-db-snapshot --db-snapshot-identifier " + snapshot.identifier};
}

bool uses_group(const rds::DbInstance& instance, const std::string& group) {
  const auto& groups = instance.parameter_groups;
  return std::any_of(groups.begin(), groups.end(), [&](const auto& used) { return used.name == group; });
}

}  // namespace

std::vector<Leftover> list_leftovers(rds::RdsClient& client, rds::OwnedResources& owned, const std::string& source,
                                     const std::string& target) {
  std::vector<Leftover> left;
  for (const auto& made : list_made(owned, target))
    if (made.part != target_part)
      left.push_back({std::string(made.kind), made.name, made.arn, made.encrypted, true, {}});
  const auto old = rds::value_or_fail(client.describe_instance(source), "DescribeDBInstances " + source);
  if (old) left.push_back(old_instance(*old));
  for (const auto& snapshot :
       rds::value_or_fail(client.describe_snapshots_of(source), "DescribeDBSnapshots of " + source))
    left.push_back(old_snapshot(snapshot));
  return left;
}

std::vector<std::string> remove_made(rds::RdsClient& client, rds::OwnedResources& owned, const std::string& target,
                                     const rds::WaitOptions& wait) {
  std::vector<std::string> removed;
  if (owned.remove_instance(replica_part)) removed.push_back(owned.name(replica_part));
  for (const auto part : {snapshot_part, copy_part}) {
    if (owned.remove_snapshot(part)) removed.push_back(owned.name(part));
    rds::wait_until(
        "the snapshot " + owned.name(part), [&] { return rds::judge_deleted(owned.own_snapshot(part)); }, wait,
        client.clock(), client.stop());
  }
  rds::wait_until(
      "the instance " + owned.name(replica_part), [&] { return rds::judge_deleted(owned.own_instance(replica_part)); },
      wait, client.clock(), client.stop());
  const auto serving = owned.own_instance(target_part, target);
  const auto group = owned.name(group_part);
  if (!(serving && uses_group(*serving, group)) && owned.remove_parameter_group(group_part)) removed.push_back(group);
  return removed;
}

}  // namespace reseal::platform

// SPDX-License-Identifier: Apache-2.0
#include "platform/parity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/failure.hpp"
#include "platform/target_settings.hpp"

namespace reseal::platform {
namespace {

std::string text(const std::string& value) { return value; }
std::string text(bool value) { return value ? "true" : "false"; }
std::string text(std::int64_t value) { return std::to_string(value); }
template <typename T>
std::string text(const std::optional<T>& value) {
  return value ? text(*value) : "none";
}
std::string text(std::vector<std::string> values) {
  std::sort(values.begin(), values.end());
  std::string all;
  for (const auto& value : values) all += (all.empty() ? "" : ", ") + value;
  return all.empty() ? "none" : all;
}

class Comparison {
 public:
  template <typename T>
  void same(const char* what, const T& source, const T& target, const char* why) {
    auto a = text(source);
    auto b = text(target);
    if (a != b) found_.push_back({what, std::move(a), std::move(b), why});
  }
  void add(Difference difference) { found_.push_back(std::move(difference)); }
  std::vector<Difference> found() && { return std::move(found_); }

 private:
  std::vector<Difference> found_;
};

void compare_machine(const rds::DbInstance& source, const rds::DbInstance& target, Comparison& all) {
  all.same("EngineVersion", source.engine_version, target.engine_version,
           "another version may answer statements differently");
  all.same("DBInstanceClass", source.instance_class, target.instance_class, "less memory or CPU is slower");
  all.same("AllocatedStorage", source.allocated_gib, target.allocated_gib, "room, and for some types speed");
  all.same("MaxAllocatedStorage", source.max_allocated_gib, target.max_allocated_gib,
           "without autoscaling the storage can fill up");
  all.same("StorageType", source.storage_type, target.storage_type, "another type has another speed");
  all.same("Iops", source.iops, target.iops, "fewer of them are slower");
  all.same("StorageThroughput", source.storage_throughput, target.storage_throughput, "less of it is slower");
  all.same("DedicatedLogVolume", source.dedicated_log_volume, target.dedicated_log_volume, "commits wait for the log");
  all.same("MultiAZ", source.multi_az, target.multi_az, "without a standby a broken zone is an outage");
  all.same("EngineLifecycleSupport", source.engine_lifecycle_support, target.engine_lifecycle_support,
           "extended support costs money, or its absence forces an upgrade");
}

void compare_network(const rds::DbInstance& source, const rds::DbInstance& target, Comparison& all) {
  all.same("DBSubnetGroupName", source.subnet_group, target.subnet_group, "clients reach it from other networks");
  all.same("VpcSecurityGroupIds", source.security_groups, target.security_groups, "they decide who can connect");
  all.same("NetworkType", source.network_type, target.network_type, "clients over IPv6 need DUAL");
  all.same("PubliclyAccessible", source.publicly_accessible, target.publicly_accessible,
           "it decides whether the internet can reach it");
  all.same("Port", std::int64_t(source.port), std::int64_t(target.port), "clients and security groups name it");
  all.same("CACertificateIdentifier", source.ca_certificate, target.ca_certificate,
           "clients that verify trust certain authorities");
  all.same("IAMDatabaseAuthenticationEnabled", source.iam_authentication, target.iam_authentication,
           "accounts that log in by IAM need it");
}

std::vector<std::string> names(const std::vector<rds::GroupMembership>& groups) {
  std::vector<std::string> all;
  for (const auto& group : groups) all.push_back(group.name);
  return all;
}

std::vector<std::string> tag_texts(const rds::Tags& tags) {
  std::vector<std::string> all;
  for (const auto& [key, value] : user_tags(tags)) all.push_back(fmt::format("{}={}", key, value));
  return all;
}

void compare_operation(const rds::DbInstance& source, const rds::DbInstance& target, Comparison& all) {
  all.same("BackupRetentionPeriod", source.backup_retention_days, target.backup_retention_days,
           "how far back it can be restored");
  all.same("PreferredBackupWindow", source.backup_window, target.backup_window, "backups cost speed while they run");
  all.same("PreferredMaintenanceWindow", source.maintenance_window, target.maintenance_window,
           "restarts come in this window");
  all.same("AutoMinorVersionUpgrade", source.auto_minor_version_upgrade, target.auto_minor_version_upgrade,
           "it decides who upgrades");
  all.same("CopyTagsToSnapshot", source.copy_tags_to_snapshot, target.copy_tags_to_snapshot,
           "snapshots without tags escape policies and bills by tag");
  all.same("DeletionProtection", source.deletion_protection, target.deletion_protection,
           "without it one call deletes the instance");
  all.same("MonitoringInterval", source.monitoring_interval, target.monitoring_interval, "graphs and alarms need it");
  all.same("MonitoringRoleArn", source.monitoring_role_arn, target.monitoring_role_arn, "graphs and alarms need it");
  all.same("PerformanceInsightsEnabled", source.performance_insights, target.performance_insights,
           "load by statement is not recorded without it");
  all.same("PerformanceInsightsRetentionPeriod", source.performance_insights_days, target.performance_insights_days,
           "how long it is kept");
  all.same("EnabledCloudwatchLogsExports", source.log_exports, target.log_exports, "logs that alarms and audits read");
  all.same("OptionGroupName", names(source.option_groups), names(target.option_groups),
           "plugins such as audit come from it");
  all.same("TagList", tag_texts(source.tags), tag_texts(target.tags), "policies and bills go by tags");
}

std::map<std::string, std::string> values_of(const std::vector<rds::Parameter>& parameters) {
  std::map<std::string, std::string> values;
  for (const auto& parameter : parameters) values[parameter.name] = parameter.value.value_or("engine default");
  return values;
}

void compare_parameters(std::map<std::string, std::string> source, std::map<std::string, std::string> target,
                        bool waiting, Comparison& all) {
  if (waiting) {
    source["read_only"] = "1";
    source["event_scheduler"] = "OFF";
  }
  for (const auto& values : {source, target})
    for (const auto& [name, value] : values) {
      source.try_emplace(name, "not in the group");
      target.try_emplace(name, "not in the group");
    }
  for (const auto& [name, value] : source)
    if (value != target.at(name))
      all.add({"parameter " + name, value, target.at(name),
               waiting && (name == "read_only" || name == "event_scheduler")
                   ? "the target must neither take writes nor run events before the switch"
                   : "the server behaves differently"});
}

void compare_group_states(const rds::DbInstance& instance, bool is_source, Comparison& all) {
  for (const auto& group : instance.parameter_groups)
    if (group.status != "in-sync")
      all.add({"ParameterApplyStatus of " + group.name, is_source ? group.status : "", is_source ? "" : group.status,
               "the server does not run with the group's values yet"});
}

}  // namespace

std::vector<Difference> compare_instances(const InstanceSettingsView& source, const InstanceSettingsView& target,
                                          bool waiting) {
  Comparison all;
  compare_machine(source.instance, target.instance, all);
  compare_network(source.instance, target.instance, all);
  compare_operation(source.instance, target.instance, all);
  compare_parameters(values_of(source.parameters), values_of(target.parameters), waiting, all);
  compare_group_states(source.instance, true, all);
  compare_group_states(target.instance, false, all);
  return std::move(all).found();
}

std::vector<Difference> read_parity(rds::RdsClient& client, const std::string& source, const std::string& target,
                                    const std::string& waiting_group) {
  const auto instance = [&](const std::string& name) {
    auto found = rds::value_or_fail(client.describe_instance(name), "DescribeDBInstances " + name);
    if (!found || found->parameter_groups.empty())
      throw base::Failure(base::FailureKind::refused,
                          "there is no instance " + name +
                              " with a parameter group, so nothing was compared and nothing changed. See aws rds "
                              "describe-db-instances");
    return std::move(*found);
  };
  const auto parameters = [&](const rds::DbInstance& of) {
    const auto& group = of.parameter_groups.front().name;
    return rds::value_or_fail(client.describe_parameters(group), "DescribeDBParameters " + group);
  };
  const auto source_instance = instance(source);
  const auto target_instance = instance(target);
  const auto source_parameters = parameters(source_instance);
  const auto target_parameters = parameters(target_instance);
  return compare_instances({source_instance, source_parameters}, {target_instance, target_parameters},
                           target_instance.parameter_groups.front().name == waiting_group);
}

}  // namespace reseal::platform

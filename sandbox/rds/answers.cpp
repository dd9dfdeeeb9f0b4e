// SPDX-License-Identifier: Apache-2.0
#include "sandbox/rds/answers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "sandbox/rds/api_error.hpp"

namespace reseal::sandbox::rds {
namespace {

void add_list(pugi::xml_node parent, const char* list_name, const char* name, const std::vector<std::string>& values) {
  auto list = parent.append_child(list_name);
  for (const auto& value : values) add_text(list, name, value);
}

void add_endpoint(pugi::xml_node node, const Instance& instance) {
  if (instance.port == 0) return;
  auto endpoint = node.append_child("Endpoint");
  add_text(endpoint, "Address", instance.address);
  add_text(endpoint, "Port", std::to_string(instance.port));
  add_text(endpoint, "HostedZoneId", "Z00000000SANDBOX");
}

void add_network(pugi::xml_node node, const Account& account, const Instance& instance) {
  auto groups = node.append_child("VpcSecurityGroups");
  for (const auto& id : instance.security_groups) {
    auto group = groups.append_child("VpcSecurityGroupMembership");
    add_text(group, "VpcSecurityGroupId", id);
    add_text(group, "Status", "active");
  }
  node.append_child("DBSecurityGroups");
  auto subnet = node.append_child("DBSubnetGroup");
  add_text(subnet, "DBSubnetGroupName", instance.subnet_group);
  add_text(subnet, "DBSubnetGroupDescription", "the sandbox's loopback");
  add_text(subnet, "VpcId", "vpc-sandbox");
  add_text(subnet, "SubnetGroupStatus", "Complete");
  auto member = subnet.append_child("Subnets").append_child("Subnet");
  add_text(member, "SubnetIdentifier", "subnet-sandbox");
  add_text(member.append_child("SubnetAvailabilityZone"), "Name", account.region + "a");
  add_text(member, "SubnetStatus", "Active");
}

void add_zones(pugi::xml_node node, const Account& account, const Instance& instance) {
  const auto chosen = instance.settings.find("AvailabilityZone");
  auto first = chosen == instance.settings.end() ? account.region + "a" : chosen->second;
  auto second = account.region + (first.ends_with('b') ? "a" : "b");
  if (instance.in_second_zone) std::swap(first, second);
  add_text(node, "AvailabilityZone", first);
  if (instance.setting_flag("MultiAZ")) add_text(node, "SecondaryAvailabilityZone", second);
}

void add_replication(pugi::xml_node node, const Instance& instance) {
  if (!instance.replica()) return;
  add_text(node, "ReadReplicaSourceDBInstanceIdentifier", instance.source_id);
  auto state = node.append_child("StatusInfos").append_child("DBInstanceStatusInfo");
  add_text(state, "StatusType", "read replication");
  add_text(state, "Normal", instance.replication.normal() ? "true" : "false");
  add_text(state, "Status", instance.replication.status);
  if (!instance.replication.message.empty()) add_text(state, "Message", instance.replication.message);
}

void add_groups(pugi::xml_node node, const Instance& instance) {
  auto group = node.append_child("DBParameterGroups").append_child("DBParameterGroup");
  add_text(group, "DBParameterGroupName", instance.parameter_group);
  add_text(group, "ParameterApplyStatus", instance.parameters_pending ? "pending-reboot" : "in-sync");
  auto option = node.append_child("OptionGroupMemberships").append_child("OptionGroupMembership");
  add_text(option, "OptionGroupName", instance.option_group);
  add_text(option, "Status", "in-sync");
}

void add_pending(pugi::xml_node node, const Instance& instance) {
  auto pending = node.append_child("PendingModifiedValues");
  for (const auto& [name, value] : instance.pending)
    add_text(pending, name == "NewDBInstanceIdentifier" ? "DBInstanceIdentifier" : name.c_str(),
             name == "MasterUserPassword" ? "****" : value);
}

}  // namespace

void add_text(pugi::xml_node parent, const char* name, const std::string& text) {
  parent.append_child(name).text().set(text.c_str());
}

void add_tags(pugi::xml_node parent, const Tags& tags) {
  auto list = parent.append_child("TagList");
  for (const auto& [key, value] : tags) {
    auto tag = list.append_child("Tag");
    add_text(tag, "Key", key);
    add_text(tag, "Value", value);
  }
}

void add_instance(pugi::xml_node list, const Records& records, const Account& account, const Instance& instance,
                  const std::string& engine_version) {
  auto node = list.append_child("DBInstance");
  add_text(node, "DBInstanceIdentifier", instance.id);
  add_text(node, "DbiResourceId", instance.resource_id);
  add_text(node, "DBInstanceArn", account.arn("db", instance.id));
  add_text(node, "DBInstanceStatus", instance.status);
  add_text(node, "Engine", "mysql");
  add_text(node, "EngineVersion", engine_version);
  add_text(node, "MasterUsername", instance.master_user);
  if (!instance.db_name.empty()) add_text(node, "DBName", instance.db_name);
  add_text(node, "InstanceCreateTime", iso_time(instance.created));
  add_text(node, "DbInstancePort", "0");
  add_endpoint(node, instance);
  for (const auto& name : setting_names()) {
    const auto found = instance.settings.find(name.request);
    if (found != instance.settings.end() && std::string_view(name.request) != "AvailabilityZone")
      add_text(node, name.answer, found->second);
  }
  add_text(node, "StorageEncrypted", instance.encrypted() ? "true" : "false");
  if (instance.encrypted()) add_text(node, "KmsKeyId", instance.kms_key);
  add_zones(node, account, instance);
  add_network(node, account, instance);
  add_groups(node, instance);
  add_pending(node, instance);
  add_list(node, "ReadReplicaDBInstanceIdentifiers", "ReadReplicaDBInstanceIdentifier",
           records.replicas_of(instance.id));
  add_replication(node, instance);
  add_list(node, "EnabledCloudwatchLogsExports", "member", instance.log_exports);
  add_tags(node, instance.tags);
}

void add_snapshot(pugi::xml_node list, const Account& account, const Snapshot& snapshot,
                  const std::string& engine_version) {
  auto node = list.append_child("DBSnapshot");
  const auto& instance = snapshot.instance;
  add_text(node, "DBSnapshotIdentifier", snapshot.id);
  add_text(node, "DBSnapshotArn", account.arn("snapshot", snapshot.id));
  add_text(node, "DBInstanceIdentifier", instance.id);
  add_text(node, "DbiResourceId", instance.resource_id);
  add_text(node, "SnapshotType", snapshot.type);
  add_text(node, "Status", snapshot.status);
  add_text(node, "PercentProgress", std::to_string(snapshot.percent));
  add_text(node, "SnapshotCreateTime", iso_time(snapshot.created));
  add_text(node, "OriginalSnapshotCreateTime", iso_time(snapshot.original_created));
  add_text(node, "SnapshotDatabaseTime", iso_time(snapshot.original_created));
  add_text(node, "InstanceCreateTime", iso_time(instance.created));
  add_text(node, "Engine", "mysql");
  add_text(node, "EngineVersion", engine_version);
  add_text(node, "MasterUsername", instance.master_user);
  add_text(node, "Port", std::to_string(instance.port));
  add_text(node, "VpcId", "vpc-sandbox");
  add_text(node, "OptionGroupName", instance.option_group);
  for (const auto* name :
       {"AllocatedStorage", "StorageType", "Iops", "StorageThroughput", "LicenseModel", "DedicatedLogVolume"})
    if (const auto found = instance.settings.find(name); found != instance.settings.end())
      add_text(node, name, found->second);
  add_text(node, "IAMDatabaseAuthenticationEnabled",
           instance.setting_flag("EnableIAMDatabaseAuthentication") ? "true" : "false");
  add_text(node, "AvailabilityZone", account.region + "a");
  add_text(node, "SnapshotTarget", "region");
  add_text(node, "Encrypted", snapshot.encrypted() ? "true" : "false");
  if (snapshot.encrypted()) add_text(node, "KmsKeyId", snapshot.kms_key);
  if (!snapshot.source.empty()) add_text(node, "SourceDBSnapshotIdentifier", snapshot.source);
  add_tags(node, snapshot.tags);
}

void add_group(pugi::xml_node list, const Account& account, const ParameterGroup& group) {
  auto node = list.append_child("DBParameterGroup");
  add_text(node, "DBParameterGroupName", group.name);
  add_text(node, "DBParameterGroupFamily", group.family);
  add_text(node, "Description", group.description);
  add_text(node, "DBParameterGroupArn", account.arn("pg", group.name));
}

void add_parameter(pugi::xml_node list, const ParameterGroup& group, const Parameter& parameter) {
  auto node = list.append_child("Parameter");
  const auto own = group.values.find(parameter.name);
  add_text(node, "ParameterName", parameter.name);
  if (own != group.values.end())
    add_text(node, "ParameterValue", own->second);
  else if (parameter.initial != nullptr)
    add_text(node, "ParameterValue", parameter.initial);
  add_text(node, "Description", parameter.description);
  add_text(node, "Source",
           own != group.values.end()      ? "user"
           : parameter.initial != nullptr ? "system"
                                          : "engine-default");
  add_text(node, "ApplyType", parameter.dynamic ? "dynamic" : "static");
  add_text(node, "ApplyMethod", parameter.dynamic ? "immediate" : "pending-reboot");
  add_text(node, "DataType", parameter.data_type);
  if (*parameter.allowed != '\0') add_text(node, "AllowedValues", parameter.allowed);
  add_text(node, "IsModifiable", "true");
}

void add_event(pugi::xml_node list, const Account& account, const Event& event) {
  auto node = list.append_child("Event");
  add_text(node, "SourceIdentifier", event.source_id);
  add_text(node, "SourceType", event.source_type);
  add_text(node, "Message", event.message);
  add_list(node, "EventCategories", "EventCategory", event.categories);
  add_text(node, "Date", iso_time(event.time));
  const char* type = event.source_type == "db-instance" ? "db" : event.source_type == "db-snapshot" ? "snapshot" : "pg";
  add_text(node, "SourceArn", account.arn(type, event.source_id));
}

std::string iso_time(Time time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time - seconds).count();
  const std::time_t whole = std::chrono::system_clock::to_time_t(seconds);
  std::tm parts{};
  ::gmtime_r(&whole, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  return fmt::format("{}.{:03}Z", text, ms);
}

Time read_time(const std::string& text) {
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (end == nullptr || (*end != 'Z' && *end != '.' && *end != '+' && *end != '\0'))
    throw invalid_value("Invalid time: " + text);
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

}  // namespace reseal::sandbox::rds

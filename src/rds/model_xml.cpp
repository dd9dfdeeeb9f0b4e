// SPDX-License-Identifier: Apache-2.0
#include "rds/model_xml.hpp"

#include <algorithm>
#include <limits>

namespace reseal::rds {
namespace {

std::int64_t number_or_zero(const XmlView& element, const char* name) { return element.number(name).value_or(0); }

int small_number(const XmlView& element, const char* name) {
  return static_cast<int>(std::clamp<std::int64_t>(number_or_zero(element, name), 0, std::numeric_limits<int>::max()));
}

std::vector<GroupMembership> memberships(const XmlView& element, const char* list, const char* member, const char* name,
                                         const char* status) {
  std::vector<GroupMembership> found;
  for (const auto& one : element.members(list, member)) found.push_back({one.text(name), one.text(status)});
  return found;
}

void read_storage(const XmlView& element, DbInstance& instance) {
  instance.allocated_gib = number_or_zero(element, "AllocatedStorage");
  instance.max_allocated_gib = element.number("MaxAllocatedStorage");
  instance.storage_type = element.text("StorageType");
  instance.iops = element.number("Iops");
  instance.storage_throughput = element.number("StorageThroughput");
  instance.dedicated_log_volume = element.flag("DedicatedLogVolume");
  instance.storage_volume_status = element.text("StorageVolumeStatus");
  instance.percent_progress = element.text("PercentProgress");
  instance.storage_encrypted = element.flag("StorageEncrypted");
  instance.kms_key_id = element.text("KmsKeyId");
}

void read_place(const XmlView& element, DbInstance& instance) {
  instance.address = element.child("Endpoint").text("Address");
  instance.port = small_number(element.child("Endpoint"), "Port");
  instance.multi_az = element.flag("MultiAZ");
  instance.availability_zone = element.text("AvailabilityZone");
  instance.subnet_group = element.child("DBSubnetGroup").text("DBSubnetGroupName");
  instance.vpc_id = element.child("DBSubnetGroup").text("VpcId");
  instance.network_type = element.text("NetworkType");
  instance.publicly_accessible = element.flag("PubliclyAccessible");
  for (const auto& group : element.members("VpcSecurityGroups", "VpcSecurityGroupMembership"))
    instance.security_groups.push_back(group.text("VpcSecurityGroupId"));
  instance.parameter_groups =
      memberships(element, "DBParameterGroups", "DBParameterGroup", "DBParameterGroupName", "ParameterApplyStatus");
  instance.option_groups =
      memberships(element, "OptionGroupMemberships", "OptionGroupMembership", "OptionGroupName", "Status");
}

void read_operation(const XmlView& element, DbInstance& instance) {
  instance.backup_retention_days = number_or_zero(element, "BackupRetentionPeriod");
  instance.backup_window = element.text("PreferredBackupWindow");
  instance.maintenance_window = element.text("PreferredMaintenanceWindow");
  instance.auto_minor_version_upgrade = element.flag("AutoMinorVersionUpgrade");
  instance.copy_tags_to_snapshot = element.flag("CopyTagsToSnapshot");
  instance.deletion_protection = element.flag("DeletionProtection");
  instance.iam_authentication = element.flag("IAMDatabaseAuthenticationEnabled");
  instance.monitoring_interval = number_or_zero(element, "MonitoringInterval");
  instance.monitoring_role_arn = element.text("MonitoringRoleArn");
  instance.performance_insights = element.flag("PerformanceInsightsEnabled");
  instance.performance_insights_key = element.text("PerformanceInsightsKMSKeyId");
  instance.performance_insights_days = element.number("PerformanceInsightsRetentionPeriod");
  instance.log_exports = element.texts("EnabledCloudwatchLogsExports", "member");
  instance.ca_certificate = element.text("CACertificateIdentifier");
  instance.engine_lifecycle_support = element.text("EngineLifecycleSupport");
}

void read_replication(const XmlView& element, DbInstance& instance) {
  instance.cluster = element.text("DBClusterIdentifier");
  instance.replica_source = element.text("ReadReplicaSourceDBInstanceIdentifier");
  instance.replicas = element.texts("ReadReplicaDBInstanceIdentifiers", "ReadReplicaDBInstanceIdentifier");
  for (const auto& info : element.members("StatusInfos", "DBInstanceStatusInfo"))
    instance.status_infos.push_back(
        {info.text("StatusType"), info.flag("Normal"), info.text("Status"), info.text("Message")});
}

std::map<std::string, std::string> pending_of(const XmlView& element) {
  std::map<std::string, std::string> pending;
  for (const auto& [name, value] : element.child("PendingModifiedValues").children_texts())
    pending[name] = name == "MasterUserPassword" ? std::string() : value;
  return pending;
}

}  // namespace

Tags tags_of(const XmlView& parent) {
  Tags tags;
  for (const auto& tag : parent.members("TagList", "Tag")) tags[tag.text("Key")] = tag.text("Value");
  return tags;
}

DbInstance instance_of(const XmlView& element) {
  DbInstance instance;
  instance.identifier = element.text("DBInstanceIdentifier");
  instance.arn = element.text("DBInstanceArn");
  instance.resource_id = element.text("DbiResourceId");
  instance.status = element.text("DBInstanceStatus");
  instance.instance_class = element.text("DBInstanceClass");
  instance.engine = element.text("Engine");
  instance.engine_version = element.text("EngineVersion");
  instance.license_model = element.text("LicenseModel");
  instance.master_username = element.text("MasterUsername");
  read_storage(element, instance);
  read_place(element, instance);
  read_operation(element, instance);
  read_replication(element, instance);
  instance.pending = pending_of(element);
  instance.tags = tags_of(element);
  return instance;
}

DbSnapshot snapshot_of(const XmlView& element) {
  DbSnapshot snapshot;
  snapshot.identifier = element.text("DBSnapshotIdentifier");
  snapshot.arn = element.text("DBSnapshotArn");
  snapshot.instance = element.text("DBInstanceIdentifier");
  snapshot.instance_resource_id = element.text("DbiResourceId");
  snapshot.status = element.text("Status");
  snapshot.type = element.text("SnapshotType");
  snapshot.percent_progress = std::min(small_number(element, "PercentProgress"), 100);
  snapshot.engine = element.text("Engine");
  snapshot.engine_version = element.text("EngineVersion");
  snapshot.allocated_gib = number_or_zero(element, "AllocatedStorage");
  snapshot.encrypted = element.flag("Encrypted");
  snapshot.kms_key_id = element.text("KmsKeyId");
  snapshot.source_snapshot = element.text("SourceDBSnapshotIdentifier");
  snapshot.created = element.text("SnapshotCreateTime");
  snapshot.original_created = element.text("OriginalSnapshotCreateTime");
  snapshot.database_time = element.text("SnapshotDatabaseTime");
  snapshot.tags = tags_of(element);
  return snapshot;
}

ParameterGroup parameter_group_of(const XmlView& element) {
  return {element.text("DBParameterGroupName"), element.text("DBParameterGroupArn"),
          element.text("DBParameterGroupFamily"), element.text("Description")};
}

Parameter parameter_of(const XmlView& element) {
  return {element.text("ParameterName"), element.optional_text("ParameterValue"), element.text("Source"),
          element.text("ApplyType"), element.flag("IsModifiable")};
}

Event event_of(const XmlView& element) {
  return {element.text("SourceIdentifier"), element.text("SourceType"), element.text("Date"), element.text("Message"),
          element.texts("EventCategories", "EventCategory")};
}

OrderableOption orderable_option_of(const XmlView& element) {
  return {element.text("EngineVersion"), element.text("DBInstanceClass"), element.text("StorageType"),
          element.flag("SupportsStorageEncryption"), element.flag("ReadReplicaCapable")};
}

Quota quota_of(const XmlView& element) {
  return {element.text("AccountQuotaName"), number_or_zero(element, "Used"), number_or_zero(element, "Max")};
}

}  // namespace reseal::rds

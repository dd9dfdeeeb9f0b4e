// SPDX-License-Identifier: Apache-2.0
#include "rds/requests.hpp"

#include "base/failure.hpp"

namespace reseal::rds {
namespace {

Form begin(std::string_view action) { return Form(action, api_version); }

void add(Form& form, const InstanceSettings& settings) {
  form.add("DBInstanceClass", settings.instance_class);
  form.add("Port", settings.port);
  form.add("AvailabilityZone", settings.availability_zone);
  form.add("MultiAZ", settings.multi_az);
  form.add("DBSubnetGroupName", settings.subnet_group);
  form.add_list("VpcSecurityGroupIds.VpcSecurityGroupId", settings.security_groups);
  form.add("DBParameterGroupName", settings.parameter_group);
  form.add("OptionGroupName", settings.option_group);
  form.add("StorageType", settings.storage_type);
  form.add("Iops", settings.iops);
  form.add("StorageThroughput", settings.storage_throughput);
  form.add("AllocatedStorage", settings.allocated_gib);
  form.add("DedicatedLogVolume", settings.dedicated_log_volume);
  form.add("PubliclyAccessible", settings.publicly_accessible);
  form.add("AutoMinorVersionUpgrade", settings.auto_minor_version_upgrade);
  form.add("DeletionProtection", settings.deletion_protection);
  form.add("CopyTagsToSnapshot", settings.copy_tags_to_snapshot);
  form.add("EnableIAMDatabaseAuthentication", settings.iam_authentication);
  form.add_list("EnableCloudwatchLogsExports.member", settings.log_exports);
  form.add("NetworkType", settings.network_type);
  form.add("CACertificateIdentifier", settings.ca_certificate);
}

}  // namespace

Form form_of(const CreateReadReplica& request) {
  auto form = begin("CreateDBInstanceReadReplica");
  form.add("DBInstanceIdentifier", request.identifier);
  form.add("SourceDBInstanceIdentifier", request.source);
  add(form, request.settings);
  form.add("MaxAllocatedStorage", request.max_allocated_gib);
  form.add_tags(request.tags);
  return form;
}

Form form_of(const CreateSnapshot& request) {
  auto form = begin("CreateDBSnapshot");
  form.add("DBSnapshotIdentifier", request.identifier);
  form.add("DBInstanceIdentifier", request.instance);
  form.add_tags(request.tags);
  return form;
}

Form form_of(const CopySnapshot& request) {
  // Without a key the copy would be as plain as its source.
  RESEAL_CHECK(!request.kms_key.empty());
  auto form = begin("CopyDBSnapshot");
  form.add("SourceDBSnapshotIdentifier", request.source);
  form.add("TargetDBSnapshotIdentifier", request.target);
  form.add("KmsKeyId", request.kms_key);
  form.add("OptionGroupName", request.option_group);
  form.add_tags(request.tags);
  return form;
}

Form form_of(const RestoreFromSnapshot& request) {
  auto form = begin("RestoreDBInstanceFromDBSnapshot");
  form.add("DBInstanceIdentifier", request.identifier);
  form.add("DBSnapshotIdentifier", request.snapshot);
  add(form, request.settings);
  form.add("BackupRetentionPeriod", request.backup_retention_days);
  form.add("PreferredBackupWindow", request.backup_window);
  form.add("EngineLifecycleSupport", request.engine_lifecycle_support);
  form.add_tags(request.tags);
  return form;
}

Form form_of(const ModifyInstance& request) {
  auto form = begin("ModifyDBInstance");
  form.add("DBInstanceIdentifier", request.identifier);
  form.add("ApplyImmediately", std::optional<bool>(request.apply_immediately));
  form.add("NewDBInstanceIdentifier", request.new_identifier);
  form.add("DBParameterGroupName", request.parameter_group);
  form.add_list("VpcSecurityGroupIds.VpcSecurityGroupId", request.security_groups);
  form.add("MultiAZ", request.multi_az);
  form.add("BackupRetentionPeriod", request.backup_retention_days);
  form.add("PreferredBackupWindow", request.backup_window);
  form.add("PreferredMaintenanceWindow", request.maintenance_window);
  form.add("DeletionProtection", request.deletion_protection);
  form.add("MaxAllocatedStorage", request.max_allocated_gib);
  form.add("MonitoringInterval", request.monitoring_interval);
  form.add("MonitoringRoleArn", request.monitoring_role_arn);
  form.add("EnablePerformanceInsights", request.performance_insights);
  form.add("PerformanceInsightsKMSKeyId", request.performance_insights_key);
  form.add("PerformanceInsightsRetentionPeriod", request.performance_insights_days);
  form.add("CACertificateIdentifier", request.ca_certificate);
  return form;
}

Form form_of(const DeleteInstance& request) {
  auto form = begin("DeleteDBInstance");
  form.add("DBInstanceIdentifier", request.identifier);
  form.add("SkipFinalSnapshot", std::optional<bool>(!request.final_snapshot.has_value()));
  form.add("FinalDBSnapshotIdentifier", request.final_snapshot);
  form.add("DeleteAutomatedBackups", std::optional<bool>(request.delete_automated_backups));
  return form;
}

Form form_of(const CreateParameterGroup& request) {
  auto form = begin("CreateDBParameterGroup");
  form.add("DBParameterGroupName", request.name);
  form.add("DBParameterGroupFamily", request.family);
  form.add("Description", request.description);
  form.add_tags(request.tags);
  return form;
}

Form form_of(const CopyParameterGroup& request) {
  auto form = begin("CopyDBParameterGroup");
  form.add("SourceDBParameterGroupIdentifier", request.source);
  form.add("TargetDBParameterGroupIdentifier", request.target);
  form.add("TargetDBParameterGroupDescription", request.description);
  form.add_tags(request.tags);
  return form;
}

Form form_of(const std::string& parameter_group, const std::vector<ParameterChange>& changes) {
  RESEAL_CHECK(changes.size() <= 20);
  auto form = begin("ModifyDBParameterGroup");
  form.add("DBParameterGroupName", parameter_group);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto prefix = "Parameters.Parameter." + std::to_string(i + 1);
    form.add(prefix + ".ParameterName", changes[i].name);
    form.add(prefix + ".ParameterValue", changes[i].value);
    form.add(prefix + ".ApplyMethod", std::string(changes[i].immediate ? "immediate" : "pending-reboot"));
  }
  return form;
}

Form form_of(const EventQuery& query) {
  auto form = begin("DescribeEvents");
  form.add("SourceIdentifier", query.source);
  form.add("SourceType", query.source_type);
  form.add("Duration", std::optional<int>(query.minutes));
  return form;
}

}  // namespace reseal::rds

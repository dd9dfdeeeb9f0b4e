// SPDX-License-Identifier: Apache-2.0
#include "platform/target_settings.hpp"

namespace reseal::platform {
namespace {

// Below this many GiB the service has fixed figures for gp3 and refuses a request that names any (RDS User Guide,
// "gp3 storage").
constexpr std::int64_t least_gp3_with_figures = 400;

std::optional<int> whole(const std::optional<std::int64_t>& number) {
  if (!number || *number == 0) return std::nullopt;
  return static_cast<int>(*number);
}

std::optional<std::string> text(const std::string& value) {
  if (value.empty()) return std::nullopt;
  return value;
}

rds::InstanceSettings common(const rds::DbInstance& source) {
  rds::InstanceSettings settings;
  settings.instance_class = text(source.instance_class);
  settings.port = source.port;
  settings.security_groups = source.security_groups;
  settings.storage_type = text(source.storage_type);
  const bool gp3 = source.storage_type == "gp3";
  if (source.storage_type.starts_with("io") || (gp3 && source.allocated_gib >= least_gp3_with_figures)) {
    settings.iops = whole(source.iops);
    if (gp3) settings.storage_throughput = whole(source.storage_throughput);
  }
  settings.publicly_accessible = source.publicly_accessible;
  settings.ca_certificate = text(source.ca_certificate);
  settings.network_type = text(source.network_type);
  return settings;
}

}  // namespace

rds::Tags user_tags(const rds::Tags& tags) {
  rds::Tags kept;
  for (const auto& [key, value] : tags)
    if (!key.starts_with("aws:") && !key.starts_with("reseal:")) kept.emplace(key, value);
  return kept;
}

rds::CreateReadReplica replica_request(const rds::DbInstance& source) {
  rds::CreateReadReplica request;
  request.source = source.identifier;
  request.settings = common(source);
  request.settings.multi_az = false;
  request.settings.deletion_protection = false;
  // An upgrade while it stands still would change what the snapshot holds.
  request.settings.auto_minor_version_upgrade = false;
  return request;
}

rds::RestoreFromSnapshot restore_request(const rds::DbInstance& source, const std::string& target,
                                         const std::string& snapshot, const std::string& waiting_group) {
  rds::RestoreFromSnapshot request;
  request.identifier = target;
  request.snapshot = snapshot;
  auto& settings = request.settings = common(source);
  settings.multi_az = source.multi_az;
  // The service refuses a zone together with Multi-AZ.
  if (!source.multi_az) settings.availability_zone = text(source.availability_zone);
  settings.subnet_group = text(source.subnet_group);
  settings.parameter_group = waiting_group;
  if (!source.option_groups.empty()) settings.option_group = source.option_groups.front().name;
  settings.allocated_gib = whole(source.allocated_gib);
  settings.dedicated_log_volume = source.dedicated_log_volume;
  settings.auto_minor_version_upgrade = source.auto_minor_version_upgrade;
  settings.deletion_protection = source.deletion_protection;
  settings.copy_tags_to_snapshot = source.copy_tags_to_snapshot;
  settings.iam_authentication = source.iam_authentication;
  settings.log_exports = source.log_exports;
  request.backup_retention_days = static_cast<int>(source.backup_retention_days);
  request.backup_window = text(source.backup_window);
  request.engine_lifecycle_support = text(source.engine_lifecycle_support);
  request.tags = user_tags(source.tags);
  return request;
}

std::optional<rds::ModifyInstance> later_changes(const rds::DbInstance& source, const rds::DbInstance& target) {
  rds::ModifyInstance changes;
  bool any = false;
  const auto set = [&](auto& field, auto value) {
    field = std::move(value);
    any = true;
  };
  if (source.max_allocated_gib != target.max_allocated_gib && source.max_allocated_gib)
    set(changes.max_allocated_gib, whole(source.max_allocated_gib));
  if (source.monitoring_interval != target.monitoring_interval ||
      source.monitoring_role_arn != target.monitoring_role_arn) {
    set(changes.monitoring_interval, static_cast<int>(source.monitoring_interval));
    changes.monitoring_role_arn = text(source.monitoring_role_arn);
  }
  if (source.performance_insights && !target.performance_insights) {
    set(changes.performance_insights, true);
    changes.performance_insights_key = text(source.performance_insights_key);
    changes.performance_insights_days = whole(source.performance_insights_days);
  }
  // Together, as the two windows may not overlap at any time.
  if (source.maintenance_window != target.maintenance_window || source.backup_window != target.backup_window) {
    set(changes.maintenance_window, text(source.maintenance_window));
    changes.backup_window = text(source.backup_window);
  }
  if (!any) return std::nullopt;
  changes.identifier = target.identifier;
  return changes;
}

}  // namespace reseal::platform

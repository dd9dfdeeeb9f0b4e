// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rds/form.hpp"

namespace reseal::rds {

// Parameters of the actions that create or change. What is absent or empty is not sent, and the service's default
// holds. Members are named as in model.hpp.

inline constexpr std::string_view api_version = "2014-10-31";

/// The part that a new instance takes over from the one it is made from.
struct InstanceSettings {
  std::optional<std::string> instance_class;
  std::optional<int> port;
  std::optional<std::string> availability_zone;  ///< refused by the service together with multi_az
  std::optional<bool> multi_az;
  std::optional<std::string> subnet_group;
  std::vector<std::string> security_groups;
  std::optional<std::string> parameter_group;
  std::optional<std::string> option_group;
  std::optional<std::string> storage_type;
  std::optional<int> iops;
  std::optional<int> storage_throughput;
  std::optional<int> allocated_gib;
  std::optional<bool> dedicated_log_volume;
  std::optional<bool> publicly_accessible;
  std::optional<bool> auto_minor_version_upgrade;
  std::optional<bool> deletion_protection;
  std::optional<bool> copy_tags_to_snapshot;
  std::optional<bool> iam_authentication;
  std::vector<std::string> log_exports;
  std::optional<std::string> network_type;
  std::optional<std::string> ca_certificate;
};

struct CreateReadReplica {
  std::string identifier;
  std::string source;
  InstanceSettings settings;
  std::optional<int> max_allocated_gib;
  Tags tags;
};

struct CreateSnapshot {
  std::string identifier;
  std::string instance;
  Tags tags;
};

struct CopySnapshot {
  std::string source;
  std::string target;
  std::string kms_key;  ///< makes the copy of a plain snapshot an encrypted one; required here
  std::optional<std::string> option_group;
  Tags tags;
};

/// The key is that of the snapshot; the API has no parameter for it.
struct RestoreFromSnapshot {
  std::string identifier;
  std::string snapshot;
  InstanceSettings settings;
  std::optional<int> backup_retention_days;
  std::optional<std::string> backup_window;
  std::optional<std::string> engine_lifecycle_support;
  Tags tags;
};

struct ModifyInstance {
  std::string identifier;
  bool apply_immediately = true;
  std::optional<std::string> new_identifier;  ///< reboots
  std::optional<std::string> parameter_group;
  std::vector<std::string> security_groups;
  std::optional<bool> multi_az;
  std::optional<int> backup_retention_days;
  std::optional<std::string> backup_window;
  std::optional<std::string> maintenance_window;
  std::optional<bool> deletion_protection;
  std::optional<int> max_allocated_gib;
  std::optional<int> monitoring_interval;
  std::optional<std::string> monitoring_role_arn;
  std::optional<bool> performance_insights;
  std::optional<std::string> performance_insights_key;
  std::optional<int> performance_insights_days;
  std::optional<std::string> ca_certificate;
};

struct DeleteInstance {
  std::string identifier;
  /// Name of the snapshot that is taken first; without one none is taken, which the API wants to be told too.
  std::optional<std::string> final_snapshot;
  bool delete_automated_backups = true;
};

struct CreateParameterGroup {
  std::string name;
  std::string family;
  std::string description;
  Tags tags;
};

struct CopyParameterGroup {
  std::string source;
  std::string target;
  std::string description;
  Tags tags;
};

struct ParameterChange {
  std::string name;
  std::string value;
  bool immediate = false;  ///< else at the next reboot; static parameters know only that
};

struct EventQuery {
  std::string source;
  std::string source_type;  ///< "db-instance", "db-snapshot"
  int minutes = 60;         ///< back from now
};

Form form_of(const CreateReadReplica& request);
Form form_of(const CreateSnapshot& request);
Form form_of(const CopySnapshot& request);
Form form_of(const RestoreFromSnapshot& request);
Form form_of(const ModifyInstance& request);
Form form_of(const DeleteInstance& request);
Form form_of(const CreateParameterGroup& request);
Form form_of(const CopyParameterGroup& request);
/// At most 20 changes: the service takes no more at a time.
Form form_of(const std::string& parameter_group, const std::vector<ParameterChange>& changes);
Form form_of(const EventQuery& query);

}  // namespace reseal::rds

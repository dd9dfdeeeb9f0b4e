// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rds/form.hpp"

namespace reseal::rds {

// What RDS says of its resources, as plain values named after the API's members. Sizes are GiB, times are the service's
// text (UTC, ISO 8601), a text that is not there is empty.

/// One entry of StatusInfos: for a read replica, type "read replication" and status "replicating", "stopped", "error",
/// …
struct StatusInfo {
  std::string type;
  bool normal = false;
  std::string status;
  std::string message;
};

/// A parameter or option group that an instance uses, and how far it is applied: "in-sync", "pending-reboot",
/// "applying".
struct GroupMembership {
  std::string name;
  std::string status;
};

struct DbInstance {
  std::string identifier;
  std::string arn;
  std::string resource_id;
  std::string status;
  std::string instance_class;
  std::string engine;
  std::string engine_version;
  std::string license_model;
  std::string master_username;
  std::string address;  ///< empty until the instance has an endpoint
  int port = 0;

  std::int64_t allocated_gib = 0;
  std::optional<std::int64_t> max_allocated_gib;  ///< storage autoscaling
  std::string storage_type;
  std::optional<std::int64_t> iops;
  std::optional<std::int64_t> storage_throughput;
  bool dedicated_log_volume = false;
  std::string storage_volume_status;
  std::string percent_progress;

  bool storage_encrypted = false;
  std::string kms_key_id;  ///< ARN

  bool multi_az = false;
  std::string availability_zone;
  std::string subnet_group;
  std::string vpc_id;
  std::string network_type;
  bool publicly_accessible = false;
  std::vector<std::string> security_groups;
  std::vector<GroupMembership> parameter_groups;
  std::vector<GroupMembership> option_groups;

  std::int64_t backup_retention_days = 0;
  std::string backup_window;
  std::string maintenance_window;
  bool auto_minor_version_upgrade = false;
  bool copy_tags_to_snapshot = false;
  bool deletion_protection = false;
  bool iam_authentication = false;
  std::int64_t monitoring_interval = 0;
  std::string monitoring_role_arn;
  bool performance_insights = false;
  std::string performance_insights_key;
  std::optional<std::int64_t> performance_insights_days;
  std::vector<std::string> log_exports;
  std::string ca_certificate;
  std::string engine_lifecycle_support;
  std::string cluster;  ///< of a Multi-AZ cluster or Aurora

  std::string replica_source;
  std::vector<std::string> replicas;
  std::vector<StatusInfo> status_infos;
  /// PendingModifiedValues: member -> value; a password's value is not kept, a structure's is empty.
  std::map<std::string, std::string> pending;
  Tags tags;
};

struct DbSnapshot {
  std::string identifier;
  std::string arn;
  std::string instance;
  std::string instance_resource_id;
  std::string status;
  std::string type;  ///< manual, automated, shared, public, awsbackup
  int percent_progress = 0;
  std::string engine;
  std::string engine_version;
  std::int64_t allocated_gib = 0;
  bool encrypted = false;
  std::string kms_key_id;
  std::string source_snapshot;  ///< ARN; of a copy
  std::string created;
  std::string original_created;
  std::string database_time;
  Tags tags;
};

struct ParameterGroup {
  std::string name;
  std::string arn;
  std::string family;
  std::string description;
};

struct Parameter {
  std::string name;
  std::optional<std::string> value;
  std::string source;      ///< user, system, engine-default
  std::string apply_type;  ///< static, dynamic
  bool modifiable = false;
};

struct Event {
  std::string source;
  std::string source_type;
  std::string date;
  std::string message;
  std::vector<std::string> categories;
};

struct OrderableOption {
  std::string engine_version;
  std::string instance_class;
  std::string storage_type;
  bool supports_storage_encryption = false;
  bool read_replica_capable = false;
};

/// AccountQuotaName ("ManualSnapshots", "DBInstances", "AllocatedStorage", …), what is used and what is allowed.
struct Quota {
  std::string name;
  std::int64_t used = 0;
  std::int64_t most = 0;
};

/// What KMS says of a key.
struct KmsKey {
  std::string id;
  std::string arn;
  std::string state;  ///< Enabled, Disabled, PendingDeletion, …
  bool enabled = false;
  std::string spec;     ///< SYMMETRIC_DEFAULT, RSA_2048, …
  std::string usage;    ///< ENCRYPT_DECRYPT, …
  std::string manager;  ///< AWS, CUSTOMER
};

struct CallerIdentity {
  std::string account;
  std::string arn;
};

}  // namespace reseal::rds

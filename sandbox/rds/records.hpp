// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sandbox/rds/settings.hpp"
#include "sandbox/server_folder.hpp"

namespace reseal::sandbox::rds {

using Time = std::chrono::system_clock::time_point;
using Tags = std::map<std::string, std::string>;

/// How a read replica's replication is, in the words of DescribeDBInstances' StatusInfos.
struct ReplicationState {
  std::string status = "replicating";
  std::string message;
  std::string source_log;  ///< the source's binlog file that the receiver has reached; empty: not known
  bool normal() const { return status != "error" && status != "terminated"; }
};

/// A DB instance as the API shows it, and where its server is.
struct Instance {
  std::string id;
  std::string resource_id;  ///< stays the same over a rename
  std::string status = "creating";
  Time status_since = std::chrono::system_clock::now();
  Time created;
  std::string master_user;
  std::string db_name;
  Settings settings;
  std::vector<std::string> security_groups;
  std::vector<std::string> log_exports;
  std::string subnet_group = "default";
  std::string option_group;
  std::string parameter_group;
  bool parameters_pending = false;  ///< the group has values that the server gets at its next start
  Settings pending;                 ///< PendingModifiedValues
  Tags tags;
  std::string kms_key;        ///< ARN; empty: not encrypted
  std::string source_id;      ///< of a read replica
  std::string restored_from;  ///< snapshot id; empty: none
  ReplicationState replication;
  bool in_second_zone = false;  ///< after an odd number of failovers

  ServerFolder folder;
  std::string address;
  std::uint16_t port = 0;  ///< 0 until the server was started once
  std::uint32_t server_id = 0;

  bool encrypted() const { return !kms_key.empty(); }
  bool replica() const { return !source_id.empty(); }
  bool setting_flag(const std::string& name) const { return flag_of(settings, name); }
  int setting_number(const std::string& name) const { return number_of(settings, name); }
};

/// A DB snapshot. What it keeps of its instance is a copy.
struct Snapshot {
  std::string id;
  std::string type = "manual";  ///< or "automated"
  std::string status = "creating";
  int percent = 0;
  Time created;           ///< of this snapshot
  Time original_created;  ///< of the one that it was copied from
  std::string source;     ///< ARN of the snapshot that it was copied from
  std::string kms_key;    ///< ARN; empty: not encrypted
  Instance instance;      ///< as it was
  Tags tags;
  ServerFolder folder;

  bool encrypted() const { return !kms_key.empty(); }
};

struct ParameterGroup {
  std::string name;
  std::string family;
  std::string description;
  std::map<std::string, std::string> values;  ///< what a user set
  Tags tags;
};

struct Event {
  Time time;
  std::string source_id;
  std::string source_type;  ///< db-instance, db-snapshot or db-parameter-group
  std::string message;
  std::vector<std::string> categories;
};

/// Everything that the control plane knows. Guarded by its mutex.
struct Records {
  std::map<std::string, std::shared_ptr<Instance>> instances;
  std::map<std::string, std::shared_ptr<Snapshot>> snapshots;
  std::map<std::string, ParameterGroup> groups;
  std::deque<Event> events;

  /// ApiError DBInstanceNotFound, DBSnapshotNotFound or DBParameterGroupNotFound.
  std::shared_ptr<Instance> instance(const std::string& id) const;
  std::shared_ptr<Snapshot> snapshot(const std::string& id) const;
  const ParameterGroup& group(const std::string& name) const;
  std::vector<std::string> replicas_of(const std::string& id) const;
  void add_event(Time now, std::string source_id, std::string source_type, std::string message,
                 std::vector<std::string> categories);
};

/// The sandbox's own account, region and keys.
struct Account {
  std::string id = "123456789012";
  std::string region = "us-east-1";

  std::string arn(const std::string& type, const std::string& name) const;
  /// `name`, or the last part of the ARN that it is.
  static std::string name_of(const std::string& name_or_arn);
};

}  // namespace reseal::sandbox::rds

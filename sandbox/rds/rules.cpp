// SPDX-License-Identifier: Apache-2.0
#include "sandbox/rds/rules.hpp"

#include <algorithm>
#include <cctype>

#include "sandbox/rds/api_error.hpp"

namespace reseal::sandbox::rds {
namespace {

constexpr std::size_t max_replicas = 15;
constexpr int max_retention_days = 35;

void check_retention(const Form& form) {
  const int days = form.number("BackupRetentionPeriod", 1);
  if (days < 0 || days > max_retention_days)
    throw invalid_value("Invalid backup retention period: " + std::to_string(days) + ". It must be between 0 and 35.");
}

void check_password(const Form& form) {
  const auto password = form.find("MasterUserPassword");
  if (password &&
      (password->size() < 8 || password->size() > 41 || password->find_first_of("/\"@ ") != std::string::npos))
    throw invalid_value(
        "The parameter MasterUserPassword is not a valid password: 8 to 41 characters, only printable ASCII "
        "characters besides '/', '@', '\"', ' ' may be used.");
}

}  // namespace

std::string checked_identifier(const std::string& parameter, const std::string& value, std::size_t longest) {
  std::string id;
  for (const char c : value) id += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const bool letters = !id.empty() && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (!letters || id.size() > longest || id[0] < 'a' || id.back() == '-' || id.find("--") != std::string::npos)
    throw invalid_value("The parameter " + parameter +
                        " is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII "
                        "letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive "
                        "hyphens.");
  return id;
}

void require_available(const Instance& instance) {
  if (instance.status != "available")
    throw invalid_state("Instance " + instance.id + " is not in available state. It is " + instance.status + ".");
}

void require_status(const Instance& instance, const std::string& status) {
  if (instance.status != status)
    throw invalid_state("Instance " + instance.id + " is not in " + status + " state. It is " + instance.status + ".");
}

void check_new_instance(const Records& records, const std::string& id) {
  if (records.instances.contains(id)) throw ApiError(400, "DBInstanceAlreadyExists", "DB instance already exists");
}

void check_new_snapshot(const Records& records, const std::string& id) {
  if (records.snapshots.contains(id))
    throw ApiError(400, "DBSnapshotAlreadyExists",
                   "Cannot create the snapshot because a snapshot with the identifier " + id + " already exists.");
}

void check_create(const Form& form) {
  if (form.required("Engine") != "mysql")
    throw invalid_value("Invalid DB engine: " + form.text("Engine") + ". This sandbox has mysql only.");
  form.required("DBInstanceClass");
  form.required("MasterUsername");
  form.required("MasterUserPassword");
  form.required("AllocatedStorage");
  check_password(form);
  check_retention(form);
  if (form.has("KmsKeyId") && !form.flag("StorageEncrypted", false))
    throw invalid_combination("KmsKeyId can be given only when StorageEncrypted is true.");
}

void check_replica(const Records& records, const Instance& source, const Form& form) {
  require_available(source);
  if (source.setting_number("BackupRetentionPeriod") == 0)
    throw invalid_state(
        "Automated backups are not enabled for this database instance. To enable automated backups, "
        "use ModifyDBInstance to set the backup retention period to a non-zero value.");
  if (form.flag("StorageEncrypted", false) || form.has("KmsKeyId")) {
    if (!source.encrypted())
      throw invalid_combination("Cannot create an encrypted Read Replica from an unencrypted source DB instance.");
    throw invalid_combination("A Read Replica in the same Region has the KMS key of its source; do not give another.");
  }
  if (records.replicas_of(source.id).size() >= max_replicas)
    throw ApiError(400, "InstanceQuotaExceeded", "The source has the most read replicas that are allowed, 15.");
  check_retention(form);
}

void check_copy(const Snapshot& source) {
  if (source.status != "available")
    throw ApiError(
        400, "InvalidDBSnapshotState",
        "Cannot copy a snapshot that is not in available state: " + source.id + " is " + source.status + ".");
}

void check_restore(const Snapshot& snapshot, const Form& form) {
  if (snapshot.status != "available")
    throw ApiError(400, "InvalidDBSnapshotState", "The snapshot " + snapshot.id + " is " + snapshot.status + ".");
  if (form.flag("MultiAZ", false) && form.has("AvailabilityZone"))
    throw invalid_combination("You cannot specify AvailabilityZone for a Multi-AZ DB instance.");
  check_retention(form);
}

void check_delete(const Records& records, const Instance& instance, const Form& form) {
  // While a job works on the instance; RDS can break some of them off, this sandbox none.
  constexpr std::string_view deletable[] = {"available", "stopped", "failed", "restore-error",
                                            "incompatible-parameters"};
  if (std::find(std::begin(deletable), std::end(deletable), instance.status) == std::end(deletable))
    throw invalid_state("Instance " + instance.id + " cannot be deleted while it is " + instance.status + ".");
  if (instance.setting_flag("DeletionProtection"))
    throw invalid_combination("Cannot delete protected DB Instance, please disable deletion protection and try again.");
  const bool skip = form.flag("SkipFinalSnapshot", false);
  const auto final_snapshot = form.find("FinalDBSnapshotIdentifier");
  if (!skip && !final_snapshot)
    throw invalid_combination("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.");
  if (skip && final_snapshot)
    throw invalid_combination(
        "FinalDBSnapshotIdentifier can not be specified when deleting an instance with "
        "SkipFinalSnapshot.");
  if (final_snapshot && instance.replica())
    throw invalid_combination("FinalDBSnapshotIdentifier can not be specified when deleting a read replica.");
  if (final_snapshot) {
    require_available(instance);
    check_new_snapshot(records, checked_identifier("FinalDBSnapshotIdentifier", *final_snapshot, 255));
  }
}

void check_delete_snapshot(const Snapshot& snapshot) {
  if (snapshot.type != "manual")
    throw ApiError(400, "InvalidDBSnapshotState", "Only manual snapshots may be deleted: " + snapshot.id);
  if (snapshot.status != "available" && snapshot.status != "failed")
    throw ApiError(400, "InvalidDBSnapshotState", "The snapshot " + snapshot.id + " is " + snapshot.status + ".");
}

void check_modify(const Records& records, const Instance& instance, const Form& form) {
  require_available(instance);
  check_password(form);
  check_retention(form);
  if (const auto name = form.find("NewDBInstanceIdentifier"))
    check_new_instance(records, checked_identifier("NewDBInstanceIdentifier", *name, 63));
  if (const auto group = form.find("DBParameterGroupName")) records.group(*group);
  if (form.number("BackupRetentionPeriod", 1) == 0 && !records.replicas_of(instance.id).empty())
    throw invalid_state("Automated backups cannot be turned off while the instance has read replicas.");
}

void check_reboot(const Instance& instance, bool force_failover) {
  require_available(instance);
  if (force_failover && !instance.setting_flag("MultiAZ"))
    throw invalid_combination("ForceFailover cannot be specified for a DB instance that is not Multi-AZ.");
}

void check_stop(const Records& records, const Instance& instance) {
  require_available(instance);
  if (instance.replica() || !records.replicas_of(instance.id).empty())
    throw invalid_state("Cannot stop an instance that is a read replica or has read replicas: " + instance.id);
}

void check_delete_group(const Records& records, const ParameterGroup& group) {
  if (group.name.starts_with("default."))
    throw ApiError(400, "InvalidDBParameterGroupState", "Default DBParameterGroup cannot be deleted: " + group.name);
  for (const auto& [id, instance] : records.instances)
    if (instance->parameter_group == group.name)
      throw ApiError(400, "InvalidDBParameterGroupState",
                     "One or more database instances are still members of this parameter group " + group.name +
                         ", so the group cannot be deleted");
}

}  // namespace reseal::sandbox::rds

// SPDX-License-Identifier: Apache-2.0
#include "sandbox/rds/api_error.hpp"
#include "sandbox/rds/control_plane.hpp"
#include "sandbox/rds/rules.hpp"

namespace reseal::sandbox::rds {
namespace {

constexpr std::size_t longest_id = 63;

std::string instance_id(const Form& form, const std::string& parameter = "DBInstanceIdentifier") {
  return checked_identifier(parameter, form.required(parameter), longest_id);
}

void enter(Instance& instance, const char* status) {
  instance.status = status;
  instance.status_since = std::chrono::system_clock::now();
}

}  // namespace

void ControlPlane::create_instance(const Form& form, pugi::xml_node result) {
  check_create(form);
  const auto id = instance_id(form);
  check_new_instance(records_, id);
  auto instance = new_instance(id, form);
  take_choices(*instance, form);
  instance->master_user = form.required("MasterUsername");
  instance->db_name = form.text("DBName");
  if (form.flag("StorageEncrypted", false)) instance->kms_key = keys_.usable(form.text("KmsKeyId"));
  place(*instance, form.number("Port", 0));
  records_.instances[id] = instance;
  const MasterUser master{instance->master_user, base::Secret(form.required("MasterUserPassword"))};
  begin(instance, "failed", [=, this] { run_create(instance, master); });
  show(result, *instance);
}

void ControlPlane::create_replica(const Form& form, pugi::xml_node result) {
  const auto id = instance_id(form);
  const auto source = records_.instance(Account::name_of(form.required("SourceDBInstanceIdentifier")));
  check_new_instance(records_, id);
  check_replica(records_, *source, form);
  auto instance = new_instance(id, form);
  instance->settings = source->settings;
  instance->security_groups = source->security_groups;
  instance->log_exports = source->log_exports;
  instance->parameter_group = source->parameter_group;
  // A read replica keeps no backups of its own and is not protected unless it is asked for.
  for (const auto* name : {"BackupRetentionPeriod", "DeletionProtection", "MultiAZ", "MonitoringInterval"})
    instance->settings[name] = initial_settings()[name];
  instance->settings["BackupRetentionPeriod"] = "0";
  instance->settings.erase("MonitoringRoleArn");
  take_choices(*instance, form);
  instance->master_user = source->master_user;
  instance->kms_key = source->kms_key;
  instance->source_id = source->id;
  instance->replication.status = "connecting";
  place(*instance, form.number("Port", 0));
  records_.instances[id] = instance;
  begin(instance, "failed", [=, this] { run_replica(instance, source); });
  show(result, *instance);
}

void ControlPlane::restore_instance(const Form& form, pugi::xml_node result) {
  const auto id = instance_id(form);
  const auto snapshot = records_.snapshot(Account::name_of(form.required("DBSnapshotIdentifier")));
  check_new_instance(records_, id);
  check_restore(*snapshot, form);
  auto instance = new_instance(id, form);
  // What RDS takes over from the snapshot; the rest is of a new instance, the default security group included.
  for (const auto* name : {"DBInstanceClass", "AllocatedStorage", "StorageType", "Iops", "StorageThroughput",
                           "BackupRetentionPeriod", "PreferredBackupWindow", "LicenseModel"})
    if (const auto found = snapshot->instance.settings.find(name); found != snapshot->instance.settings.end())
      instance->settings[name] = found->second;
  if (number_of(instance->settings, "BackupRetentionPeriod") == 0) instance->settings["BackupRetentionPeriod"] = "1";
  take_choices(*instance, form);
  instance->master_user = snapshot->instance.master_user;
  instance->kms_key = snapshot->kms_key;
  instance->restored_from = snapshot->id;
  if (form.flag("CopyTagsToSnapshot", false)) instance->settings["CopyTagsToSnapshot"] = "true";
  place(*instance, form.number("Port", 0));
  records_.instances[id] = instance;
  begin(instance, "restore-error", [=, this] { run_restore(instance, snapshot); });
  show(result, *instance);
}

void ControlPlane::modify_instance(const Form& form, pugi::xml_node result) {
  const auto instance = records_.instance(instance_id(form));
  check_modify(records_, *instance, form);
  Instance trial = *instance;
  take_choices(trial, form);
  Form now = form;
  if (form.flag("ApplyImmediately", false)) {
    for (const auto& [name, value] : instance->pending)
      if (!form.has(name)) now.set(name, value);
    instance->pending.clear();
  } else {
    now = Form();
    for (const auto& name : setting_names())
      if (const auto value = form.find(name.request)) {
        if (name.immediate)
          now.set(name.request, *value);
        else
          instance->pending[name.request] = *value;
      }
    if (const auto name = form.find("NewDBInstanceIdentifier")) instance->pending["NewDBInstanceIdentifier"] = *name;
    for (const auto* name : {"MasterUserPassword", "DBParameterGroupName"})
      if (const auto value = form.find(name)) now.set(name, *value);
    instance->security_groups = trial.security_groups;
  }
  for (const auto& type : form.list("CloudwatchLogsExportConfiguration.EnableLogTypes", "member"))
    if (std::find(instance->log_exports.begin(), instance->log_exports.end(), type) == instance->log_exports.end())
      instance->log_exports.push_back(type);
  for (const auto& type : form.list("CloudwatchLogsExportConfiguration.DisableLogTypes", "member"))
    std::erase(instance->log_exports, type);
  show(result, *instance);
  enter(*instance, "modifying");
  begin(instance, "incompatible-parameters", [=, this] { run_modify(instance, now); });
}

void ControlPlane::reboot_instance(const Form& form, pugi::xml_node result) {
  const auto instance = records_.instance(instance_id(form));
  const bool failover = form.flag("ForceFailover", false);
  check_reboot(*instance, failover);
  enter(*instance, "rebooting");
  show(result, *instance);
  begin(instance, "incompatible-parameters", [=, this] { run_reboot(instance, failover); });
}

void ControlPlane::promote_replica(const Form& form, pugi::xml_node result) {
  const auto instance = records_.instance(instance_id(form));
  require_available(*instance);
  if (!instance->replica()) throw invalid_state("Instance " + instance->id + " is not a read replica.");
  const int days = form.number("BackupRetentionPeriod", 1);
  enter(*instance, "modifying");
  show(result, *instance);
  begin(instance, "failed", [=, this] { run_promote(instance, days); });
}

void ControlPlane::delete_instance(const Form& form, pugi::xml_node result) {
  const auto instance = records_.instance(instance_id(form));
  check_delete(records_, *instance, form);
  SnapshotPtr final_snapshot;
  if (const auto name = form.find("FinalDBSnapshotIdentifier"))
    final_snapshot = new_snapshot(checked_identifier("FinalDBSnapshotIdentifier", *name, 255), *instance, {});
  enter(*instance, "deleting");
  show(result, *instance);
  begin(instance, "failed", [=, this] { run_delete(instance, final_snapshot); });
}

void ControlPlane::stop_instance(const Form& form, pugi::xml_node result) {
  const auto instance = records_.instance(instance_id(form));
  check_stop(records_, *instance);
  enter(*instance, "stopping");
  show(result, *instance);
  begin(instance, "failed", [=, this] {
    host_.stop(instance->folder);
    set_status(instance, "stopped");
  });
}

void ControlPlane::start_instance(const Form& form, pugi::xml_node result) {
  const auto instance = records_.instance(instance_id(form));
  require_status(*instance, "stopped");
  enter(*instance, "starting");
  show(result, *instance);
  begin(instance, "incompatible-parameters", [=, this] {
    start_server(instance);
    make_available(instance, "DB instance started");
  });
}

}  // namespace reseal::sandbox::rds

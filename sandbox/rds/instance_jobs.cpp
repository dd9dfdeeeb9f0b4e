// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <ctime>

#include "base/failure.hpp"
#include "sandbox/rds/api_error.hpp"
#include "sandbox/rds/control_plane.hpp"
#include "sandbox/rds/rules.hpp"
#include "sql/quote.hpp"

namespace reseal::sandbox::rds {
namespace {

using base::Failure;
using base::FailureKind;

std::string automated_id(const Instance& instance) {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d-%H-%M-%S", &parts);
  return "rds:" + instance.id + "-" + text;
}

}  // namespace

void ControlPlane::begin(const InstancePtr& instance, const char* failed_status, std::function<void()> work) {
  jobs_.start([=, this, work = std::move(work)] {
    try {
      work();
    } catch (const std::exception& failure) {
      const std::lock_guard lock(mutex_);
      if (closed_) return;
      log_->error("sandbox: db-instance " + instance->id + ": " + failure.what());
      instance->status = failed_status;
      event(instance->id, "db-instance", "The sandbox could not go on; its log says why.", "failure");
    }
  });
}

void ControlPlane::set_status(const InstancePtr& instance, const std::string& status) {
  linger(instance->status_since);
  const std::lock_guard lock(mutex_);
  instance->status = status;
  instance->status_since = std::chrono::system_clock::now();
}

void ControlPlane::linger(Time since) {
  std::unique_lock lock(mutex_);
  moving_on_.wait(lock, [this] { return closed_ || !held_; });
  moving_on_.wait_until(lock, since + options_.least_status, [this] { return closed_; });
}

void ControlPlane::check_open() {
  const std::lock_guard lock(mutex_);
  if (closed_) throw Failure(FailureKind::interrupted, "the sandbox is stopping");
}

void ControlPlane::make_available(const InstancePtr& instance, const std::string& message) {
  set_status(instance, "available");
  const std::lock_guard lock(mutex_);
  event(instance->id, "db-instance", message, "notification");
}

void ControlPlane::start_server(const InstancePtr& instance) {
  ServerOptions options;
  std::uint16_t port = 0;
  {
    const std::lock_guard lock(mutex_);
    options = server_options(*instance, records_.group(instance->parameter_group));
    port = instance->port;
    instance->parameters_pending = false;
  }
  port = host_.start(instance->folder, port, options);
  const std::lock_guard lock(mutex_);
  instance->port = port;
}

void ControlPlane::restart_server(const InstancePtr& instance) {
  host_.stop(instance->folder);
  start_server(instance);
  auto session = admin_session(accounts_, instance->folder);
  resume_replication(session);
}

void ControlPlane::back_up(const InstancePtr& instance) {
  {
    const std::lock_guard lock(mutex_);
    if (instance->setting_number("BackupRetentionPeriod") == 0) return;
  }
  set_status(instance, "backing-up");
  SnapshotPtr snapshot;
  {
    const std::lock_guard lock(mutex_);
    event(instance->id, "db-instance", "Backing up DB instance", "backup");
    snapshot = new_snapshot(automated_id(*instance), *instance, instance->tags);
    snapshot->type = "automated";
  }
  take_snapshot(instance, snapshot);
  const std::lock_guard lock(mutex_);
  event(instance->id, "db-instance", "Finished DB Instance backup", "backup");
}

void ControlPlane::run_create(const InstancePtr& instance, const MasterUser& master) {
  host_.prepare(instance->folder, instance->encrypted() ? ServerOptions::encrypted_target() : ServerOptions());
  start_server(instance);
  set_up_server(instance->folder, accounts_, master, options_.procedures);
  {
    auto session = admin_session(accounts_, instance->folder);
    if (!instance->db_name.empty()) session.execute("CREATE DATABASE " + sql::quote_name(instance->db_name));
    // The tables of rds_* are made in the schema mysql, whose default is plain.
    if (instance->encrypted()) {
      encrypt_tablespaces(session, [](int) {});
      require_encrypted(session);
    }
  }
  back_up(instance);
  make_available(instance, "DB instance created");
}

void ControlPlane::run_replica(const InstancePtr& instance, const InstancePtr& source) {
  clone_server(accounts_, source->folder, instance->folder, [](int) {});
  start_server(instance);
  {
    auto session = admin_session(accounts_, instance->folder);
    begin_replication(session, accounts_, source->id, source->address, source->port);
  }
  back_up(instance);
  make_available(instance, "Replication for the Read Replica resumed");
}

void ControlPlane::run_restore(const InstancePtr& instance, const SnapshotPtr& snapshot) {
  copy_folder(snapshot->folder, instance->folder, [this](int) { check_open(); });
  start_server(instance);
  {
    auto session = admin_session(accounts_, instance->folder);
    forget_replication(session);
    if (instance->encrypted()) require_encrypted(session);
  }
  back_up(instance);
  make_available(instance, "Restored from snapshot " + snapshot->id);
}

void ControlPlane::run_modify(const InstancePtr& instance, const Form& form) {
  bool restart = false;
  std::string name;
  {
    const std::lock_guard lock(mutex_);
    const bool logged = instance->setting_number("BackupRetentionPeriod") > 0;
    take_choices(*instance, form);
    restart = logged != (instance->setting_number("BackupRetentionPeriod") > 0);
    instance->parameters_pending = instance->parameters_pending || form.has("DBParameterGroupName");
    name = form.text("NewDBInstanceIdentifier");
  }
  if (const auto password = form.find("MasterUserPassword")) {
    set_status(instance, "resetting-master-credentials");
    auto session = admin_session(accounts_, instance->folder);
    reset_master_user(session, {instance->master_user, base::Secret(*password)});
  }
  if (!name.empty()) rename(instance, checked_identifier("NewDBInstanceIdentifier", name, 63));
  if (restart || !name.empty()) {
    set_status(instance, "rebooting");
    restart_server(instance);
  }
  if (restart) back_up(instance);
  make_available(instance, "Finished applying modification");
}

void ControlPlane::rename(const InstancePtr& instance, const std::string& name) {
  set_status(instance, "renaming");
  const std::lock_guard lock(mutex_);
  check_new_instance(records_, name);
  for (const auto& replica : records_.replicas_of(instance->id)) records_.instances.at(replica)->source_id = name;
  event(instance->id, "db-instance", "Renamed instance from " + instance->id + " to " + name, "configuration change");
  records_.instances.erase(instance->id);
  instance->id = name;
  records_.instances[name] = instance;
}

void ControlPlane::run_reboot(const InstancePtr& instance, bool failover) {
  if (!failover) {
    restart_server(instance);
    make_available(instance, "DB instance restarted");
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    event(instance->id, "db-instance", "Multi-AZ instance failover started.", "failover");
  }
  // The standby has the same volume, block by block: the server that dies leaves its data to another process.
  host_.kill(instance->folder);
  restart_server(instance);
  {
    const std::lock_guard lock(mutex_);
    instance->in_second_zone = !instance->in_second_zone;
    event(instance->id, "db-instance", "Multi-AZ instance failover completed", "failover");
  }
  make_available(instance, "DB instance restarted");
}

void ControlPlane::run_promote(const InstancePtr& instance, int retention_days) {
  {
    auto session = admin_session(accounts_, instance->folder);
    forget_replication(session);
  }
  {
    const std::lock_guard lock(mutex_);
    instance->source_id.clear();
    instance->settings["BackupRetentionPeriod"] = std::to_string(retention_days);
  }
  set_status(instance, "rebooting");
  restart_server(instance);
  back_up(instance);
  make_available(instance, "Promoted Read Replica instance to standalone database instance");
}

void ControlPlane::run_delete(const InstancePtr& instance, const SnapshotPtr& final_snapshot) {
  if (final_snapshot) take_snapshot(instance, final_snapshot);
  host_.kill(instance->folder);
  terminate_replicas(instance->id);
  std::filesystem::remove_all(instance->folder.root);
  const std::lock_guard lock(mutex_);
  for (auto entry = records_.snapshots.begin(); entry != records_.snapshots.end();) {
    const auto& snapshot = *entry->second;
    const bool goes = snapshot.type == "automated" && snapshot.instance.resource_id == instance->resource_id;
    if (goes) std::filesystem::remove_all(snapshot.folder.root);
    entry = goes ? records_.snapshots.erase(entry) : std::next(entry);
  }
  event(instance->id, "db-instance", "DB instance deleted", "deletion");
  records_.instances.erase(instance->id);
}

// RDS promotes the read replicas of a source that is deleted.
void ControlPlane::terminate_replicas(const std::string& source_id) {
  std::vector<InstancePtr> replicas;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& id : records_.replicas_of(source_id)) replicas.push_back(records_.instances.at(id));
  }
  for (const auto& replica : replicas) {
    {
      auto session = admin_session(accounts_, replica->folder);
      forget_replication(session);
    }
    const std::lock_guard lock(mutex_);
    replica->source_id.clear();
    event(replica->id, "db-instance", "Replication for the Read Replica ended: its source was deleted", "read replica");
  }
}

}  // namespace reseal::sandbox::rds

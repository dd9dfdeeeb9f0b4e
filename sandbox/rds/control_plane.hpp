// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <pugixml.hpp>
#include <string>

#include "base/log.hpp"
#include "sandbox/rds/form.hpp"
#include "sandbox/rds/instance_server.hpp"
#include "sandbox/rds/jobs.hpp"
#include "sandbox/rds/key_store.hpp"
#include "sandbox/rds/parameters.hpp"
#include "sandbox/rds/records.hpp"
#include "sandbox/rds/server_host.hpp"

namespace reseal::sandbox::rds {

struct ControlPlaneOptions {
  std::filesystem::path folder;  ///< exists; instances/ and snapshots/ are made in it
  bool kept = false;             ///< the folder stays, so servers are shut down cleanly
  Account account;
  ProcedureNames procedures = ProcedureNames::source;
  std::chrono::milliseconds least_status{0};  ///< how long a status on the way lasts at least, so that it is seen
};

/// The RDS control plane with real servers behind it. Requests are answered at once; what takes time goes on in jobs,
/// which walk the status on. The names of the actions are the API's. Any thread may call.
class ControlPlane {
 public:
  ControlPlane(ControlPlaneOptions options, MysqlPrograms programs, base::Log& log);
  ~ControlPlane() { close(); }
  ControlPlane(const ControlPlane&) = delete;
  ControlPlane& operator=(const ControlPlane&) = delete;

  /// Carries out an action of the API and writes what it answers below `result`. ApiError when it is refused.
  void act(const std::string& action, const Form& form, pugi::xml_node result);
  /// While held, no instance or snapshot leaves a status on its way: for tests of what is refused meanwhile.
  void hold(bool held);
  /// Ends jobs and servers. Nothing is carried out after it.
  void close();

  /// What the caretaker needs of an instance whose server runs.
  struct Served {
    std::string resource_id;
    ServerFolder folder;
    bool replica;
    bool logs;                             ///< has binary logging
    std::vector<std::string> needed_logs;  ///< the binlog files that its read replicas have reached
  };
  std::vector<Served> served();
  void note_replication(const std::string& resource_id, ReplicationState state);
  const AdminAccounts& accounts() const { return accounts_; }
  const KeyStore& keys() const { return keys_; }

 private:
  using InstancePtr = std::shared_ptr<Instance>;
  using SnapshotPtr = std::shared_ptr<Snapshot>;
  using Action = void (ControlPlane::*)(const Form&, pugi::xml_node);
  static const std::map<std::string, Action>& actions();

  // instance_actions.cpp
  void create_instance(const Form& form, pugi::xml_node result);
  void create_replica(const Form& form, pugi::xml_node result);
  void restore_instance(const Form& form, pugi::xml_node result);
  void modify_instance(const Form& form, pugi::xml_node result);
  void reboot_instance(const Form& form, pugi::xml_node result);
  void promote_replica(const Form& form, pugi::xml_node result);
  void delete_instance(const Form& form, pugi::xml_node result);
  void stop_instance(const Form& form, pugi::xml_node result);
  void start_instance(const Form& form, pugi::xml_node result);
  // snapshot_actions.cpp
  void create_snapshot(const Form& form, pugi::xml_node result);
  void copy_snapshot(const Form& form, pugi::xml_node result);
  void delete_snapshot(const Form& form, pugi::xml_node result);
  void describe_snapshots(const Form& form, pugi::xml_node result);
  // group_actions.cpp
  void create_group(const Form& form, pugi::xml_node result);
  void copy_group(const Form& form, pugi::xml_node result);
  void modify_group(const Form& form, pugi::xml_node result);
  void reset_group(const Form& form, pugi::xml_node result);
  void delete_group(const Form& form, pugi::xml_node result);
  void describe_groups(const Form& form, pugi::xml_node result);
  void describe_parameters(const Form& form, pugi::xml_node result);
  // describe_actions.cpp
  void describe_instances(const Form& form, pugi::xml_node result);
  void describe_events(const Form& form, pugi::xml_node result);
  void describe_versions(const Form& form, pugi::xml_node result);
  void describe_orderable(const Form& form, pugi::xml_node result);
  void describe_subnet_groups(const Form& form, pugi::xml_node result);
  void describe_option_groups(const Form& form, pugi::xml_node result);
  void describe_certificates(const Form& form, pugi::xml_node result);
  void describe_quotas(const Form& form, pugi::xml_node result);
  void describe_maintenance(const Form& form, pugi::xml_node result);
  void describe_log_files(const Form& form, pugi::xml_node result);
  void download_log(const Form& form, pugi::xml_node result);
  void add_tags_to(const Form& form, pugi::xml_node result);
  void remove_tags_from(const Form& form, pugi::xml_node result);
  void list_tags(const Form& form, pugi::xml_node result);

  // instance_jobs.cpp: in a job's thread, without the mutex
  void begin(const InstancePtr& instance, const char* failed_status, std::function<void()> work);
  void run_create(const InstancePtr& instance, const MasterUser& master);
  void run_replica(const InstancePtr& instance, const InstancePtr& source);
  void run_restore(const InstancePtr& instance, const SnapshotPtr& snapshot);
  void run_modify(const InstancePtr& instance, const Form& form);
  void run_reboot(const InstancePtr& instance, bool failover);
  void run_promote(const InstancePtr& instance, int retention_days);
  void run_delete(const InstancePtr& instance, const SnapshotPtr& final_snapshot);
  void run_snapshot(const InstancePtr& instance, const SnapshotPtr& snapshot);
  void run_copy(const SnapshotPtr& source, const SnapshotPtr& target);
  void start_server(const InstancePtr& instance);
  void restart_server(const InstancePtr& instance);
  void back_up(const InstancePtr& instance);
  void take_snapshot(const InstancePtr& instance, const SnapshotPtr& snapshot);
  void rename(const InstancePtr& instance, const std::string& name);
  void terminate_replicas(const std::string& source_id);
  void set_status(const InstancePtr& instance, const std::string& status);
  void make_available(const InstancePtr& instance, const std::string& message);
  void linger(Time since);  ///< until a status of that age may be left
  void check_open();        ///< Failure(interrupted) once the sandbox is stopping

  // Under the mutex.
  InstancePtr new_instance(const std::string& id, const Form& form);
  void take_choices(Instance& instance, const Form& form) const;
  SnapshotPtr new_snapshot(const std::string& id, const Instance& instance, Tags tags);
  void place(Instance& instance, int port) const;
  void event(const std::string& id, const char* type, std::string message, const char* category);
  void show(pugi::xml_node result, const Instance& instance) const;
  void show(pugi::xml_node result, const Snapshot& snapshot) const;
  void change_parameter(const std::string& group_name, const Parameter& changed,
                        const std::optional<std::string>& value, bool immediate);
  Tags& tags_of(const std::string& arn);
  std::string default_group() const { return "default." + family_; }
  std::string default_option_group() const;

  ControlPlaneOptions options_;
  base::Log* log_;
  std::string version_;  ///< of the engine, "9.7.4"
  std::string family_;   ///< "mysql9.7"
  KeyStore keys_;
  AdminAccounts accounts_;
  std::mutex mutex_;
  std::condition_variable moving_on_;
  bool closed_ = false;
  bool held_ = false;
  Records records_;
  ServerHost host_;
  Jobs jobs_;
};

/// Tags.Tag.N of a request.
Tags tags_in(const Form& form);

}  // namespace reseal::sandbox::rds

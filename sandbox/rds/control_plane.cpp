// SPDX-License-Identifier: Apache-2.0
#include "sandbox/rds/control_plane.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/rand.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "base/failure.hpp"
#include "sandbox/rds/answers.hpp"
#include "sandbox/rds/api_error.hpp"
#include "sandbox/rds/rules.hpp"
#include "sandbox/server_launch.hpp"

namespace reseal::sandbox::rds {
namespace {

constexpr int loopback_addresses = 250;

bool port_is_free(const std::string& address, int port) {
  const int handle = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int reuse = 1;
  ::setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);  // as mysqld does
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool bound = ::inet_pton(AF_INET, address.c_str(), &place.sin_addr) == 1 &&
                     ::bind(handle, reinterpret_cast<const sockaddr*>(&place), sizeof place) == 0;
  ::close(handle);
  return bound;
}

std::uint32_t random_number() {
  std::uint32_t number = 0;
  RESEAL_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(&number), sizeof number) == 1);
  return number;
}

}  // namespace

Tags tags_in(const Form& form) {
  Tags tags;
  for (const auto& tag : form.structures("Tags", "Tag")) tags[tag.required("Key")] = tag.text("Value");
  return tags;
}

ControlPlane::ControlPlane(ControlPlaneOptions options, MysqlPrograms programs, base::Log& log)
    : options_(std::move(options)),
      log_(&log),
      version_(programs.version().substr(0, programs.version().find_first_of("-+ "))),
      family_("mysql" + version_.substr(0, version_.rfind('.'))),
      keys_(options_.account),
      accounts_{base::Secret(random_password()), base::Secret(random_password())},
      host_(std::move(programs)) {
  std::filesystem::create_directories(options_.folder / "instances");
  std::filesystem::create_directories(options_.folder / "snapshots");
  records_.groups[default_group()] = {default_group(), family_, "Default parameter group for " + family_, {}, {}};
}

void ControlPlane::hold(bool held) {
  {
    const std::lock_guard lock(mutex_);
    held_ = held;
  }
  moving_on_.notify_all();
}

void ControlPlane::close() {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = true;
  }
  moving_on_.notify_all();
  host_.close(options_.kept);
  jobs_.join();
}

const std::map<std::string, ControlPlane::Action>& ControlPlane::actions() {
  static const std::map<std::string, Action> table = {
      {"CreateDBInstance", &ControlPlane::create_instance},
      {"CreateDBInstanceReadReplica", &ControlPlane::create_replica},
      {"RestoreDBInstanceFromDBSnapshot", &ControlPlane::restore_instance},
      {"ModifyDBInstance", &ControlPlane::modify_instance},
      {"RebootDBInstance", &ControlPlane::reboot_instance},
      {"PromoteReadReplica", &ControlPlane::promote_replica},
      {"DeleteDBInstance", &ControlPlane::delete_instance},
      {"StopDBInstance", &ControlPlane::stop_instance},
      {"StartDBInstance", &ControlPlane::start_instance},
      {"CreateDBSnapshot", &ControlPlane::create_snapshot},
      {"CopyDBSnapshot", &ControlPlane::copy_snapshot},
      {"DeleteDBSnapshot", &ControlPlane::delete_snapshot},
      {"DescribeDBSnapshots", &ControlPlane::describe_snapshots},
      {"CreateDBParameterGroup", &ControlPlane::create_group},
      {"CopyDBParameterGroup", &ControlPlane::copy_group},
      {"ModifyDBParameterGroup", &ControlPlane::modify_group},
      {"ResetDBParameterGroup", &ControlPlane::reset_group},
      {"DeleteDBParameterGroup", &ControlPlane::delete_group},
      {"DescribeDBParameterGroups", &ControlPlane::describe_groups},
      {"DescribeDBParameters", &ControlPlane::describe_parameters},
      {"DescribeDBInstances", &ControlPlane::describe_instances},
      {"DescribeEvents", &ControlPlane::describe_events},
      {"DescribeDBEngineVersions", &ControlPlane::describe_versions},
      {"DescribeOrderableDBInstanceOptions", &ControlPlane::describe_orderable},
      {"DescribeDBSubnetGroups", &ControlPlane::describe_subnet_groups},
      {"DescribeOptionGroups", &ControlPlane::describe_option_groups},
      {"DescribeCertificates", &ControlPlane::describe_certificates},
      {"DescribeAccountAttributes", &ControlPlane::describe_quotas},
      {"DescribePendingMaintenanceActions", &ControlPlane::describe_maintenance},
      {"DescribeDBLogFiles", &ControlPlane::describe_log_files},
      {"DownloadDBLogFilePortion", &ControlPlane::download_log},
      {"AddTagsToResource", &ControlPlane::add_tags_to},
      {"RemoveTagsFromResource", &ControlPlane::remove_tags_from},
      {"ListTagsForResource", &ControlPlane::list_tags},
  };
  return table;
}

void ControlPlane::act(const std::string& action, const Form& form, pugi::xml_node result) {
  const auto found = actions().find(action);
  if (found == actions().end())
    throw ApiError(400, "InvalidAction", "This sandbox has no operation " + action + " of version 2014-10-31.");
  const std::lock_guard lock(mutex_);
  if (closed_) throw ApiError(503, "ServiceUnavailable", "The sandbox is stopping.");
  (this->*found->second)(form, result);
}

std::vector<ControlPlane::Served> ControlPlane::served() {
  const std::lock_guard lock(mutex_);
  std::vector<Served> result;
  for (const auto& [id, instance] : records_.instances) {
    if (instance->status != "available" && instance->status != "backing-up" && instance->status != "modifying")
      continue;
    Served served{instance->resource_id,
                  instance->folder,
                  instance->replica(),
                  instance->setting_number("BackupRetentionPeriod") > 0,
                  {}};
    for (const auto& replica : records_.replicas_of(id))
      served.needed_logs.push_back(records_.instances.at(replica)->replication.source_log);
    result.push_back(std::move(served));
  }
  return result;
}

void ControlPlane::note_replication(const std::string& resource_id, ReplicationState state) {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, instance] : records_.instances) {
    if (instance->resource_id != resource_id) continue;
    if (instance->replica()) instance->replication = std::move(state);
    return;
  }
}

std::string ControlPlane::default_option_group() const {
  auto series = family_.substr(std::string_view("mysql").size());
  std::replace(series.begin(), series.end(), '.', '-');
  return "default:mysql-" + series;
}

ControlPlane::InstancePtr ControlPlane::new_instance(const std::string& id, const Form& form) {
  auto instance = std::make_shared<Instance>();
  instance->id = id;
  instance->resource_id = fmt::format("db-SANDBOX{:08X}{:08X}", random_number(), random_number());
  instance->created = std::chrono::system_clock::now();
  instance->settings = initial_settings();
  instance->security_groups = {"sg-default"};
  instance->option_group = default_option_group();
  instance->parameter_group = default_group();
  instance->tags = tags_in(form);
  instance->server_id = random_number() % 0x7fffffffU + 1;
  instance->folder.root = options_.folder / "instances" / instance->resource_id;
  return instance;
}

void ControlPlane::take_choices(Instance& instance, const Form& form) const {
  take_settings(instance.settings, form);
  if (auto groups = form.list("VpcSecurityGroupIds", "VpcSecurityGroupId"); !groups.empty())
    instance.security_groups = std::move(groups);
  if (auto exports = form.list("EnableCloudwatchLogsExports", "member"); !exports.empty())
    instance.log_exports = std::move(exports);
  instance.subnet_group = form.text("DBSubnetGroupName", instance.subnet_group);
  if (instance.subnet_group != "default")
    throw ApiError(404, "DBSubnetGroupNotFoundFault", "DB subnet group not found: " + instance.subnet_group);
  if (const auto name = form.find("OptionGroupName"); name && *name != instance.option_group)
    throw ApiError(404, "OptionGroupNotFoundFault", "Specified OptionGroupName: " + *name + " not found.");
  if (const auto version = form.find("EngineVersion"); version && !version_.starts_with(*version))
    throw invalid_combination("Cannot find version " + *version + " for mysql; this sandbox has " + version_ + ".");
  if (const auto name = form.find("DBParameterGroupName")) instance.parameter_group = records_.group(*name).name;
}

// A server of its own at 127.0.0.1, unless the port asked for is in use there: on RDS every instance has its own host.
void ControlPlane::place(Instance& instance, int port) const {
  instance.address = "127.0.0.1";
  if (port == 0) return;
  if (port < 1150 || port > 65535) throw invalid_value("Invalid port " + std::to_string(port) + ": 1150 to 65535.");
  for (int last = 1; last <= loopback_addresses; ++last) {
    instance.address = "127.0.0." + std::to_string(last);
    bool taken = !port_is_free(instance.address, port);
    for (const auto& [id, other] : records_.instances)
      taken = taken || (other->address == instance.address && other->port == port);
    if (taken) continue;
    instance.port = static_cast<std::uint16_t>(port);
    return;
  }
  throw invalid_value("Port " + std::to_string(port) + " is in use on every loopback address.");
}

void ControlPlane::event(const std::string& id, const char* type, std::string message, const char* category) {
  log_->info(std::string("sandbox: ") + type + " " + id + ": " + message);
  records_.add_event(std::chrono::system_clock::now(), id, type, std::move(message), {category});
}

void ControlPlane::show(pugi::xml_node result, const Instance& instance) const {
  add_instance(result, records_, options_.account, instance, version_);
}

void ControlPlane::show(pugi::xml_node result, const Snapshot& snapshot) const {
  add_snapshot(result, options_.account, snapshot, version_);
}

}  // namespace reseal::sandbox::rds

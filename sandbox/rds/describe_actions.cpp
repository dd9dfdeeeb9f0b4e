// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "sandbox/rds/answers.hpp"
#include "sandbox/rds/api_error.hpp"
#include "sandbox/rds/control_plane.hpp"
#include "sandbox/rds/listing.hpp"

namespace reseal::sandbox::rds {
namespace {

constexpr const char* log_name = "error/mysql-error-running.log";

std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// XML 1.0 has no other control characters.
std::string xml_safe(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c >= 0 && c < ' ' && c != '\n' && c != '\t'; }, '?');
  return text;
}

}  // namespace

void ControlPlane::describe_instances(const Form& form, pugi::xml_node result) {
  const auto wanted = form.find("DBInstanceIdentifier");
  const auto id = wanted ? Account::name_of(*wanted) : "";
  if (wanted) records_.instance(id);
  std::vector<std::string> names;
  for (const auto& [name, instance] : records_.instances)
    if ((!wanted || name == id) && passes_filters(form, {{"db-instance-id", {name, options_.account.arn("db", name)}},
                                                         {"dbi-resource-id", {instance->resource_id}},
                                                         {"db-cluster-id", {}},
                                                         {"domain", {}},
                                                         {"engine", {"mysql"}}}))
      names.push_back(name);
  const auto page = page_of(names, form);
  auto list = result.append_child("DBInstances");
  for (auto i = page.begin; i < page.end; ++i) show(list, *records_.instances.at(names[i]));
  if (!page.marker.empty()) add_text(result, "Marker", page.marker);
}

void ControlPlane::describe_events(const Form& form, pugi::xml_node result) {
  const auto now = std::chrono::system_clock::now();
  const auto end = form.has("EndTime") ? read_time(form.required("EndTime")) : now;
  // Without a time, RDS tells of the last hour.
  const auto begin = form.has("StartTime") ? read_time(form.required("StartTime"))
                                           : end - std::chrono::minutes(form.number("Duration", 60));
  const auto categories = form.list("EventCategories", "EventCategory");
  std::vector<std::string> keys;
  std::vector<const Event*> found;
  for (const auto& event : records_.events) {
    if (event.time < begin || event.time > end) continue;
    if (form.text("SourceIdentifier", event.source_id) != event.source_id) continue;
    if (form.text("SourceType", event.source_type) != event.source_type) continue;
    if (!categories.empty() &&
        std::find(categories.begin(), categories.end(), event.categories.front()) == categories.end())
      continue;
    keys.push_back(fmt::format("{:08}", keys.size()));
    found.push_back(&event);
  }
  const auto page = page_of(keys, form);
  auto list = result.append_child("Events");
  for (auto i = page.begin; i < page.end; ++i) add_event(list, options_.account, *found[i]);
  if (!page.marker.empty()) add_text(result, "Marker", page.marker);
}

void ControlPlane::describe_versions(const Form& form, pugi::xml_node result) {
  auto list = result.append_child("DBEngineVersions");
  if (form.text("Engine", "mysql") != "mysql" || !version_.starts_with(form.text("EngineVersion"))) return;
  auto version = list.append_child("DBEngineVersion");
  add_text(version, "Engine", "mysql");
  add_text(version, "EngineVersion", version_);
  add_text(version, "DBParameterGroupFamily", family_);
  add_text(version, "DBEngineDescription", "MySQL in a reseal sandbox");
  add_text(version, "SupportsReadReplica", "true");
  add_text(version, "Status", "available");
}

void ControlPlane::describe_orderable(const Form& form, pugi::xml_node result) {
  auto list = result.append_child("OrderableDBInstanceOptions");
  if (form.required("Engine") != "mysql") return;
  for (const auto* name : {"db.t3.micro", "db.t3.medium", "db.m5.large", "db.r6g.large"}) {
    if (form.text("DBInstanceClass", name) != name) continue;
    auto option = list.append_child("OrderableDBInstanceOption");
    add_text(option, "Engine", "mysql");
    add_text(option, "EngineVersion", version_);
    add_text(option, "DBInstanceClass", name);
    add_text(option, "LicenseModel", "general-public-license");
    add_text(option, "MultiAZCapable", "true");
    add_text(option, "ReadReplicaCapable", "true");
    add_text(option, "Vpc", "true");
    add_text(option, "SupportsStorageEncryption", "true");
    add_text(option, "StorageType", "gp2");
  }
}

void ControlPlane::describe_subnet_groups(const Form& form, pugi::xml_node result) {
  if (const auto name = form.text("DBSubnetGroupName", "default"); name != "default")
    throw ApiError(404, "DBSubnetGroupNotFoundFault", "DB subnet group not found: " + name);
  auto group = result.append_child("DBSubnetGroups").append_child("DBSubnetGroup");
  add_text(group, "DBSubnetGroupName", "default");
  add_text(group, "DBSubnetGroupDescription", "the sandbox's loopback");
  add_text(group, "VpcId", "vpc-sandbox");
  add_text(group, "SubnetGroupStatus", "Complete");
}

void ControlPlane::describe_option_groups(const Form& form, pugi::xml_node result) {
  const auto name = default_option_group();
  if (form.text("OptionGroupName", name) != name)
    throw ApiError(404, "OptionGroupNotFoundFault", "Specified OptionGroupName not found.");
  auto group = result.append_child("OptionGroupsList").append_child("OptionGroup");
  add_text(group, "OptionGroupName", name);
  add_text(group, "EngineName", "mysql");
  add_text(group, "MajorEngineVersion", family_.substr(5));
  group.append_child("Options");
}

void ControlPlane::describe_certificates(const Form&, pugi::xml_node result) {
  auto certificate = result.append_child("Certificates").append_child("Certificate");
  add_text(certificate, "CertificateIdentifier", "rds-ca-rsa2048-g1");
  add_text(certificate, "CertificateType", "CA");
  add_text(certificate, "ValidTill", "2061-05-25T22:54:37.000Z");
}

void ControlPlane::describe_quotas(const Form&, pugi::xml_node result) {
  auto list = result.append_child("AccountQuotas");
  const auto add = [&](const char* name, std::size_t used, int most) {
    auto quota = list.append_child("AccountQuota");
    add_text(quota, "AccountQuotaName", name);
    add_text(quota, "Used", std::to_string(used));
    add_text(quota, "Max", std::to_string(most));
  };
  const auto manual = std::count_if(records_.snapshots.begin(), records_.snapshots.end(),
                                    [](const auto& entry) { return entry.second->type == "manual"; });
  add("DBInstances", records_.instances.size(), 40);
  add("ManualSnapshots", static_cast<std::size_t>(manual), 100);
  add("DBParameterGroups", records_.groups.size(), 50);
  add("ReadReplicasPerMaster", 0, 15);
}

void ControlPlane::describe_maintenance(const Form&, pugi::xml_node result) {
  result.append_child("PendingMaintenanceActions");
}

void ControlPlane::describe_log_files(const Form& form, pugi::xml_node result) {
  const auto instance = records_.instance(form.required("DBInstanceIdentifier"));
  auto file = result.append_child("DescribeDBLogFiles").append_child("DescribeDBLogFilesDetails");
  add_text(file, "LogFileName", log_name);
  add_text(file, "LastWritten", "0");
  add_text(file, "Size", std::to_string(file_text(instance->folder.error_log()).size()));
}

void ControlPlane::download_log(const Form& form, pugi::xml_node result) {
  const auto instance = records_.instance(form.required("DBInstanceIdentifier"));
  if (form.required("LogFileName") != log_name)
    throw ApiError(404, "DBLogFileNotFoundFault", "DBLog File: " + form.text("LogFileName") + ", is not found");
  add_text(result, "LogFileData", xml_safe(file_text(instance->folder.error_log())));
  add_text(result, "Marker", "0");
  add_text(result, "AdditionalDataPending", "false");
}

Tags& ControlPlane::tags_of(const std::string& arn) {
  const auto name = Account::name_of(arn);
  if (arn == options_.account.arn("db", name)) return records_.instance(name)->tags;
  if (arn == options_.account.arn("snapshot", name)) return records_.snapshot(name)->tags;
  if (arn == options_.account.arn("pg", name)) return records_.groups.at(records_.group(name).name).tags;
  throw invalid_value("Invalid resource name: " + arn);
}

void ControlPlane::add_tags_to(const Form& form, pugi::xml_node) {
  auto& tags = tags_of(form.required("ResourceName"));
  for (auto& [key, value] : tags_in(form)) tags[key] = value;
}

void ControlPlane::remove_tags_from(const Form& form, pugi::xml_node) {
  auto& tags = tags_of(form.required("ResourceName"));
  for (const auto& key : form.list("TagKeys", "member")) tags.erase(key);
}

void ControlPlane::list_tags(const Form& form, pugi::xml_node result) {
  add_tags(result, tags_of(form.required("ResourceName")));
}

}  // namespace reseal::sandbox::rds

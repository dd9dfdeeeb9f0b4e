// SPDX-License-Identifier: Apache-2.0
#include "rds/rds_client.hpp"

#include <algorithm>

#include "rds/model_xml.hpp"

namespace reseal::rds {
namespace {

constexpr std::size_t parameters_per_call = 20;
constexpr int most_pages = 1000;

Form named(std::string_view action, const char* parameter, const std::string& value) {
  Form form(action, api_version);
  form.add(parameter, value);
  return form;
}

}  // namespace

template <typename T>
Outcome<std::vector<T>> RdsClient::list(const Form& form, const char* list, const char* member,
                                        T (*read)(const XmlView&)) {
  std::vector<T> all;
  std::string marker;
  for (int page = 0; page < most_pages; ++page) {
    auto request = form;
    request.add("MaxRecords", std::string("100"));
    if (!marker.empty()) request.add("Marker", marker);
    auto answer = connection_.query(request, Repeat::harmless, stop_);
    if (!answer.ok()) return answer.error();
    const auto result = answer.value().result();
    for (const auto& element : result.members(list, member)) all.push_back(read(element));
    auto next = result.text("Marker");
    if (next.empty()) return all;
    if (next == marker) break;
    marker = std::move(next);
  }
  return ServiceError{200, "unreadable answer", form.action() + " pages without an end", {}, true};
}

template <typename T>
Outcome<std::optional<T>> RdsClient::one(const Form& form, const char* list, const char* member,
                                         T (*read)(const XmlView&)) {
  const auto answer = connection_.query(form, Repeat::harmless, stop_);
  if (!answer.ok()) {
    if (answer.error_class() == ErrorClass::not_found) return std::optional<T>();
    return answer.error();
  }
  const auto found = answer.value().result().members(list, member);
  if (found.empty()) return std::optional<T>();
  return std::optional<T>(read(found.front()));
}

template <typename T>
Outcome<T> RdsClient::change(const Form& form, Repeat repeat, const char* member, T (*read)(const XmlView&)) {
  const auto answer = connection_.query(form, repeat, stop_);
  if (!answer.ok()) return answer.error();
  return read(answer.value().result().child(member));
}

Outcome<std::string> RdsClient::command(const Form& form) {
  const auto answer = connection_.query(form, Repeat::harmless, stop_);
  if (!answer.ok()) return answer.error();
  return answer.value().request_id();
}

Outcome<std::optional<DbInstance>> RdsClient::describe_instance(const std::string& identifier) {
  return one(named("DescribeDBInstances", "DBInstanceIdentifier", identifier), "DBInstances", "DBInstance",
             instance_of);
}

Outcome<std::optional<DbSnapshot>> RdsClient::describe_snapshot(const std::string& identifier) {
  return one(named("DescribeDBSnapshots", "DBSnapshotIdentifier", identifier), "DBSnapshots", "DBSnapshot",
             snapshot_of);
}

Outcome<std::optional<ParameterGroup>> RdsClient::describe_parameter_group(const std::string& name) {
  return one(named("DescribeDBParameterGroups", "DBParameterGroupName", name), "DBParameterGroups", "DBParameterGroup",
             parameter_group_of);
}

Outcome<std::vector<DbInstance>> RdsClient::describe_instances() {
  return list(Form("DescribeDBInstances", api_version), "DBInstances", "DBInstance", instance_of);
}

Outcome<std::vector<DbSnapshot>> RdsClient::describe_snapshots_of(const std::string& instance) {
  return list(named("DescribeDBSnapshots", "DBInstanceIdentifier", instance), "DBSnapshots", "DBSnapshot", snapshot_of);
}

Outcome<std::vector<Parameter>> RdsClient::describe_parameters(const std::string& parameter_group) {
  return list(named("DescribeDBParameters", "DBParameterGroupName", parameter_group), "Parameters", "Parameter",
              parameter_of);
}

Outcome<std::vector<Event>> RdsClient::describe_events(const EventQuery& query) {
  return list(form_of(query), "Events", "Event", event_of);
}

Outcome<std::vector<OrderableOption>> RdsClient::describe_orderable_options(const std::string& engine,
                                                                            const std::string& engine_version,
                                                                            const std::string& instance_class) {
  auto form = named("DescribeOrderableDBInstanceOptions", "Engine", engine);
  form.add("EngineVersion", engine_version);
  form.add("DBInstanceClass", instance_class);
  return list(form, "OrderableDBInstanceOptions", "OrderableDBInstanceOption", orderable_option_of);
}

Outcome<std::vector<Quota>> RdsClient::describe_account_quotas() {
  const auto answer = connection_.query(Form("DescribeAccountAttributes", api_version), Repeat::harmless, stop_);
  if (!answer.ok()) return answer.error();
  std::vector<Quota> quotas;
  for (const auto& element : answer.value().result().members("AccountQuotas", "AccountQuota"))
    quotas.push_back(quota_of(element));
  return quotas;
}

Outcome<Tags> RdsClient::list_tags(const std::string& arn) {
  const auto answer = connection_.query(named("ListTagsForResource", "ResourceName", arn), Repeat::harmless, stop_);
  if (!answer.ok()) return answer.error();
  return tags_of(answer.value().result());
}

Outcome<DbInstance> RdsClient::create(const CreateReadReplica& request) {
  return change(form_of(request), Repeat::never, "DBInstance", instance_of);
}

Outcome<DbSnapshot> RdsClient::create(const CreateSnapshot& request) {
  return change(form_of(request), Repeat::never, "DBSnapshot", snapshot_of);
}

Outcome<DbSnapshot> RdsClient::create(const CopySnapshot& request) {
  return change(form_of(request), Repeat::never, "DBSnapshot", snapshot_of);
}

Outcome<DbInstance> RdsClient::create(const RestoreFromSnapshot& request) {
  return change(form_of(request), Repeat::never, "DBInstance", instance_of);
}

Outcome<ParameterGroup> RdsClient::create(const CreateParameterGroup& request) {
  return change(form_of(request), Repeat::never, "DBParameterGroup", parameter_group_of);
}

Outcome<ParameterGroup> RdsClient::create(const CopyParameterGroup& request) {
  return change(form_of(request), Repeat::never, "DBParameterGroup", parameter_group_of);
}

Outcome<DbInstance> RdsClient::modify(const ModifyInstance& request) {
  // A rename that was carried out makes the old name unknown: only the caller knows to look for the new one.
  const auto repeat = request.new_identifier ? Repeat::never : Repeat::harmless;
  return change(form_of(request), repeat, "DBInstance", instance_of);
}

Outcome<DbInstance> RdsClient::reboot(const std::string& identifier) {
  // Not sent again after a lost answer: a second reboot would cut every connection once more.
  return change(named("RebootDBInstance", "DBInstanceIdentifier", identifier), Repeat::never, "DBInstance",
                instance_of);
}

Outcome<std::size_t> RdsClient::modify_parameters(const std::string& parameter_group,
                                                  const std::vector<ParameterChange>& changes) {
  for (std::size_t begin = 0; begin < changes.size(); begin += parameters_per_call) {
    const auto end = std::min(changes.size(), begin + parameters_per_call);
    const auto first = changes.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto done = command(form_of(
        parameter_group, std::vector<ParameterChange>(first, changes.begin() + static_cast<std::ptrdiff_t>(end))));
    if (!done.ok()) return done.error();
  }
  return changes.size();
}

Outcome<DbInstance> RdsClient::remove(const DeleteInstance& request) {
  return change(form_of(request), Repeat::harmless, "DBInstance", instance_of);
}

Outcome<DbSnapshot> RdsClient::remove_snapshot(const std::string& identifier) {
  return change(named("DeleteDBSnapshot", "DBSnapshotIdentifier", identifier), Repeat::harmless, "DBSnapshot",
                snapshot_of);
}

Outcome<std::string> RdsClient::remove_parameter_group(const std::string& name) {
  return command(named("DeleteDBParameterGroup", "DBParameterGroupName", name));
}

Outcome<std::string> RdsClient::add_tags(const std::string& arn, const Tags& tags) {
  auto form = named("AddTagsToResource", "ResourceName", arn);
  form.add_tags(tags);
  return command(form);
}

Outcome<std::string> RdsClient::remove_tags(const std::string& arn, const std::vector<std::string>& keys) {
  auto form = named("RemoveTagsFromResource", "ResourceName", arn);
  form.add_list("TagKeys.member", keys);
  return command(form);
}

}  // namespace reseal::rds

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include "base/failure.hpp"
#include "sandbox/rds/answers.hpp"
#include "sandbox/rds/api_error.hpp"
#include "sandbox/rds/control_plane.hpp"
#include "sandbox/rds/listing.hpp"
#include "sandbox/rds/rules.hpp"

namespace reseal::sandbox::rds {
namespace {

constexpr std::size_t max_parameters = 20;

struct Change {
  const Parameter* parameter;
  std::optional<std::string> value;  ///< nothing: back to the default
  bool immediate;
};

Change read_change(const Form& form, bool with_value) {
  const auto& known = parameter(form.required("ParameterName"));
  const auto method = form.text("ApplyMethod", known.dynamic ? "immediate" : "pending-reboot");
  if (method != "immediate" && method != "pending-reboot") throw invalid_value("Invalid ApplyMethod: " + method);
  if (method == "immediate" && !known.dynamic)
    throw invalid_combination(std::string("cannot use immediate apply method for static parameter: ") + known.name);
  Change change{&known, std::nullopt, method == "immediate"};
  if (with_value) {
    change.value = form.required("ParameterValue");
    check_parameter_value(known, *change.value);
  }
  return change;
}

void check_own_group(const ParameterGroup& group) {
  if (group.name.starts_with("default."))
    throw invalid_value("Default DBParameterGroup cannot be modified: " + group.name);
}

}  // namespace

void ControlPlane::create_group(const Form& form, pugi::xml_node result) {
  const auto name = checked_identifier("DBParameterGroupName", form.required("DBParameterGroupName"), 255);
  if (form.required("DBParameterGroupFamily") != family_)
    throw invalid_value("ParameterGroupFamily " + form.text("DBParameterGroupFamily") +
                        " is not a valid parameter group family; this sandbox has " + family_ + ".");
  if (records_.groups.contains(name))
    throw ApiError(400, "DBParameterGroupAlreadyExists", "Parameter group " + name + " already exists");
  records_.groups[name] = {name, family_, form.required("Description"), {}, tags_in(form)};
  add_group(result, options_.account, records_.groups[name]);
}

void ControlPlane::copy_group(const Form& form, pugi::xml_node result) {
  auto copy = records_.group(Account::name_of(form.required("SourceDBParameterGroupIdentifier")));
  if (copy.name.starts_with("default.")) throw invalid_value("Default DBParameterGroup cannot be copied: " + copy.name);
  copy.name =
      checked_identifier("TargetDBParameterGroupIdentifier", form.required("TargetDBParameterGroupIdentifier"), 255);
  if (records_.groups.contains(copy.name))
    throw ApiError(400, "DBParameterGroupAlreadyExists", "Parameter group " + copy.name + " already exists");
  copy.description = form.required("TargetDBParameterGroupDescription");
  copy.tags = tags_in(form);
  records_.groups[copy.name] = copy;
  add_group(result, options_.account, copy);
}

void ControlPlane::modify_group(const Form& form, pugi::xml_node result) {
  const auto& group = records_.group(form.required("DBParameterGroupName"));
  check_own_group(group);
  const auto elements = form.structures("Parameters", "Parameter");
  if (elements.empty()) throw ApiError(400, "MissingParameter", "The request must contain Parameters.");
  if (elements.size() > max_parameters)
    throw invalid_value("A maximum of 20 parameters can be modified in a single request.");
  std::vector<Change> changes;
  for (const auto& element : elements) changes.push_back(read_change(element, true));
  for (const auto& change : changes) change_parameter(group.name, *change.parameter, change.value, change.immediate);
  add_text(result, "DBParameterGroupName", group.name);
}

void ControlPlane::reset_group(const Form& form, pugi::xml_node result) {
  const auto& group = records_.group(form.required("DBParameterGroupName"));
  check_own_group(group);
  std::vector<Change> changes;
  for (const auto& element : form.structures("Parameters", "Parameter")) changes.push_back(read_change(element, false));
  if (form.flag("ResetAllParameters", changes.empty()))
    for (const auto& [name, value] : group.values)
      changes.push_back({&parameter(name), std::nullopt, parameter(name).dynamic});
  for (const auto& change : changes) change_parameter(group.name, *change.parameter, change.value, change.immediate);
  add_text(result, "DBParameterGroupName", group.name);
}

void ControlPlane::change_parameter(const std::string& group_name, const Parameter& changed,
                                    const std::optional<std::string>& value, bool immediate) {
  auto& group = records_.groups.at(group_name);
  if (value)
    group.values[changed.name] = *value;
  else
    group.values.erase(changed.name);
  for (const auto& [id, instance] : records_.instances) {
    if (instance->parameter_group != group_name) continue;
    // A server that goes through a change of its own gets the value when it starts.
    if (!immediate || instance->parameters_pending || instance->status != "available") {
      instance->parameters_pending = true;
      continue;
    }
    const auto values = values_for(group, instance->replica());
    const auto effective = values.find(changed.name);
    const auto statement =
        set_statement(changed, effective == values.end() ? std::nullopt : std::optional(effective->second));
    try {
      admin_session(accounts_, instance->folder, std::chrono::seconds(10)).execute(statement);
    } catch (const base::Failure& failure) {
      log_->warn("sandbox: db-instance " + id + ": " + failure.what());
      instance->parameters_pending = true;
    }
  }
}

void ControlPlane::delete_group(const Form& form, pugi::xml_node) {
  const auto& group = records_.group(form.required("DBParameterGroupName"));
  check_delete_group(records_, group);
  records_.groups.erase(std::string(group.name));
}

void ControlPlane::describe_groups(const Form& form, pugi::xml_node result) {
  const auto wanted = form.find("DBParameterGroupName");
  if (wanted) records_.group(*wanted);
  std::vector<std::string> names;
  for (const auto& [name, group] : records_.groups)
    if (!wanted || *wanted == name) names.push_back(name);
  const auto page = page_of(names, form);
  auto list = result.append_child("DBParameterGroups");
  for (auto i = page.begin; i < page.end; ++i) add_group(list, options_.account, records_.groups.at(names[i]));
  if (!page.marker.empty()) add_text(result, "Marker", page.marker);
}

void ControlPlane::describe_parameters(const Form& form, pugi::xml_node result) {
  const auto& group = records_.group(form.required("DBParameterGroupName"));
  const auto source = form.find("Source");
  std::vector<std::string> names;
  for (const auto& known : parameters()) {
    const bool own = group.values.contains(known.name);
    const char* from = own ? "user" : known.initial != nullptr ? "system" : "engine-default";
    if (!source || *source == from) names.emplace_back(known.name);
  }
  std::sort(names.begin(), names.end());
  const auto page = page_of(names, form);
  auto list = result.append_child("Parameters");
  for (auto i = page.begin; i < page.end; ++i) add_parameter(list, group, parameter(names[i]));
  if (!page.marker.empty()) add_text(result, "Marker", page.marker);
}

}  // namespace reseal::sandbox::rds

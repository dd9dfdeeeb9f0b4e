// SPDX-License-Identifier: Apache-2.0
#include "rds/ownership.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace reseal::rds {

using base::Failure;
using base::FailureKind;

namespace {

constexpr std::size_t longest_name = 63;
// A name that was just taken may not be seen for some seconds.
constexpr int most_looks = 6;
constexpr std::chrono::milliseconds between_looks{3'000};

bool is_name_part(std::string_view text) {
  return !text.empty() && text.front() != '-' && text.back() != '-' && text.find("--") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

}  // namespace

std::string owned_name(std::string_view run_id, std::string_view part) {
  auto name = fmt::format("reseal-{}-{}", run_id.substr(0, run_id.find('-')), part);
  if (!is_name_part(run_id) || !is_name_part(part) || name.size() > longest_name)
    throw Failure(FailureKind::usage, "'" + name + "' is no valid name of an RDS resource. Nothing was sent");
  return name;
}

Tags owner_tags(std::string_view run_id, std::string_view part) {
  return {{std::string(run_tag), std::string(run_id)}, {std::string(part_tag), std::string(part)}};
}

bool is_owned(const Tags& tags, std::string_view run_id, std::string_view part) {
  const auto wanted = owner_tags(run_id, part);
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& tag) {
    const auto found = tags.find(tag.first);
    return found != tags.end() && found->second == tag.second;
  });
}

void OwnedResources::require_ours(const Tags& tags, std::string_view part, const std::string& name) const {
  if (is_owned(tags, run_id_, part)) return;
  throw Failure(FailureKind::refused,
                fmt::format("{} exists and does not carry the tags {}={} and {}={}: it is not this run's and was not "
                            "touched. Delete or rename it if it is not needed",
                            name, run_tag, run_id_, part_tag, part));
}

void OwnedResources::own(Tags& tags, std::string_view part) const {
  // Over what the caller copied from a resource that another run may have made.
  for (const auto& [key, value] : owner_tags(run_id_, part)) tags.insert_or_assign(key, value);
}

Tags OwnedResources::tags_of(const ParameterGroup& group) {
  return value_or_fail(client_.list_tags(group.arn), "ListTagsForResource " + group.name);
}

std::optional<DbInstance> OwnedResources::find_instance(const std::string& name) {
  return value_or_fail(client_.describe_instance(name), "DescribeDBInstances " + name);
}

std::optional<DbSnapshot> OwnedResources::find_snapshot(const std::string& name) {
  return value_or_fail(client_.describe_snapshot(name), "DescribeDBSnapshots " + name);
}

std::optional<ParameterGroup> OwnedResources::find_parameter_group(const std::string& name) {
  return value_or_fail(client_.describe_parameter_group(name), "DescribeDBParameterGroups " + name);
}

template <typename T, typename Request>
T OwnedResources::ensure_as(std::string_view part, Request& request, std::string& name,
                            std::optional<T> (OwnedResources::*find)(const std::string&)) {
  if (name.empty()) name = this->name(part);
  own(request.tags, part);
  const auto found_ours = [&]() -> std::optional<T> {
    auto found = (this->*find)(name);
    if (found) require_ours(tags_of(*found), part, name);
    return found;
  };
  if (auto found = found_ours()) return std::move(*found);
  for (int looks = 1;; ++looks) {
    auto made = client_.create(request);
    if (made.ok()) return std::move(made).value();
    const auto error_class = made.error_class();
    if (!(error_class == ErrorClass::server_fault || error_class == ErrorClass::already_exists) || looks == most_looks)
      throw as_failure(made.error(), "creating " + name);
    // Nobody knows yet who made it, if anyone. If it stays unseen, the name is free, and the request goes out again:
    // should the first one have been slow, the service answers that the name is taken.
    client_.clock().wait(between_looks, client_.stop());
    if (auto found = found_ours()) return std::move(*found);
  }
}

DbInstance OwnedResources::ensure(std::string_view part, CreateReadReplica request) {
  return ensure_as(part, request, request.identifier, &OwnedResources::find_instance);
}

DbInstance OwnedResources::ensure(std::string_view part, RestoreFromSnapshot request) {
  return ensure_as(part, request, request.identifier, &OwnedResources::find_instance);
}

DbSnapshot OwnedResources::ensure(std::string_view part, CreateSnapshot request) {
  return ensure_as(part, request, request.identifier, &OwnedResources::find_snapshot);
}

DbSnapshot OwnedResources::ensure(std::string_view part, CopySnapshot request) {
  return ensure_as(part, request, request.target, &OwnedResources::find_snapshot);
}

ParameterGroup OwnedResources::ensure(std::string_view part, CreateParameterGroup request) {
  return ensure_as(part, request, request.name, &OwnedResources::find_parameter_group);
}

ParameterGroup OwnedResources::ensure(std::string_view part, CopyParameterGroup request) {
  return ensure_as(part, request, request.target, &OwnedResources::find_parameter_group);
}

std::optional<DbInstance> OwnedResources::own_instance(std::string_view part, const std::string& name) {
  auto found = find_instance(name.empty() ? this->name(part) : name);
  if (found) require_ours(found->tags, part, found->identifier);
  return found;
}

std::optional<DbSnapshot> OwnedResources::own_snapshot(std::string_view part) {
  auto found = find_snapshot(name(part));
  if (found) require_ours(found->tags, part, found->identifier);
  return found;
}

std::optional<ParameterGroup> OwnedResources::own_parameter_group(std::string_view part) {
  auto found = find_parameter_group(name(part));
  if (found) require_ours(tags_of(*found), part, found->name);
  return found;
}

bool OwnedResources::remove_instance(std::string_view part) {
  const auto found = find_instance(name(part));
  if (!found) return false;
  require_ours(found->tags, part, found->identifier);
  if (found->status == "deleting") return false;
  const auto removed = client_.remove({found->identifier, std::nullopt, true});
  if (removed.ok()) return true;
  // Sent again after a lost answer, it is refused for the state that the first sending brought about.
  const auto now = find_instance(found->identifier);
  if (!now || now->status == "deleting") return true;
  throw as_failure(removed.error(), "DeleteDBInstance " + found->identifier);
}

bool OwnedResources::remove_snapshot(std::string_view part) {
  const auto found = find_snapshot(name(part));
  if (!found) return false;
  require_ours(found->tags, part, found->identifier);
  if (found->status == "deleting") return false;
  const auto removed = client_.remove_snapshot(found->identifier);
  if (removed.ok()) return true;
  const auto now = find_snapshot(found->identifier);
  if (!now || now->status == "deleting") return true;
  throw as_failure(removed.error(), "DeleteDBSnapshot " + found->identifier);
}

bool OwnedResources::remove_parameter_group(std::string_view part) {
  const auto found = find_parameter_group(name(part));
  if (!found) return false;
  require_ours(tags_of(*found), part, found->name);
  const auto removed = client_.remove_parameter_group(found->name);
  if (removed.ok() || removed.error_class() == ErrorClass::not_found) return true;
  throw as_failure(removed.error(), "DeleteDBParameterGroup " + found->name);
}

}  // namespace reseal::rds

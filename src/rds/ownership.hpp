// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "rds/rds_client.hpp"

namespace reseal::rds {

/// The proof that a resource is a run's own: tags that are set in the request that creates it.
inline constexpr std::string_view run_tag = "reseal:run";
inline constexpr std::string_view part_tag = "reseal:part";

/// "reseal-RUN-PART", with the run id up to its first hyphen: endpoints are short that way, and two runs whose ids
/// begin alike are told apart by the tags. Valid as the name of an instance, a snapshot and a parameter group: letters,
/// digits and single hyphens, at most 63. The same run and part always give the same name. Throws Failure(usage) for a
/// run id or part that would make no such name.
std::string owned_name(std::string_view run_id, std::string_view part);
Tags owner_tags(std::string_view run_id, std::string_view part);
bool is_owned(const Tags& tags, std::string_view run_id, std::string_view part);

/// Makes resources that belong to one run, each once, however often the run is started and whatever answers are lost,
/// and deletes no other ones. A resource that has our name and not our tags is refused, and never touched.
class OwnedResources {
 public:
  /// `client` must outlive this.
  OwnedResources(RdsClient& client, std::string run_id) : client_(client), run_id_(std::move(run_id)) {}

  // The tags of `request` are filled in, and its name when it has none. The result may be one that an earlier process
  // of this run made; its state is for the caller to wait for. Throws Failure: refused for a stranger's, else the
  // service's error.
  DbInstance ensure(std::string_view part, CreateReadReplica request);
  DbInstance ensure(std::string_view part, RestoreFromSnapshot request);
  DbSnapshot ensure(std::string_view part, CreateSnapshot request);
  DbSnapshot ensure(std::string_view part, CopySnapshot request);
  ParameterGroup ensure(std::string_view part, CreateParameterGroup request);
  ParameterGroup ensure(std::string_view part, CopyParameterGroup request);

  // What is there already; nothing when the name is free. Throws Failure(refused) for a stranger's. `name` stands in
  // for the derived one.
  std::optional<DbInstance> own_instance(std::string_view part, const std::string& name = {});
  std::optional<DbSnapshot> own_snapshot(std::string_view part);
  std::optional<ParameterGroup> own_parameter_group(std::string_view part);

  // False when there is nothing by that name, or it is being deleted already.
  bool remove_instance(std::string_view part);  ///< without a final snapshot
  bool remove_snapshot(std::string_view part);
  bool remove_parameter_group(std::string_view part);

  std::string name(std::string_view part) const { return owned_name(run_id_, part); }

 private:
  std::optional<DbInstance> find_instance(const std::string& name);
  std::optional<DbSnapshot> find_snapshot(const std::string& name);
  std::optional<ParameterGroup> find_parameter_group(const std::string& name);
  /// `name` is the field of `request` that names what it makes.
  template <typename T, typename Request>
  T ensure_as(std::string_view part, Request& request, std::string& name,
              std::optional<T> (OwnedResources::*find)(const std::string&));
  /// Throws Failure(refused) unless the resource is ours.
  void require_ours(const Tags& tags, std::string_view part, const std::string& name) const;
  void own(Tags& tags, std::string_view part) const;
  Tags tags_of(const DbInstance& instance) { return instance.tags; }
  Tags tags_of(const DbSnapshot& snapshot) { return snapshot.tags; }
  Tags tags_of(const ParameterGroup& group);

  RdsClient& client_;
  std::string run_id_;
};

}  // namespace reseal::rds

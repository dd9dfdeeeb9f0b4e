// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "rds/model.hpp"
#include "rds/requests.hpp"
#include "rds/service_connection.hpp"

namespace reseal::rds {

/// The actions of Amazon RDS that a move needs, typed. Reads are repeated after a lost answer. What creates is not: its
/// error is then `lost`, and the caller looks by name what became of it (ownership.hpp). What changes or deletes by
/// name is repeated, as a second time changes nothing or is answered by a refusal of its state. Lists are read to their
/// end. Every call throws what ServiceConnection throws. Not for several threads at a time.
class RdsClient {
 public:
  /// `connection` must outlive this.
  RdsClient(ServiceConnection& connection, std::stop_token stop) : connection_(connection), stop_(std::move(stop)) {}

  // Absent: nothing by that name.
  Outcome<std::optional<DbInstance>> describe_instance(const std::string& identifier);
  Outcome<std::optional<DbSnapshot>> describe_snapshot(const std::string& identifier);
  Outcome<std::optional<ParameterGroup>> describe_parameter_group(const std::string& name);

  Outcome<std::vector<DbInstance>> describe_instances();
  Outcome<std::vector<DbSnapshot>> describe_snapshots_of(const std::string& instance);
  Outcome<std::vector<Parameter>> describe_parameters(const std::string& parameter_group);
  Outcome<std::vector<Event>> describe_events(const EventQuery& query);
  Outcome<std::vector<OrderableOption>> describe_orderable_options(const std::string& engine,
                                                                   const std::string& engine_version,
                                                                   const std::string& instance_class);
  Outcome<std::vector<Quota>> describe_account_quotas();
  Outcome<Tags> list_tags(const std::string& arn);

  Outcome<DbInstance> create(const CreateReadReplica& request);
  Outcome<DbSnapshot> create(const CreateSnapshot& request);
  Outcome<DbSnapshot> create(const CopySnapshot& request);
  Outcome<DbInstance> create(const RestoreFromSnapshot& request);
  Outcome<ParameterGroup> create(const CreateParameterGroup& request);
  Outcome<ParameterGroup> create(const CopyParameterGroup& request);

  Outcome<DbInstance> modify(const ModifyInstance& request);
  Outcome<DbInstance> reboot(const std::string& identifier);
  /// In calls of 20; the first that fails ends it, and what came before stays.
  Outcome<std::size_t> modify_parameters(const std::string& parameter_group,
                                         const std::vector<ParameterChange>& changes);
  Outcome<DbInstance> remove(const DeleteInstance& request);
  Outcome<DbSnapshot> remove_snapshot(const std::string& identifier);
  /// The request id, as these answer nothing.
  Outcome<std::string> remove_parameter_group(const std::string& name);
  Outcome<std::string> add_tags(const std::string& arn, const Tags& tags);
  Outcome<std::string> remove_tags(const std::string& arn, const std::vector<std::string>& keys);

  const Clock& clock() const noexcept { return connection_.clock(); }
  const std::stop_token& stop() const noexcept { return stop_; }

 private:
  template <typename T>
  Outcome<std::vector<T>> list(const Form& form, const char* list, const char* member, T (*read)(const XmlView&));
  template <typename T>
  Outcome<std::optional<T>> one(const Form& form, const char* list, const char* member, T (*read)(const XmlView&));
  template <typename T>
  Outcome<T> change(const Form& form, Repeat repeat, const char* member, T (*read)(const XmlView&));
  Outcome<std::string> command(const Form& form);

  ServiceConnection& connection_;
  std::stop_token stop_;
};

}  // namespace reseal::rds

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/rds/records.hpp"

namespace reseal::sandbox::rds {

/// A server setting that a parameter group of this sandbox knows; RDS knows some 400.
struct Parameter {
  const char* name;  ///< as RDS spells it
  bool dynamic;
  const char* data_type;
  const char* allowed;  ///< "0,1" or "1-100"
  const char* initial;  ///< of a default group; nullptr: the engine's own
  const char* description;
};

const std::vector<Parameter>& parameters();
/// ApiError(InvalidParameterValue) for a name that is not there.
const Parameter& parameter(const std::string& name);
/// ApiError(InvalidParameterValue) when `value` is not among what the parameter allows.
void check_parameter_value(const Parameter& parameter, const std::string& value);

/// What the group gives to a server, by RDS's name: values of users over the defaults, the formula {TrueIfReplica}
/// resolved. Engine defaults are left out.
std::map<std::string, std::string> values_for(const ParameterGroup& group, bool replica);
/// "--gtid-mode=ON" and so on.
std::vector<std::string> server_options_of(const std::map<std::string, std::string>& values);
/// SET GLOBAL of a dynamic parameter; `value` nullopt: the engine's default.
std::string set_statement(const Parameter& parameter, const std::optional<std::string>& value);

}  // namespace reseal::sandbox::rds

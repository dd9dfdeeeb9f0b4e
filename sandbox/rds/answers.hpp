// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pugixml.hpp>
#include <string>
#include <vector>

#include "sandbox/rds/parameters.hpp"
#include "sandbox/rds/records.hpp"

namespace reseal::sandbox::rds {

/// Writes the API's XML. Each appends one element with its fields to `list`.
void add_text(pugi::xml_node parent, const char* name, const std::string& text);
void add_instance(pugi::xml_node list, const Records& records, const Account& account, const Instance& instance,
                  const std::string& engine_version);
void add_snapshot(pugi::xml_node list, const Account& account, const Snapshot& snapshot,
                  const std::string& engine_version);
void add_group(pugi::xml_node list, const Account& account, const ParameterGroup& group);
void add_parameter(pugi::xml_node list, const ParameterGroup& group, const Parameter& parameter);
void add_event(pugi::xml_node list, const Account& account, const Event& event);
void add_tags(pugi::xml_node parent, const Tags& tags);

/// "2026-01-02T03:04:05.678Z"
std::string iso_time(Time time);
/// Of the same form, the fraction optional. ApiError(InvalidParameterValue).
Time read_time(const std::string& text);

}  // namespace reseal::sandbox::rds

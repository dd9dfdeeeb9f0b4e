// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sandbox/rds/form.hpp"

namespace reseal::sandbox::rds {

/// One setting of a DB instance that a caller gives and reads back.
struct SettingName {
  const char* request;  ///< its name in requests
  const char* answer;   ///< its name in answers
  enum class Kind { text, number, flag } kind;
  const char* initial;  ///< of a new instance; nullptr: absent
  bool immediate;       ///< a change is made at once even without ApplyImmediately
};

/// Every setting that is kept by name only. What an instance does with it is elsewhere; most do nothing in a sandbox.
const std::vector<SettingName>& setting_names();

/// Settings by their name in requests.
using Settings = std::map<std::string, std::string>;

Settings initial_settings();
/// Takes what the request gives, checked by kind. ApiError(InvalidParameterValue).
void take_settings(Settings& settings, const Form& form);

inline int number_of(const Settings& settings, const std::string& name) {
  const auto found = settings.find(name);
  return found == settings.end() ? 0 : parse_number(name, found->second);
}
inline bool flag_of(const Settings& settings, const std::string& name) {
  const auto found = settings.find(name);
  return found != settings.end() && parse_flag(name, found->second);
}

}  // namespace reseal::sandbox::rds

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reseal::sandbox::rds {

/// The parameters of a Query API request, as an application/x-www-form-urlencoded body carries them. Lists have their
/// place in the name: "Tags.Tag.1.Key". What does not fit is an ApiError.
class Form {
 public:
  static Form parse(std::string_view body);

  bool has(const std::string& name) const { return fields_.contains(name); }
  std::optional<std::string> find(const std::string& name) const;
  std::string text(const std::string& name, const std::string& otherwise = "") const;
  /// ApiError(MissingParameter) when it is absent or empty.
  std::string required(const std::string& name) const;
  bool flag(const std::string& name, bool otherwise) const;
  int number(const std::string& name, int otherwise) const;
  /// The elements NAME.MEMBER.1, NAME.MEMBER.2 and so on, in order; `member` or the general word "member".
  std::vector<std::string> list(const std::string& name, const std::string& member) const;
  /// The same for elements that have fields of their own.
  std::vector<Form> structures(const std::string& name, const std::string& member) const;
  void set(const std::string& name, std::string value) { fields_[name] = std::move(value); }

 private:
  Form below(const std::string& prefix) const;
  std::map<std::string, std::string> fields_;
};

/// "true" or "false" in any case, else ApiError(InvalidParameterValue) that names the parameter.
bool parse_flag(const std::string& name, const std::string& value);
int parse_number(const std::string& name, const std::string& value);

}  // namespace reseal::sandbox::rds

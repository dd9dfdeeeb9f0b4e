// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secret.hpp"

namespace reseal::rds {

/// Tags of a resource: key -> value.
using Tags = std::map<std::string, std::string>;

/// The parameters of one Query API request, in the order in which they were added. A value is sent as it is, so an
/// empty one says "empty"; an absent optional sends nothing.
class Form {
 public:
  Form(std::string_view action, std::string_view version);

  const std::string& action() const noexcept { return action_; }
  void add(std::string name, base::Secret value) { fields_.emplace_back(std::move(name), std::move(value)); }
  void add(std::string name, std::string value) { add(std::move(name), base::Secret(std::move(value))); }
  void add(std::string name, const std::optional<std::string>& value);
  void add(std::string name, const std::optional<int>& value);
  void add(std::string name, const std::optional<bool>& value);
  /// `name`.1, `name`.2 and so on; `name` ends in the member's location name: "VpcSecurityGroupIds.VpcSecurityGroupId".
  void add_list(const std::string& name, const std::vector<std::string>& values);
  /// Tags.Tag.N.Key and Tags.Tag.N.Value
  void add_tags(const Tags& tags);

  /// application/x-www-form-urlencoded: a space as +, everything else but unreserved characters (RFC 3986) as %XX. The
  /// AWS SDKs send the same bytes.
  base::Secret encode() const;

 private:
  std::string action_;
  std::vector<std::pair<std::string, base::Secret>> fields_;  ///< one may be a password or a token
};

std::string percent_encode(std::string_view text);

}  // namespace reseal::rds

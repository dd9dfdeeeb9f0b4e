// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace reseal::check {

/// One line of SHOW GRANTS. Column privileges are left out: they never suffice for a copy.
struct Grant {
  bool revoke = false;               ///< a partial revoke (MySQL manual, "Privilege Restriction Using Partial Revokes")
  std::set<std::string> privileges;  ///< upper case; "ALL PRIVILEGES" stands for itself
  std::string schema;                ///< a pattern with % and _; empty means every schema
  std::string table;                 ///< empty means every table
  bool grant_option = false;
};

/// Reads one line of SHOW GRANTS. A granted role, a proxy grant and a grant on a routine give no privileges: the
/// server prints what active roles bring as lines of their own.
base::Result<Grant> parse_grant(std::string_view line);

/// What an account may do.
class Privileges {
 public:
  void add(Grant grant) { grants_.push_back(std::move(grant)); }
  /// `privilege` on every schema, with nothing revoked from it that `has_on` would notice.
  bool has(std::string_view privilege) const;
  /// `privilege` on the whole of `schema`.
  bool has_on(std::string_view privilege, std::string_view schema) const;
  /// GRANT OPTION on everything.
  bool may_grant() const;

 private:
  std::vector<Grant> grants_;
};

/// MySQL's LIKE as grants use it: % any run, _ any character, \ escapes.
bool matches_schema(std::string_view pattern, std::string_view schema);

}  // namespace reseal::check

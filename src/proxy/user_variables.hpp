// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wire/text_result_machine.hpp"

namespace reseal::proxy {

/// A variable of a session with a @ in front. It keeps the type of the value that it was set to.
struct UserVariable {
  enum class Kind { integer, unsigned_integer, decimal, real, bytes };

  std::string name;
  Kind kind = Kind::bytes;
  std::optional<std::string> value;  ///< text of a number; the bytes of anything else
  std::string character_set;
  std::string collation;

  bool operator==(const UserVariable&) const = default;
};

/// One row that shows the session's own variables of these names, which are ASCII; reads no table.
std::string user_variables_query(const std::vector<std::string>& names);
/// Nothing when the answer makes no sense, or a variable is of an unknown type.
std::optional<std::vector<UserVariable>> read_user_variables(const std::vector<std::string>& names,
                                                             const wire::TextResultMachine& answer);
/// The statement that makes them the same in another session. Whether it did so is for the caller to see, by reading
/// them again there.
std::string set_user_variables(const std::vector<UserVariable>& variables);

}  // namespace reseal::proxy

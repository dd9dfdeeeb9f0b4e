// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reseal::proxy {

/// What a session itself can see of its state.
struct SessionState {
  std::map<std::string, std::string> variables;  ///< those with another value than the server gives to all
  std::optional<std::string> schema;
  std::string roles;  ///< as CURRENT_ROLE() writes them
};

using Rows = std::vector<std::vector<std::optional<std::string>>>;

/// Reads a SessionState in two statements; needs no privilege. The first gives rows of name and value, the second one
/// row.
std::string_view variables_query();
/// Instead of the first, several times faster: all variables, from which `leave_what_is_given` takes what is no state.
std::string_view all_variables_query();
void leave_what_is_given(SessionState& state, const std::map<std::string, std::string>& globals);
std::string_view place_query();
/// Adds what the two statements returned.
void read_variables(const Rows& rows, SessionState& state);
void read_place(const Rows& rows, SessionState& state);

/// The statements that bring a new session, which is in state `fresh`, into state `wanted`; in words why that cannot be
/// done. `now` is the time in seconds since 1970: a `timestamp` far from it was set by the client.
struct RestorePlan {
  std::vector<std::string> statements;
  std::string impossible_because;
};
RestorePlan plan_restore(const SessionState& fresh, const SessionState& wanted, double now);

}  // namespace reseal::proxy

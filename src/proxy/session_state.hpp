// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reseal::proxy {

using Row = std::vector<std::optional<std::string>>;
using Rows = std::vector<Row>;

/// The variables of which every session of a server has its own value.
struct VariableNames {
  std::vector<std::string> all;
  std::vector<std::string> global;  ///< those of them that also have a value for the whole server

  /// Leaves out what is no state of a session, and what `others` lacks.
  void keep_common(const VariableNames& others);
};
/// Of rows that hold a name, and whether it has a global value ("1"); keeps what is state of a session.
VariableNames read_names(const Rows& rows);
/// Such rows for all variables that a session can see, for a session without privileges. It shows more than `all` may
/// hold: for `keep_common`.
std::string_view names_query();

/// What a session itself can see of its state. A NULL value is nullopt.
struct SessionState {
  std::map<std::string, std::optional<std::string>> variables;  ///< after `leave_what_is_given`: those of its own
  std::optional<std::string> schema;
  std::string roles;  ///< as CURRENT_ROLE() writes them
};

/// One row that `read_state` reads; needs no privilege, reads no table and so leaves the session's warnings as they
/// are. Costs the server about 3 us for each variable.
std::string state_query(const VariableNames& names);
/// False when the row is not readable: it came in a character set that is not ASCII's kin, as utf16.
bool read_state(const Rows& rows, const VariableNames& names, SessionState& state);
/// One row with the global values.
std::string globals_query(const VariableNames& names);
/// Takes out the variables whose value is the global one in `rows`.
void leave_what_is_given(SessionState& state, const VariableNames& names, const Rows& rows);

/// What SHOW SESSION STATUS LIKE 'Com_change_db' answers; false when that is unreadable.
bool read_schema_changes(const Rows& rows, std::uint64_t& count);

/// The statements that bring a new session, which is in state `fresh`, into state `wanted`; in words why that cannot be
/// done. Empty ones are not needed. `now` is the time in seconds since 1970: a `timestamp` far from it was set by the
/// client.
struct RestorePlan {
  std::string roles;      ///< first, for what follows may need their rights
  std::string schema;     ///< before the variables that it sets
  std::string variables;  ///< all in one statement
  std::string impossible_because;
};
RestorePlan plan_restore(const SessionState& fresh, const SessionState& wanted, double now);

/// USE with that schema.
std::string use_statement(std::string_view schema);
/// The bytes of `text` as a literal in its character set: right under every sql_mode and character set of the session.
std::string bytes_literal(std::string_view character_set, std::string_view text);
bool is_ascii(std::string_view text) noexcept;

}  // namespace reseal::proxy

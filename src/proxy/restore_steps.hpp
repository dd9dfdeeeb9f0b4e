// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "proxy/open_statements.hpp"
#include "proxy/session_state.hpp"
#include "proxy/user_variables.hpp"

namespace reseal::proxy {

/// One command that brings a new connection nearer to the state of the session that is to go on with it.
struct RestoreStep {
  enum class Kind {
    run,     ///< `text` is a statement
    prepare  ///< `text` is to be prepared, and must have as many parameters and columns as it had
  };
  Kind kind = Kind::run;
  std::string text;
  std::uint32_t statement = 0;  ///< the client's id for it
  std::uint16_t parameters = 0;
  std::uint16_t columns = 0;
};

struct RestoreSteps {
  std::vector<RestoreStep> steps;
  unsigned schema_changes = 0;                     ///< how many of them change the schema
  std::map<std::uint32_t, std::string> schema_of;  ///< of each prepared statement
  std::string impossible_because;                  ///< in words; empty: it is possible
};

/// What a session was like, as it was read from the server that it leaves.
struct WholeState {
  SessionState session;
  std::vector<UserVariable> user_variables;
  std::uint64_t schema_changes = 0;       ///< since the session began or was reset, as the server counts them
  std::uint64_t schema_changes_seen = 0;  ///< as the proxy does
};

/// How a connection in state `fresh` is brought into that state, with those statements. A statement belongs to the
/// schema that it was prepared under; to everything else of the session it is bound anew at each of its executions, as
/// a server does by itself that has to prepare it again.
RestoreSteps restore_steps(const SessionState& fresh, const WholeState& wanted, const OpenStatements& statements,
                           double now);

}  // namespace reseal::proxy

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "mysql/endpoint.hpp"
#include "mysql/session.hpp"
#include "proxy/gate.hpp"
#include "proxy/session_state.hpp"

namespace reseal::proxy {

/// What a move knows of the server that the sessions leave; the same for all of them. Sessions are named by their
/// connection ids.
struct MoveOrder {
  Where to = Where::target;
  std::uint64_t releases = 0;  ///< of the gate, before the sessions were asked about
  std::uint64_t look = 0;      ///< ahead of a hold: for the sessions that were marked by this number, and no others
  std::string none_because;    ///< why no session can be moved; empty: they can
  std::map<std::uint32_t, std::string> obstacles;                    ///< state that cannot be carried
  std::map<std::uint32_t, std::vector<std::string>> user_variables;  ///< the names of those that it has
  VariableNames names;
  Rows globals;  ///< what that server gives to all sessions, as `globals_query` answers
};

/// Asks one server about the sessions of others, with an account that may read performance_schema and has PROCESS.
/// Throws Failure. One thread at a time.
class Census {
 public:
  explicit Census(const mysql::Endpoint& server);

  /// The variables of a session there.
  const VariableNames& names() const noexcept { return names_; }
  /// Tells of these sessions, all outside of a transaction, what they have that cannot be carried to another server
  /// (user locks, LOCK TABLES and open handlers, temporary tables, statements that SQL's PREPARE made, a resource
  /// group, too large user variables), and what else an order holds.
  MoveOrder order(Where to, const std::vector<std::uint32_t>& sessions);

 private:
  void find_obstacles(const std::string& list, MoveOrder& order);
  void find_user_variables(const std::string& list, MoveOrder& order);

  mysql::Session session_;
  VariableNames names_;
};

}  // namespace reseal::proxy

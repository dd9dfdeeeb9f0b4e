// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "mysql/endpoint.hpp"
#include "mysql/session.hpp"
#include "proxy/gate.hpp"

namespace reseal::proxy {

/// What a move knows of the server that the sessions leave; the same for all of them.
struct MoveOrder {
  Where to = Where::target;
  std::string none_because;                        ///< why no session can be moved; empty: they can
  std::map<std::uint32_t, std::string> obstacles;  ///< by connection id: state that cannot be carried
  std::map<std::string, std::string> globals;      ///< what that server gives to all sessions
};

/// Asks one server about the sessions of others, with an account that may read performance_schema and has PROCESS.
/// Throws Failure. One thread at a time.
class Census {
 public:
  explicit Census(const mysql::Endpoint& server);

  /// Which of these sessions, all outside of a transaction, have state that cannot be carried to another server, and
  /// what it is: user variables, user locks, LOCK TABLES and open handlers, temporary tables, statements that SQL's
  /// PREPARE made, a resource group.
  std::map<std::uint32_t, std::string> obstacles(const std::vector<std::uint32_t>& connection_ids);
  std::map<std::string, std::string> globals();

 private:
  mysql::Session session_;
};

}  // namespace reseal::proxy

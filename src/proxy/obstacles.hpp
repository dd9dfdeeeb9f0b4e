// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "mysql/endpoint.hpp"

namespace reseal::proxy {

/// Which of the sessions with these connection ids have state that cannot be carried to another server, and what it is:
/// user variables, user locks, LOCK TABLES and open handlers, temporary tables, statements that SQL's PREPARE made. For
/// sessions outside of a transaction. Asks the server that they are on, with an account that may read
/// performance_schema and has PROCESS. Throws Failure.
std::map<std::uint32_t, std::string> find_obstacles(const mysql::Endpoint& server,
                                                    const std::vector<std::uint32_t>& connection_ids);

}  // namespace reseal::proxy

// SPDX-License-Identifier: Apache-2.0
#include "mysql/server_error.hpp"

#include <string>

#include "base/log.hpp"

namespace reseal::mysql {
namespace {

using base::FailureKind;

// MySQL manual, "Server Error Message Reference".
bool worth_a_new_login(unsigned server_errno) {
  switch (server_errno) {
    case 1040:  // ER_CON_COUNT_ERROR
    case 1043:  // ER_HANDSHAKE_ERROR
    case 1053:  // ER_SERVER_SHUTDOWN
    case 1158:  // ER_NET_READ_ERROR
    case 1159:  // ER_NET_READ_INTERRUPTED
    case 1160:  // ER_NET_ERROR_ON_WRITE
    case 1161:  // ER_NET_WRITE_INTERRUPTED
    case 1203:  // ER_TOO_MANY_USER_CONNECTIONS
    case 1317:  // ER_QUERY_INTERRUPTED
    case 3032:  // ER_SERVER_OFFLINE_MODE
    case 3168:  // ER_SERVER_ISNT_AVAILABLE
    case 4031:  // ER_CLIENT_INTERACTION_TIMEOUT
      return true;
    default:
      return false;
  }
}

}  // namespace

base::Failure source_failure(std::string_view where, unsigned server_errno, std::string_view text) {
  return {worth_a_new_login(server_errno) ? FailureKind::transient : FailureKind::source,
          std::string(where) + ": the server answered: " + base::printable(text) + " (" + std::to_string(server_errno) +
              ")",
          server_errno};
}

}  // namespace reseal::mysql

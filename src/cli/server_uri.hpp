// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "mysql/endpoint.hpp"

namespace reseal::cli {

/// Reads mysql://user@host:port/?ssl-mode=M&ssl-ca=FILE&socket=PATH onto `start`. Percent-encoding is understood; an
/// IPv6 host stands in brackets. A password in it is refused, since command lines and process lists are read by others.
/// Throws Failure(usage).
mysql::Endpoint parse_server_uri(std::string_view uri, mysql::Endpoint start = {});

}  // namespace reseal::cli

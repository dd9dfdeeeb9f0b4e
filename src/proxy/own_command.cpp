// SPDX-License-Identifier: Apache-2.0
#include "proxy/own_command.hpp"

#include "wire/command.hpp"
#include "wire/protocol.hpp"

namespace reseal::proxy {

std::string query_payload(std::string_view statement, std::uint32_t capabilities) {
  // "COM_QUERY": with query attributes, first the number of them and of their sets.
  const bool attributes = (capabilities & wire::capability::query_attributes) != 0;
  return wire::query_command(attributes ? std::string("\0\x01", 2).append(statement) : std::string(statement));
}

}  // namespace reseal::proxy

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "mysql/endpoint.hpp"
#include "wire/handshake.hpp"

namespace reseal::proxy {

/// Connects, takes the server's greeting, and takes leave in a way that the server does not count as an error of this
/// host. Failure(transient) when the server is not there.
wire::Greeting probe_greeting(const mysql::Endpoint& server);

/// What the proxy understands of the protocol: what is not among this is offered to no client. Compression is not.
std::uint32_t supported_capabilities(bool tls, bool local_infile) noexcept;

}  // namespace reseal::proxy

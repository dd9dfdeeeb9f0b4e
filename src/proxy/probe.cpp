// SPDX-License-Identifier: Apache-2.0
#include "proxy/probe.hpp"

#include <chrono>
#include <cstring>
#include <utility>

#include "base/failure.hpp"
#include "base/log.hpp"
#include "mysql/channel.hpp"
#include "wire/packet.hpp"
#include "wire/protocol.hpp"
#include "wire/reply.hpp"

namespace reseal::proxy {
namespace {

using namespace std::chrono_literals;
using base::Failure;
using base::FailureKind;

constexpr auto patience = 5s;

std::string receive(mysql::Channel& channel, wire::PacketAssembler& messages, const std::string& where) {
  while (!messages.whole()) {
    const auto place = messages.wanted();
    if (messages.bad()) throw Failure(FailureKind::refused, where + " does not speak MySQL: " + messages.error());
    messages.arrived(channel.read(place, patience));
  }
  return messages.take().payload;
}

}  // namespace

wire::Greeting probe_greeting(const mysql::Endpoint& server) {
  mysql::Channel channel(server, patience);
  wire::PacketAssembler messages(wire::MessageShape::plain, 64 * 1024);
  const auto payload = receive(channel, messages, server.text());
  if (wire::is_error(payload)) {
    const auto error = wire::parse_error(payload);
    throw Failure(FailureKind::transient,
                  server.text() + " turns us away: " + (error.ok() ? base::printable(error.value().text) : ""));
  }
  auto greeting = base::value_or_fail(wire::parse_greeting(payload), server.text(), FailureKind::refused);
  wire::HandshakeResponse goodbye;
  goodbye.capabilities = greeting.capabilities & (wire::capability::protocol_41 | wire::capability::plugin_auth |
                                                  wire::capability::secure_connection);
  goodbye.collation = wire::utf8mb4_general_ci;
  goodbye.user = "reseal-client-left";
  goodbye.auth_plugin = greeting.auth_plugin;
  std::string bytes;
  auto sequence = messages.sequence();
  wire::append_packets(bytes, wire::handshake_response(goodbye), sequence);
  channel.write(bytes, patience);
  return greeting;
}

std::uint32_t supported_capabilities(bool tls, bool local_infile) noexcept {
  namespace c = wire::capability;
  auto all = c::long_password | c::found_rows | c::long_flag | c::connect_with_db | c::no_schema | c::odbc |
             c::ignore_space | c::protocol_41 | c::interactive | c::ignore_sigpipe | c::transactions |
             c::secure_connection | c::multi_statements | c::multi_results | c::ps_multi_results | c::plugin_auth |
             c::connect_attributes | c::lenenc_auth_data | c::expired_passwords | c::session_track | c::deprecate_eof |
             c::query_attributes | c::multi_factor | c::compress | c::zstd_compression |
             1U << 14;  // CLIENT_RESERVED, which every server sets
  if (tls) all |= c::ssl;
  if (local_infile) all |= c::local_files;
  return all;
}

}  // namespace reseal::proxy

// SPDX-License-Identifier: Apache-2.0
#include "mysql/wire_connection.hpp"

#include <openssl/crypto.h>

#include "base/failure.hpp"
#include "base/log.hpp"
#include "mysql/server_error.hpp"
#include "wire/client_handshake_machine.hpp"
#include "wire/command.hpp"
#include "wire/reply.hpp"
#include "wire/text_result_machine.hpp"

namespace reseal::mysql {
namespace {

using base::Failure;
using base::FailureKind;
using Machine = wire::ClientHandshakeMachine;

wire::TlsWish tls_wish(const Endpoint& endpoint) {
  if (endpoint.tls == TlsMode::disabled) return wire::TlsWish::never;
  return endpoint.tls == TlsMode::required && !endpoint.socket.empty() ? wire::TlsWish::if_offered
                                                                       : wire::TlsWish::always;
}

wire::ClientHandshakeOptions login_options(const Endpoint& endpoint) {
  wire::ClientHandshakeOptions options;
  options.user = endpoint.user;
  options.password = endpoint.password;
  options.tls = tls_wish(endpoint);
  options.carrier = endpoint.socket.empty() ? wire::Carrier::network : wire::Carrier::unix_socket;
  options.attributes = {{"program_name", "reseal"}};
  return options;
}

Failure login_failure(const std::string& where, const Machine::Failed& failed) {
  const auto what = "cannot log in, " + where;
  switch (failed.reason) {
    case Machine::Failed::Reason::server_error:
      return source_failure(what, failed.server_errno, failed.text);
    case Machine::Failed::Reason::refused:
      return {FailureKind::refused, what + ": " + base::printable(failed.text)};
    case Machine::Failed::Reason::bad_input:
      break;
  }
  return {FailureKind::transient, what + ": not the protocol of MySQL: " + base::printable(failed.text)};
}

}  // namespace

WireConnection::WireConnection(const Endpoint& endpoint, std::chrono::milliseconds timeout)
    : where_("replication connection to " + endpoint.text()), timeout_(timeout), channel_(endpoint, timeout) {
  log_in(endpoint);
}

void WireConnection::log_in(const Endpoint& endpoint) {
  Machine machine(login_options(endpoint));
  auto step = machine.feed(receive());
  while (!std::holds_alternative<Machine::Done>(step)) {
    if (const auto* failed = std::get_if<Machine::Failed>(&step)) throw login_failure(where_, *failed);
    if (auto* message = std::get_if<Machine::Send>(&step)) {
      send(message->payload);
      OPENSSL_cleanse(message->payload.data(), message->payload.size());
    }
    if (const auto* request = std::get_if<Machine::StartTls>(&step)) {
      send(request->payload);
      channel_.start_tls(endpoint, timeout_);
      step = machine.tls_started();
      continue;
    }
    step = machine.feed(receive());
  }
  capabilities_ = machine.capabilities();
  server_version_ = machine.greeting().server_version;
  full_authentication_ = machine.full_authentication();
}

void WireConnection::send(std::string_view payload) {
  auto sequence = assembler_.sequence();
  std::string packets;
  packets.reserve(payload.size() + 4 * (payload.size() / wire::max_packet_payload + 1));
  wire::append_packets(packets, payload, sequence);
  assembler_.expect_sequence(sequence);
  channel_.write(packets, timeout_);
  OPENSSL_cleanse(packets.data(), packets.size());
}

void WireConnection::begin(std::string_view payload) {
  assembler_.expect_sequence(0);
  send(payload);
}

std::string WireConnection::receive() { return next(timeout_, {})->payload; }

std::optional<wire::Message> WireConnection::next(std::chrono::milliseconds timeout, std::stop_token stop) {
  while (!assembler_.whole()) {
    const auto place = assembler_.wanted();
    if (place.empty()) throw Failure(FailureKind::transient, where_ + ": " + assembler_.error());
    const auto count = channel_.read(place, timeout, stop);
    if (count == 0) return std::nullopt;
    assembler_.arrived(count);
  }
  return assembler_.take();
}

WireConnection::Rows WireConnection::query(std::string_view statement) {
  begin(wire::query_command(statement));
  wire::TextResultMachine result(capabilities_);
  auto progress = wire::TextResultMachine::Progress::more;
  while (progress == wire::TextResultMachine::Progress::more) progress = result.feed(receive());
  if (progress == wire::TextResultMachine::Progress::server_error)
    throw source_failure(where_, result.server_error().code, result.server_error().text);
  if (progress == wire::TextResultMachine::Progress::bad_input)
    throw Failure(FailureKind::transient, where_ + ": " + result.error());
  return result.rows();
}

void WireConnection::command(std::string_view payload, std::string_view what) {
  begin(payload);
  const auto reply = receive();
  const auto where = where_ + ", " + std::string(what);
  if (wire::is_error(reply)) {
    const auto error = base::value_or_fail(wire::parse_error(reply), where, FailureKind::transient);
    throw source_failure(where, error.code, error.text);
  }
  if (!wire::is_ok(reply)) throw Failure(FailureKind::transient, where + ": not answered by OK");
}

void WireConnection::start(std::string_view payload, wire::MessageShape shape) {
  assembler_.shape(shape);
  begin(payload);
}

}  // namespace reseal::mysql

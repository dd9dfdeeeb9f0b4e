// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/failure.hpp"
#include "proxy/session.hpp"
#include "wire/protocol.hpp"
#include "wire/reply.hpp"
#include "wire/server_handshake.hpp"

namespace reseal::proxy {
namespace {

// The longest answer is 64 KiB of attributes (performance_schema_session_connect_attrs) and some names.
constexpr std::size_t client_limit = 80 * 1024;
// Tickets of Kerberos and the like.
constexpr std::size_t server_limit = 1024 * 1024;
constexpr std::size_t nonce_size = 20;

// ER_CONNECT_TO_FOREIGN_DATA_SOURCE. Other proxies answer a client's own number, 2003, which libmariadb calls
// malformed.
constexpr std::uint16_t cannot_connect = 1429;
constexpr std::uint16_t handshake_error = 1043;  // ER_HANDSHAKE_ERROR
constexpr std::uint16_t access_denied = 1045;    // ER_ACCESS_DENIED_ERROR
// caching_sha2_password's word that needs no answer ("Caching_sha2_password information").
constexpr std::string_view fast_success = "\x01\x03";
constexpr std::uint32_t needed =
    wire::capability::protocol_41 | wire::capability::plugin_auth | wire::capability::secure_connection;

}  // namespace

bool Session::step_header() {
  const bool moved = client_.read(home_.pool);
  ProxyHeader header;
  switch (read_proxy_header(client_.in.unjudged(), header)) {
    case ProxyHeader::Read::whole:
      client_.in.drop(header.size);
      if (!header.client.empty()) origin_.text = header.client;
      phase_ = Phase::waiting;
      return true;
    case ProxyHeader::Read::cut_off:
      if (client_.read_over) broken("it left before its PROXY header was whole");
      return moved;
    case ProxyHeader::Read::bad:
      break;
  }
  home_.terms.log->warn(origin_.text + " does not begin with a PROXY header, which is due from there");
  broken("no PROXY header");
  return true;
}

// In a hold nobody knows who will serve. A login that has begun would have to end with the server that it began with.
bool Session::step_waiting() {
  if (home_.terms.gate.holding()) return false;
  where_ = home_.terms.gate.serving();
  upstream_ = home_.terms.exchangeable.upstream(where_);
  since_ = Clock::now();
  phase_ = Phase::connecting;
  connect_next(0);
  return true;
}

void Session::connect_next(int error) {
  const auto& place = *upstream_.place;
  while (next_address_ < place.addresses.size()) {
    auto begun = begin_connect(place.addresses[next_address_++]);
    if (begun.error == 0) {
      server_->open(std::move(begun.socket), home_.loop);
      server_->expect_connect();
      return;
    }
    error = begun.error;
  }
  if (error == 0) error = EHOSTUNREACH;  // its name has no address
  home_.terms.log->warn("cannot connect to " + place.text + ": " + std::strerror(error));
  ++home_.terms.counters.broken;
  client_.begin_messages(client_limit, 0);
  client_.send(wire::error_payload(
      cannot_connect, "",
      "Can't connect to MySQL server on '" + place.text + "' (" + std::to_string(error) + "); the proxy itself runs"));
  begin_closing();
}

void Session::server_too_slow() {
  next_address_ = upstream_.place->addresses.size();
  server_->close();
  connect_next(ETIMEDOUT);
  advance();
}

bool Session::step_connecting() {
  if (!server_->writable()) return false;
  if (const int error = connect_result(server_->stream().number()); error != 0) {
    connect_next(error);
    return true;
  }
  server_->begin_messages(server_limit, 0);
  client_.begin_messages(client_limit, 0);
  phase_ = Phase::greeting;
  return true;
}

bool Session::step_greeting() {
  const auto got = server_->receive(home_.pool);
  if (got == Side::Got::nothing) return false;
  if (got != Side::Got::message) {
    const auto& place = upstream_.place->text;
    home_.terms.log->warn(place + " closed the connection before its greeting");
    close_after(wire::error_payload(cannot_connect, "", "The MySQL server on '" + place + "' closed the connection"));
    return true;
  }
  if (wire::is_error(server_->message())) {  // too many connections, a host that is shut out
    close_after(server_->message());
    return true;
  }
  auto parsed = wire::parse_greeting(server_->message());
  if (!parsed.ok() || (parsed.value().capabilities & needed) != needed || parsed.value().nonce.size() != nonce_size) {
    close_after(wire::error_payload(handshake_error, "", "The server's greeting is not that of MySQL 5.7 or later"));
    return true;
  }
  greeting_ = std::move(parsed).value();
  offered_ = greeting_.capabilities & home_.terms.offered;
  auto told = greeting_;
  told.capabilities = offered_;
  client_.send(wire::greeting_payload(told));
  phase_ = Phase::hello;
  return true;
}

bool Session::step_hello() {
  const bool flushed = client_.flush();
  const auto got = client_.receive(home_.pool);
  if (got == Side::Got::nothing) return flushed;
  if (got != Side::Got::message) {
    broken(got == Side::Got::bad ? "the client's answer to the greeting makes no sense" : "the client left");
    return true;
  }
  if (wire::is_ssl_request(client_.message()))
    begin_tls();
  else
    on_response();
  return true;
}

void Session::begin_tls() {
  if (!wire::mask_capabilities(client_.message(), offered_).ok()) return broken("TLS was not offered to this client");
  client_.stream().start_tls(*home_.terms.exchangeable.client_tls());
  phase_ = Phase::tls;
}

bool Session::step_tls() {
  bool moved = server_->flush();
  if (!client_tls_done_) {
    const auto outcome = client_.stream().handshake();
    if (outcome.kind == Stream::Kind::failed || outcome.kind == Stream::Kind::ended) {
      broken("no TLS with the client: " + tls_reason());
      return true;
    }
    client_tls_done_ = outcome.kind == Stream::Kind::moved;
    if (!client_tls_done_) return moved;
    // The server hears of TLS only now: a client that stops within it can then be answered for in clear.
    server_->send(client_.message());
    return true;
  }
  if (!server_tls_begun_ && server_->queue_empty()) {
    server_->stream().start_tls(*upstream_.tls);
    server_tls_begun_ = true;
  }
  if (server_tls_begun_ && !server_tls_done_ && !server_tls_failed_) {
    const auto outcome = server_->stream().handshake();
    server_tls_failed_ = outcome.kind == Stream::Kind::failed || outcome.kind == Stream::Kind::ended;
    if (server_tls_failed_)
      home_.terms.log->warn("no TLS with the server " + upstream_.place->text + ": " + tls_reason());
    server_tls_done_ = outcome.kind == Stream::Kind::moved;
    moved = moved || server_tls_done_ || server_tls_failed_;
  }
  if (server_tls_done_ || server_tls_failed_) phase_ = Phase::response;
  return moved;
}

bool Session::step_response() {
  const auto got = client_.receive(home_.pool);
  if (got == Side::Got::nothing) return false;
  if (got != Side::Got::message)
    broken("the client left in the login");
  else if (server_tls_failed_)  // told now, when it is the server's turn to speak
    close_after(wire::error_payload(handshake_error, "08S01", "The proxy could not begin TLS with the server"));
  else if (ever_logged_in_)
    on_change_user();
  else
    on_response();
  return true;
}

void Session::on_response() {
  const bool tls = client_.stream().encrypted();
  const auto masked = wire::mask_capabilities(client_.message(), offered_);
  if (!masked.ok()) return refuse_login(masked.error());
  auto parsed = wire::parse_handshake_response(client_.message());
  if (!parsed.ok()) return refuse_login(parsed.error());
  if (!tls && (masked.value() & wire::capability::ssl) != 0)
    return refuse_login("the client asked for TLS and did not begin it");
  auto& response = parsed.value();
  capabilities_ = masked.value();
  zstd_level_ = response.zstd_level;
  collation_ = response.collation;
  response_sent_ = true;
  login_schema_ = std::move(response.database);
  begin_login(std::move(response.user), std::move(response.auth_plugin), std::move(response.auth_data));
}

void Session::on_change_user() {
  auto parsed = wire::parse_change_user(client_.message(), capabilities_);
  if (!parsed.ok()) return refuse_login(parsed.error());
  auto& change = parsed.value();
  login_schema_ = std::move(change.schema);
  begin_login(std::move(change.user), std::move(change.auth_plugin), std::move(change.auth_data));
}

// The server gets the client's own words.
void Session::begin_login(std::string user, std::string plugin, std::string auth_data) {
  server_->send(client_.message());
  user_ = user;
  if (plugin.empty()) plugin = greeting_.auth_plugin;
  login_ = std::make_unique<LoginMachine>(login_terms(), home_.terms.vault, home_.terms.own_key, std::move(user),
                                          std::move(plugin), greeting_.nonce, std::move(auth_data));
  client_turn_ = false;
  phase_ = Phase::login;
}

LoginTerms Session::login_terms() const {
  LoginTerms terms;
  terms.client_private = origin_.on_socket || client_.stream().encrypted();
  terms.server_private = upstream_.place->on_socket || server_->stream().encrypted();
  terms.ask_plain_clients = home_.terms.ask_plain_clients;
  return terms;
}

bool Session::step_login() {
  const bool to_server = server_->flush();
  const bool to_client = client_.flush();
  if (!login_) {  // it is over, and its last message had to get away
    if (client_.queue_empty()) login_over();
    return to_client || phase_ != Phase::login;
  }
  const auto from_server = server_->receive(home_.pool);
  if (from_server == Side::Got::message) {
    act_on(login_->from_server(server_->message()));
    return true;
  }
  if (from_server != Side::Got::nothing) {
    broken("the server closed the connection in the login");
    return true;
  }
  if (!client_turn_) return to_server || to_client;
  const auto from_client = client_.receive(home_.pool);
  if (from_client == Side::Got::message) {
    client_turn_ = false;
    act_on(login_->from_client(client_.message()));
    return true;
  }
  if (from_client != Side::Got::nothing) {
    broken("the client left in the login");
    return true;
  }
  return to_server || to_client;
}

void Session::act_on(LoginMachine::Step step) {
  using Outcome = LoginMachine::Outcome;
  wipe(client_.message());
  wipe(server_->message());
  if (step.to_server) {
    server_->send(*step.to_server);
    wipe(*step.to_server);
  }
  switch (step.outcome) {
    case Outcome::failed:
      ++home_.terms.counters.denied;
      return refuse_login(step.why);
    case Outcome::refused:
      ++home_.terms.counters.denied;
      return close_after(explained(*step.to_client));
    case Outcome::going:
      if (step.to_client) {
        client_.send(*step.to_client);
        client_turn_ = *step.to_client != fast_success;
      }
      return;
    case Outcome::accepted:
      break;
  }
  ++home_.terms.counters.logged_in;
  if (const auto ok = wire::parse_ok(*step.to_client, capabilities_); ok.ok()) replies_.status(ok.value().status);
  client_.send(*step.to_client);
  user_ = login_->user();
  proof_ = login_->proof();
  movable_ = login_->password_known();
  unmovable_because_ = movable_ ? std::string_view() : login_->unknown_because();
  login_.reset();
}

void Session::login_over() {
  client_.end_messages();
  server_->end_messages();
  if (!std::exchange(ever_logged_in_, true)) {
    const auto status = replies_.status();
    replies_ = wire::ReplyTracker(capabilities_);
    replies_.status(status);
    const auto compression = wire::compression_of(capabilities_, zstd_level_);
    client_.compress(compression);
    server_->compress(compression);
    if (compression.method != wire::Compression::Method::none) commands_.ignore_numbers();
    home_.logged_in(*this);
  }
  forget_statements(login_schema_);
  phase_ = Phase::relay;
}

void Session::refuse_login(std::string_view why) {
  home_.terms.log->debug("session " + std::to_string(number_) + " of " + origin_.text + ": " + std::string(why));
  close_after(wire::error_payload(handshake_error, "08S01", "Bad handshake: " + std::string(why)));
}

std::string Session::explained(std::string_view error) const {
  const auto parsed = wire::parse_error(error);
  const bool lost_certificate =
      parsed.ok() && parsed.value().code == access_denied && client_.stream().peer_has_certificate();
  if (!lost_certificate) return std::string(error);
  return std::string(error).append(
      ". The client showed a certificate, which the proxy cannot pass on: an account that REQUIREs X509, SUBJECT or "
      "ISSUER has to connect to the server directly");
}

}  // namespace reseal::proxy

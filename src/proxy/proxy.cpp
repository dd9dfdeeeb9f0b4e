// SPDX-License-Identifier: Apache-2.0
#include "proxy/proxy.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/failure.hpp"
#include "proxy/probe.hpp"
#include "wire/packet.hpp"
#include "wire/server_handshake.hpp"

namespace reseal::proxy {
namespace {

using base::Failure;
using base::FailureKind;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr unsigned socket_mode = 0777;  // as a server's own: who may log in is the server's business
constexpr int pause_ms = 100;           // when the machine is out of descriptors
constexpr int crowded_pause_ms = 1;
constexpr unsigned accepts_at_once = 64;
constexpr auto look_up_again = 5s;                    // what Amazon RDS gives its names to live
constexpr std::uint16_t too_many_connections = 1040;  // ER_CON_COUNT_ERROR

std::optional<TlsContext> client_tls(const ProxyOptions& options) {
  if (options.tls_certificate.empty() != options.tls_key.empty())
    throw Failure(FailureKind::usage, "TLS needs both --tls-cert and --tls-key");
  if (options.tls_certificate.empty()) return std::nullopt;
  return TlsContext::accepting(options.tls_certificate, options.tls_key);
}

}  // namespace

Proxy::Proxy(ProxyOptions options, base::Log& log)
    : options_(std::move(options)), log_(&log), wakeup_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (options_.listen.empty() && options_.listen_socket.empty() && options_.inherited.empty())
    throw Failure(FailureKind::usage, "name where clients connect: --listen or --listen-socket");
  auto tls = client_tls(options_);
  auto offered = supported_capabilities(tls.has_value(), options_.allow_local_infile);
  for (const auto& greeting : greetings()) {
    if (server_version_.empty()) server_version_ = greeting.server_version;
    offered &= greeting.capabilities;
  }
  terms_ = std::make_unique<SessionTerms>(PasswordKey::make(), *log_);
  const auto first_look = [this](Where side, const mysql::Endpoint& server) {
    try {
      look_up(side, server);
    } catch (const Failure& failure) {
      if (failure.kind() != FailureKind::transient) throw;
      terms_->exchangeable.upstream(side, {std::make_shared<const ServerPlace>(ServerPlace{server.text(), false, {}}),
                                           std::make_shared<const TlsContext>(TlsContext::connecting(server))});
    }
  };
  first_look(Where::source, options_.source);
  if (options_.target) first_look(Where::target, *options_.target);
  terms_->offered = offered;
  if (tls) terms_->exchangeable.client_tls(std::make_shared<const TlsContext>(*std::move(tls)));
  terms_->ask_plain_clients = options_.ask_plain_clients;
  terms_->handshake_timeout = options_.handshake_timeout;
  if (!terms_->vault.usable())
    log_->warn("this process may not lock memory (ulimit -l): no password is kept, and no session can be moved");
  if (options_.ask_decision && options_.target) {
    const auto decision = options_.ask_decision(0);
    if (decision == Decision::unknown)
      throw Failure(FailureKind::transient,
                    "cannot read on the target who serves, so no client is let in; start the proxy again");
    if (decision == Decision::target) terms_->gate.serve(Where::target);
  }
  for (const auto& peer : options_.header_peers) terms_->header_peers.push_back(PeerNetwork::parse(peer));
  listen();
  const auto per_thread = std::max<std::size_t>(1, options_.half_open_limit / std::max(1U, options_.threads));
  for (unsigned i = 0; i < std::max(1U, options_.threads); ++i)
    workers_.push_back(std::make_unique<Worker>(*terms_, per_thread));
  lease_watch_ = std::jthread([this](const std::stop_token& stop) { watch_lease(stop); });
  name_watch_ = std::jthread([this](const std::stop_token& stop) { watch_names(stop); });
  acceptor_ = std::jthread([this](const std::stop_token& stop) { accept_clients(stop); });
}

// One of the two may be away: the old source may have been switched off long ago.
std::vector<wire::Greeting> Proxy::greetings() const {
  std::vector<wire::Greeting> all;
  std::optional<Failure> lost;
  const auto ask = [&](const mysql::Endpoint& server) {
    try {
      all.push_back(probe_greeting(server));
    } catch (const Failure& failure) {
      if (failure.kind() != FailureKind::transient) throw;
      log_->warn(std::string(failure.what()) + "; the proxy starts without it");
      lost = failure;
    }
  };
  ask(options_.source);
  if (options_.target) ask(*options_.target);
  if (all.empty()) throw Failure(*lost);
  return all;
}

void Proxy::look_up(Where side, const mysql::Endpoint& server) {
  terms_->exchangeable.upstream(side, {std::make_shared<const ServerPlace>(resolve(server)),
                                       std::make_shared<const TlsContext>(TlsContext::connecting(server))});
}

void Proxy::reload() {
  const auto attempt = [this](const std::string& what, const auto& action) {
    try {
      action();
      log_->info("reload: " + what);
    } catch (const Failure& failure) {
      log_->error("reload: " + what + " stays as it was: " + failure.what());
    }
  };
  if (!options_.tls_certificate.empty())
    attempt("the certificate towards clients",
            [this] { terms_->exchangeable.client_tls(std::make_shared<const TlsContext>(*client_tls(options_))); });
  attempt("the source", [this] { look_up(Where::source, options_.source); });
  if (options_.target) attempt("the target", [this] { look_up(Where::target, *options_.target); });
}

// After a failover the same name means another machine.
void Proxy::watch_names(const std::stop_token& stop) {
  const auto look = [this](Where side, const mysql::Endpoint& server) {
    if (!server.socket.empty()) return;
    try {
      auto now = terms_->exchangeable.upstream(side);
      auto place = std::make_shared<const ServerPlace>(resolve(server));
      if (place->same_addresses(*now.place)) return;
      now.place = std::move(place);
      terms_->exchangeable.upstream(side, std::move(now));
      log_->info(server.text() + " has another address now");
    } catch (const Failure& failure) {
      log_->debug(failure.what());  // the addresses of before may still be right
    }
  };
  std::unique_lock lock(names_mutex_);
  while (!names_changed_.wait_for(lock, stop, look_up_again, [&] { return stop.stop_requested(); })) {
    lock.unlock();
    look(Where::source, options_.source);
    if (options_.target) look(Where::target, *options_.target);
    lock.lock();
  }
}

Proxy::~Proxy() {
  acceptor_.request_stop();
  ::eventfd_write(wakeup_.number(), 1);
  acceptor_.join();
  lease_watch_.request_stop();
  lease_watch_.join();
  name_watch_.request_stop();
  name_watch_.join();
  workers_.clear();
}

void Proxy::listen() {
  for (const auto& address : options_.listen) {
    listeners_.push_back(Listener::tcp(address));
    if (port_ == 0) port_ = listeners_.back().port();
  }
  for (const int socket : options_.inherited) {
    listeners_.push_back(Listener::inherited(socket));
    if (port_ == 0) port_ = listeners_.back().port();
  }
  if (!options_.listen_socket.empty()) listeners_.push_back(Listener::unix_socket(options_.listen_socket, socket_mode));
}

void Proxy::accept_clients(const std::stop_token& stop) {
  std::vector<pollfd> watched;
  for (const auto& listener : listeners_) watched.push_back({listener.number(), POLLIN, 0});
  watched.push_back({wakeup_.number(), POLLIN, 0});
  while (!stop.stop_requested() && !draining_) {
    if (::poll(watched.data(), watched.size(), -1) < 0) continue;
    for (std::size_t i = 0; i < listeners_.size(); ++i)
      if (watched[i].revents != 0) take(listeners_[i]);
  }
  listeners_.clear();
}

// Of equals each in turn: were it always the first, a flood would fill its places alone.
Worker& Proxy::least_busy() {
  auto* least = workers_[next_number_ % workers_.size()].get();
  for (const auto& worker : workers_)
    if (worker->open() < least->open()) least = worker.get();
  return *least;
}

void Proxy::take(Listener& listener) {
  const auto pause = [this](int milliseconds) {
    pollfd only{wakeup_.number(), POLLIN, 0};
    ::poll(&only, 1, milliseconds);
  };
  for (unsigned i = 0; i < accepts_at_once; ++i) {
    auto& worker = least_busy();
    // Clients come faster than the server greets. More of them wait in the listener's queue, and cost nothing there.
    if (worker.crowded()) return pause(crowded_pause_ms);
    auto accepted = listener.accept();
    if (accepted.error != 0) {
      log_->warn(std::string("cannot accept a client: ") + std::strerror(accepted.error));
      return pause(pause_ms);
    }
    if (!accepted.client.open()) return;
    if (open() >= options_.connection_limit) {
      ++terms_->counters.refused;
      turn_away(accepted.client);
      continue;
    }
    ++terms_->counters.accepted;
    const auto& networks = terms_->header_peers;
    accepted.origin.header_due = std::any_of(networks.begin(), networks.end(),
                                             [&](const auto& network) { return network.holds(accepted.peer); });
    worker.adopt(next_number_++, std::move(accepted.client), std::move(accepted.origin));
  }
}

void Proxy::turn_away(const mysql::FileDescriptor& client) const {
  std::string bytes;
  std::uint8_t sequence = 0;
  wire::append_packets(bytes, wire::error_payload(too_many_connections, "", "Too many connections"), sequence);
  static_cast<void>(::send(client.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
}

void Proxy::drain() {
  draining_ = true;
  ::eventfd_write(wakeup_.number(), 1);
  for (const auto& worker : workers_) worker->drain();
}

ProxyStatus Proxy::status() const {
  const auto& counters = terms_->counters;
  ProxyStatus status;
  status.holding = terms_->gate.holding();
  status.target_serves = terms_->gate.serving() == Where::target;
  status.server = terms_->exchangeable.upstream(terms_->gate.serving()).place->text;
  status.server_version = server_version_;
  status.open = counters.open;
  status.accepted = counters.accepted;
  status.refused = counters.refused;
  status.logged_in = counters.logged_in;
  status.denied = counters.denied;
  status.broken = counters.broken;
  status.passwords = terms_->vault.size();
  for (const auto& worker : workers_) status.preparing += worker->preparing();
  status.draining = draining_;
  return status;
}

std::vector<SessionReport> Proxy::sessions() {
  std::vector<SessionReport> all;
  for (const auto& worker : workers_) {
    auto reports = worker->reports();
    std::move(reports.begin(), reports.end(), std::back_inserter(all));
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
  return all;
}

}  // namespace reseal::proxy

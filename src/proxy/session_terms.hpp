// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/log.hpp"
#include "proxy/gate.hpp"
#include "proxy/password_key.hpp"
#include "proxy/server_place.hpp"
#include "proxy/tls_context.hpp"
#include "proxy/vault.hpp"

namespace reseal::proxy {

/// What the proxy counts, over all threads.
struct Counters {
  std::atomic<std::uint64_t> accepted{0};   ///< connections taken
  std::atomic<std::uint64_t> refused{0};    ///< turned away for a limit
  std::atomic<std::uint64_t> logged_in{0};  ///< logins that the server accepted
  std::atomic<std::uint64_t> denied{0};     ///< logins that the server refused
  std::atomic<std::uint64_t> broken{0};     ///< sessions that ended by bad bytes, a timeout or a lost server
  std::atomic<std::uint64_t> open{0};
  std::atomic<std::uint64_t> moved{0};      ///< sessions put onto the other server
  std::atomic<std::uint64_t> not_moved{0};  ///< closed because they could not be
};

/// A server as sessions reach it.
struct Upstream {
  ServerPlace place;
  TlsContext tls;
};

/// What every session of one proxy shares; fixed before the first begins, but for what is thread-safe by itself.
struct SessionTerms {
  SessionTerms(Upstream serving, PasswordKey key, base::Log& where)
      : source(std::move(serving)), own_key(std::move(key)), log(&where) {}

  const Upstream& upstream(Where side) const { return side == Where::source ? source : *target; }

  Upstream source;
  std::optional<Upstream> target;
  Gate gate;
  std::uint32_t offered = 0;      ///< capabilities that the proxy and both servers have
  std::optional<TlsContext> tls;  ///< towards clients; without it none is offered
  bool ask_plain_clients = false;
  std::chrono::seconds handshake_timeout{10};
  PasswordKey own_key;
  Vault vault;
  Counters counters;
  base::Log* log;
};

}  // namespace reseal::proxy

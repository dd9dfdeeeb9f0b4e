// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "proxy/gate.hpp"
#include "proxy/password_key.hpp"
#include "proxy/proxy_header.hpp"
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
  std::shared_ptr<const ServerPlace> place;
  std::shared_ptr<const TlsContext> tls;
};

/// What may be exchanged while sessions live: a session keeps what it has begun with. Thread-safe.
class Exchangeable {
 public:
  bool has_target() const {
    const std::lock_guard lock(mutex_);
    return target_.place != nullptr;
  }
  Upstream upstream(Where side) const {
    const std::lock_guard lock(mutex_);
    return side == Where::source ? source_ : target_;
  }
  void upstream(Where side, Upstream upstream) {
    const std::lock_guard lock(mutex_);
    (side == Where::source ? source_ : target_) = std::move(upstream);
  }
  /// Towards clients; null: none is offered.
  std::shared_ptr<const TlsContext> client_tls() const {
    const std::lock_guard lock(mutex_);
    return client_tls_;
  }
  void client_tls(std::shared_ptr<const TlsContext> tls) {
    const std::lock_guard lock(mutex_);
    client_tls_ = std::move(tls);
  }

 private:
  mutable std::mutex mutex_;
  Upstream source_;
  Upstream target_;
  std::shared_ptr<const TlsContext> client_tls_;
};

/// What every session of one proxy shares; fixed before the first begins, but for what is thread-safe by itself.
struct SessionTerms {
  SessionTerms(PasswordKey key, base::Log& where) : own_key(std::move(key)), log(&where) {}

  Exchangeable exchangeable;
  Gate gate;
  std::uint32_t offered = 0;  ///< capabilities that the proxy and both servers have
  std::vector<PeerNetwork> header_peers;
  bool ask_plain_clients = false;
  std::chrono::seconds handshake_timeout{8};
  PasswordKey own_key;
  Vault vault;
  Counters counters;
  base::Log* log;
};

}  // namespace reseal::proxy

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "mysql/endpoint.hpp"
#include "proxy/listener.hpp"
#include "proxy/session_terms.hpp"
#include "proxy/worker.hpp"
#include "wire/handshake.hpp"

namespace reseal::proxy {

/// What the decision record says.
enum class Decision {
  none,    ///< nothing is decided: at the start of a proxy the source serves; after a lease it may still be decided
  source,  ///< the attempt was closed: the source serves, and nothing else can be decided for it any more
  target,
  unknown  ///< it cannot be read now
};

struct ProxyOptions {
  mysql::Endpoint source;
  std::optional<mysql::Endpoint> target;  ///< both servers' capabilities bound what clients are offered
  std::vector<std::string> listen;        ///< HOST:PORT
  std::string listen_socket;
  std::vector<int> inherited;             ///< descriptors of sockets that listen already; the proxy owns them
  std::vector<std::string> header_peers;  ///< networks whose connections begin with a PROXY header
  std::string tls_certificate;            ///< PEM files towards clients; without them no TLS is offered
  std::string tls_key;
  unsigned threads = 2;
  std::size_t connection_limit = 4000;
  std::size_t half_open_limit = 128;
  std::chrono::seconds handshake_timeout{
      8};  ///< below MySQL's connect_timeout of 10, which counts a login as broken off
  bool allow_local_infile = false;
  bool ask_plain_clients = false;
  /// Asked before the first client is let in (epoch 0), and when the lease of an epoch ends without a word. Without it,
  /// sessions are held until `release`: the proxy does not guess.
  std::function<Decision(std::uint64_t epoch)> ask_decision;
};

struct ProxyStatus {
  std::string server;  ///< where sessions go
  std::string server_version;
  std::uint64_t open = 0;
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  std::uint64_t logged_in = 0;
  std::uint64_t denied = 0;
  std::uint64_t broken = 0;
  std::size_t passwords = 0;
  std::size_t preparing = 0;  ///< sessions whose other connection is still to be made, after `prepare`
  bool draining = false;
  bool holding = false;
  bool target_serves = false;
};

/// The MySQL proxy: listens, and passes every client's session through to the server that serves. Threads of its own
/// from the constructor to the destructor, which ends all sessions. Members may be called from any thread.
class Proxy {
 public:
  /// Asks both servers for what they speak, then listens. Failures say what is wrong; nothing is left behind then.
  Proxy(ProxyOptions options, base::Log& log);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  /// Reads certificates and keys anew, and asks anew where the servers are, for the sessions that begin from now on.
  /// What cannot be read stays as it was, and is named in the log. Blocks as long as a name server takes.
  void reload();
  /// No new sessions; those that are open end at their next boundary between transactions.
  void drain();
  std::size_t open() const noexcept { return terms_->counters.open; }
  /// Of the first TCP listener; 0 without one.
  std::uint16_t port() const noexcept { return port_; }
  ProxyStatus status() const;
  std::vector<SessionReport> sessions();

  struct HoldReport {
    HoldCounts counts;
    std::chrono::microseconds took{0};
    bool all_quiet = false;
  };
  /// Closes the gate for `epoch` and waits until every session stands between two transactions, `patience` at most. The
  /// gate stays closed until `release`, or until the lease ends: then who serves is asked, see ProxyOptions. Failure
  /// (refused) when it is closed for another epoch.
  HoldReport hold(std::uint64_t epoch, std::chrono::milliseconds lease, std::chrono::milliseconds patience);
  /// Brings the other connections of held sessions into the sessions' state, so that `move` has little left to do.
  /// Returns once that has begun; it goes on by itself, and undoes itself with `release`. Failure(refused) when they
  /// are not held for this epoch, or when the account may not ask what cannot be carried.
  void restore(std::uint64_t epoch, Where to);
  /// Opens connections on that server for all sessions that can be moved, while they work on. Returns once that has
  /// begun; `status().preparing` says how many are still to come. Failure(refused) without a target.
  void prepare(Where to);
  /// Reads the state of the sessions that do nothing now and have that connection, so that less of it is left to be
  /// read within a hold. A client's command that comes while its session is read waits for that. Returns once it has
  /// begun, as `prepare` does.
  void look_ahead(Where to);

  struct MoveReport {
    std::uint64_t moved = 0;
    std::uint64_t closed = 0;  ///< could not be moved; told so by an error
    std::size_t under_way = 0;
    std::chrono::microseconds took{0};
  };
  /// What becomes of sessions that are not between two transactions. Once the other side serves by a decision they can
  /// only end: the side that they are on takes no writes, and all others wait for them.
  enum class Busy { refuse, end };
  /// Puts all sessions onto that server; new ones go there too. They stay held. Failure(refused) when they are not held
  /// for this epoch, when one is not between transactions and that is to be refused, or when the account may not ask
  /// what cannot be carried; nothing has moved then. Sessions of a server that is away are ended.
  MoveReport move(std::uint64_t epoch, Where to, std::chrono::milliseconds patience, Busy busy = Busy::refuse);
  /// Opens the gate. Sessions go on where they are. Failure(refused) when it is not closed for this epoch.
  HoldReport release(std::uint64_t epoch);

 private:
  std::vector<wire::Greeting> greetings() const;
  void look_up(Where side, const mysql::Endpoint& server);
  void watch_names(const std::stop_token& stop);
  void listen();
  void accept_clients(const std::stop_token& stop);
  Worker& least_busy();
  void take(Listener& listener);
  HoldCounts look_at_gate();
  Census& census_of(Where to);
  MoveOrder take_census(Where to);
  void check_held(std::uint64_t epoch);
  void watch_lease(const std::stop_token& stop);
  void lease_ended(std::unique_lock<std::mutex>& lock);
  void turn_away(const mysql::FileDescriptor& client) const;

  ProxyOptions options_;
  base::Log* log_;
  std::unique_ptr<SessionTerms> terms_;
  std::string server_version_;
  std::uint16_t port_ = 0;
  std::vector<Listener> listeners_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::uint64_t next_number_ = 1;
  std::atomic<bool> draining_{false};
  mysql::FileDescriptor wakeup_;
  std::jthread acceptor_;

  std::mutex move_mutex_;    ///< held for the whole of a move
  std::mutex census_mutex_;  ///< guards the next two
  std::optional<Census> census_;
  std::atomic<std::uint64_t> looks_{0};  ///< ahead of a hold
  Where census_to_ = Where::target;

  std::mutex gate_mutex_;  ///< guards what follows
  std::condition_variable_any gate_changed_;
  std::optional<std::uint64_t> epoch_;  ///< of the hold under way
  std::chrono::steady_clock::time_point lease_end_{};
  std::jthread lease_watch_;

  std::mutex names_mutex_;
  std::condition_variable_any names_changed_;
  std::jthread name_watch_;
};

}  // namespace reseal::proxy

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "proxy/event_loop.hpp"
#include "proxy/pipe.hpp"
#include "proxy/session.hpp"

namespace reseal::proxy {

/// One thread with the sessions that live on it. All members may be called from any thread.
class Worker {
 public:
  /// Of sessions that have not logged in yet, it keeps `half_open_limit`: a further one ends the oldest that waits for
  /// its client, so that clients that stop in the middle cannot lock out those that do not. When all wait for the
  /// server, a further client has to wait too, and no connection is opened for it yet: the server counts one that is
  /// given up before its greeting as an error of this host, and nothing can be answered before that.
  Worker(SessionTerms& terms, std::size_t half_open_limit);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void adopt(std::uint64_t number, mysql::FileDescriptor client, ClientOrigin origin);
  /// True when `half_open_limit` clients wait to be begun: adopt none until they are.
  bool crowded() const noexcept { return waiting_count_ >= half_open_limit_; }
  void drain();
  /// Ends every session.
  void end_all();
  std::size_t open() const noexcept { return open_; }
  std::vector<SessionReport> reports();
  /// Sessions look at the gate, and then are counted.
  HoldCounts look_at_gate();
  /// Makes the other connections of all sessions, a few at a time: logins cost a server as much as many statements, and
  /// clients are at work.
  void prepare(Where to, std::shared_ptr<const VariableNames> names);
  /// The server's ids of the sessions that do nothing; see Session::mark_idle.
  std::vector<std::uint32_t> mark_idle(Where to, std::uint64_t look);
  /// Reads the state of those, a few at a time.
  void look_ahead(std::shared_ptr<const MoveOrder> order);
  /// How many connections are still to be made, and sessions to be read.
  std::size_t preparing() const noexcept { return preparing_; }
  /// Begins to restore every session that is held.
  void restore(std::shared_ptr<const MoveOrder> order);
  /// Begins the move of every session.
  void move(std::shared_ptr<const MoveOrder> order);

 private:
  void run();
  /// A client whose session has not begun.
  struct Waiting {
    std::uint64_t number = 0;
    mysql::FileDescriptor client;
    ClientOrigin origin;
  };
  void begin_next();
  void begin_next_soon();
  bool make_room();
  void turn_waiting_away();
  void prepare_more();
  void queue_all();
  void tick();
  Session* find(std::uint64_t number);
  Session::Home home();

  SessionTerms* terms_;
  std::size_t half_open_limit_;
  EventLoop loop_;
  BufferPool pool_;
  std::map<std::uint64_t, std::unique_ptr<Session>> sessions_;
  std::set<std::uint64_t> half_open_;
  std::deque<Waiting> waiting_;
  /// What sessions do ahead of a hold, in turn.
  struct Preparation {
    std::function<void(Session&)> begin;
    std::deque<std::uint64_t> waiting;
    std::vector<std::uint64_t> begun;  ///< and not ended when last looked at
  } preparation_;
  std::atomic<std::size_t> preparing_{0};
  std::deque<std::unique_ptr<Side>> retired_;
  std::atomic<std::size_t> open_{0};
  std::atomic<std::size_t> waiting_count_{0};  ///< with those that are adopted and not in `waiting_` yet
  std::jthread thread_;
};

}  // namespace reseal::proxy

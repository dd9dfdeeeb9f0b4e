// SPDX-License-Identifier: Apache-2.0
#include "proxy/worker.hpp"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <future>
#include <utility>

#include "base/failure.hpp"

namespace reseal::proxy {
namespace {

constexpr int tick_ms = 250;
constexpr std::size_t prepared_at_once = 2;
// Connections that sessions have left; to end one costs its server 0.3 ms, which clients would wait for in a switch.
constexpr std::size_t closed_at_a_tick = 50;

}  // namespace

Worker::Worker(SessionTerms& terms, std::size_t half_open_limit)
    : terms_(&terms), half_open_limit_(half_open_limit), thread_([this] { run(); }) {}

Worker::~Worker() {
  loop_.post([this] { loop_.stop(); });
  thread_.join();
}

void Worker::run() {
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  loop_.run(tick_ms, [this] { tick(); });
  for (auto& [number, session] : sessions_) session->end();
  for (auto& side : retired_) side->close();
}

// What a session's ends do comes later, by the loop, and looks the session up again: it may be gone by then.
Session::Home Worker::home() {
  return {*terms_, loop_, pool_,
          [this](Session& session) {
            loop_.post([this, number = session.number()] {
              half_open_.erase(number);
              if (sessions_.erase(number) > 0) {
                --open_;
                --terms_->counters.open;
              }
              begin_next();
            });
          },
          [this](Session& session) {
            half_open_.erase(session.number());
            begin_next_soon();
          },
          [this](Session&) { begin_next_soon(); },
          [this](Session& session) {
            loop_.post([this, number = session.number()] {
              if (auto* const found = find(number)) found->advance();
              prepare_more();
            });
          },
          // Closed by a tick: in the events at hand it may still be spoken of.
          [this](std::unique_ptr<Side> side) { retired_.push_back(std::move(side)); }};
}

Session* Worker::find(std::uint64_t number) {
  const auto found = sessions_.find(number);
  return found == sessions_.end() ? nullptr : found->second.get();
}

void Worker::adopt(std::uint64_t number, mysql::FileDescriptor client, ClientOrigin origin) {
  ++open_;
  ++waiting_count_;
  ++terms_->counters.open;
  // A std::function wants to be copied, a descriptor does not.
  auto shared = std::make_shared<Waiting>(Waiting{number, std::move(client), std::move(origin)});
  loop_.post([this, shared] {
    waiting_.push_back(std::move(*shared));
    begin_next();
  });
}

void Worker::begin_next() {
  while (!waiting_.empty() && make_room()) {
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    --waiting_count_;
    half_open_.insert(next.number);
    auto session = std::make_unique<Session>(home(), next.number, std::move(next.client), std::move(next.origin));
    auto& begun = *sessions_.emplace(next.number, std::move(session)).first->second;
    begun.start();
  }
}

// By the loop: what makes room is told from within a session.
void Worker::begin_next_soon() {
  if (!waiting_.empty()) loop_.post([this] { begin_next(); });
}

// False when there is none, and no session that may be ended for it. The server greets or refuses, or its time is over,
// so there is some again before long.
bool Worker::make_room() {
  if (half_open_.size() < half_open_limit_) return true;
  const auto chosen = std::find_if(half_open_.begin(), half_open_.end(), [this](auto number) {
    const auto* const session = find(number);
    return session == nullptr || session->may_give_way();
  });
  if (chosen == half_open_.end()) return false;
  auto* const session = find(*chosen);
  half_open_.erase(chosen);
  if (session != nullptr) session->end();
  return true;
}

void Worker::turn_waiting_away() {
  open_ -= waiting_.size();
  waiting_count_ -= waiting_.size();
  terms_->counters.open -= waiting_.size();
  waiting_.clear();
}

void Worker::tick() {
  const auto now = Session::Clock::now();
  for (auto& [number, session] : sessions_) session->tick(now);
  begin_next();
  prepare_more();
  for (std::size_t i = 0; i < closed_at_a_tick && !retired_.empty() && !terms_->gate.holding(); ++i) {
    retired_.front()->close();
    retired_.pop_front();
  }
}

void Worker::drain() {
  loop_.post([this] {
    turn_waiting_away();
    for (auto& [number, session] : sessions_) session->drain();
  });
}

void Worker::end_all() {
  loop_.post([this] {
    turn_waiting_away();
    for (auto& [number, session] : sessions_) session->end();
  });
}

HoldCounts Worker::look_at_gate() {
  std::promise<HoldCounts> promise;
  loop_.post([this, &promise] {
    if (!terms_->gate.holding()) preparation_.waiting.clear();
    HoldCounts counts;
    for (auto& [number, session] : sessions_) {
      session->gate_changed();
      session->count_into(counts);
    }
    promise.set_value(counts);
  });
  return promise.get_future().get();
}

void Worker::prepare(Where to, std::shared_ptr<const VariableNames> names) {
  ++preparing_;  // until the sessions are counted
  loop_.post([this, to, names = std::move(names)] {
    preparation_.begin = [to, names](Session& session) { session.prepare_move(to, *names); };
    queue_all();
  });
}

std::vector<std::uint32_t> Worker::mark_idle(Where to, std::uint64_t look) {
  std::promise<std::vector<std::uint32_t>> promise;
  loop_.post([this, to, look, &promise] {
    std::vector<std::uint32_t> ids;
    for (auto& [number, session] : sessions_)
      if (session->mark_idle(to, look)) ids.push_back(session->server_id());
    promise.set_value(std::move(ids));
  });
  return promise.get_future().get();
}

void Worker::look_ahead(std::shared_ptr<const MoveOrder> order) {
  ++preparing_;
  loop_.post([this, order = std::move(order)] {
    preparation_.begin = [order](Session& session) { session.look_ahead(order); };
    queue_all();
  });
}

void Worker::queue_all() {
  preparation_.waiting.clear();
  for (const auto& [number, session] : sessions_) preparation_.waiting.push_back(number);
  prepare_more();
}

void Worker::prepare_more() {
  auto& [begin, waiting, begun] = preparation_;
  const auto busy = [this](auto number) {
    const auto* const session = find(number);
    return session != nullptr && (session->preparing() || session->looking_ahead());
  };
  std::erase_if(begun, [&](auto number) { return !busy(number); });
  while (begun.size() < prepared_at_once && !waiting.empty()) {
    const auto number = waiting.front();
    waiting.pop_front();
    if (auto* const session = find(number)) begin(*session);
    if (busy(number)) begun.push_back(number);
  }
  preparing_ = waiting.size() + begun.size();
}

void Worker::restore(std::shared_ptr<const MoveOrder> order) {
  loop_.post([this, order = std::move(order)] {
    for (auto& [number, session] : sessions_) session->begin_restore(order);
  });
}

void Worker::move(std::shared_ptr<const MoveOrder> order) {
  loop_.post([this, order = std::move(order)] {
    for (auto& [number, session] : sessions_) session->begin_move(order);
  });
}

std::vector<SessionReport> Worker::reports() {
  std::promise<std::vector<SessionReport>> promise;
  loop_.post([this, &promise] {
    std::vector<SessionReport> reports;
    for (const auto& [number, session] : sessions_)
      if (!session->over()) reports.push_back(session->report());
    promise.set_value(std::move(reports));
  });
  return promise.get_future().get();
}

}  // namespace reseal::proxy

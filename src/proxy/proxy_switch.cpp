// SPDX-License-Identifier: Apache-2.0
// What a switch asks of the proxy, and what it does when the lease of one has ended.
#include <thread>
#include <utility>

#include "base/failure.hpp"
#include "proxy/proxy.hpp"

namespace reseal::proxy {

using base::Failure;
using base::FailureKind;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace {

constexpr auto look_again = 1ms;
constexpr auto ask_again = 1s;
constexpr auto move_patience = 30s;
// For logins that have begun before the hold: who has not ended by then is ended.
constexpr auto login_patience = 100ms;

}  // namespace

HoldCounts Proxy::look_at_gate() {
  HoldCounts counts;
  for (const auto& worker : workers_) counts += worker->look_at_gate();
  return counts;
}

Proxy::HoldReport Proxy::hold(std::uint64_t epoch, std::chrono::milliseconds lease,
                              std::chrono::milliseconds patience) {
  const auto began = Clock::now();
  {
    const std::lock_guard lock(gate_mutex_);
    if (epoch_ && *epoch_ != epoch)
      throw Failure(FailureKind::refused, "sessions are held for epoch " + std::to_string(*epoch_));
    epoch_ = epoch;
    lease_end_ = began + lease;
    terms_->gate.hold();
  }
  gate_changed_.notify_all();
  HoldReport report;
  while (true) {
    report.counts = look_at_gate();
    report.took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began);
    report.all_quiet = report.counts.busy == 0;
    if (report.all_quiet || report.took >= patience) return report;
    std::this_thread::sleep_for(look_again);
  }
}

void Proxy::prepare(Where to) {
  if (!options_.target) throw Failure(FailureKind::refused, "the proxy was started without a target");
  const std::lock_guard lock(census_mutex_);
  try {
    const auto names = std::make_shared<const VariableNames>(census_of(to).names());
    for (const auto& worker : workers_) worker->prepare(to, names);
  } catch (const Failure& failure) {
    census_.reset();
    if (failure.kind() != FailureKind::transient) throw;  // the move tries again, and says what becomes of it
  }
}

// The account that asks is logged in before the hold.
Census& Proxy::census_of(Where to) {
  if (!census_ || census_to_ != to) census_.emplace(to == Where::target ? options_.source : *options_.target);
  census_to_ = to;
  return *census_;
}

void Proxy::look_ahead(Where to) {
  if (!options_.target) throw Failure(FailureKind::refused, "the proxy was started without a target");
  const auto look = ++looks_;
  std::vector<std::uint32_t> ids;
  for (const auto& worker : workers_) {
    const auto some = worker->mark_idle(to, look);
    ids.insert(ids.end(), some.begin(), some.end());
  }
  if (ids.empty()) return;
  const std::lock_guard lock(census_mutex_);
  try {
    auto order = std::make_shared<MoveOrder>(census_of(to).order(to, ids));
    order->look = look;
    for (const auto& worker : workers_) worker->look_ahead(order);
  } catch (const Failure& failure) {
    census_.reset();
    if (failure.kind() != FailureKind::transient) throw;
  }
}

MoveOrder Proxy::take_census(Where to) {
  const auto releases = terms_->gate.releases();
  std::vector<std::uint32_t> ids;
  for (const auto& session : sessions())
    if (session.logged_in && !session.asked_about) ids.push_back(session.server_id);
  MoveOrder order;
  order.to = to;
  order.releases = releases;
  if (ids.empty()) return order;
  const std::lock_guard lock(census_mutex_);
  std::string lost;
  for (int tries = 0; tries < 2; ++tries) {  // the connection may have been idle for too long
    try {
      order = census_of(to).order(to, ids);
      order.releases = releases;
      return order;
    } catch (const Failure& failure) {
      census_.reset();
      if (failure.kind() != FailureKind::transient) throw;
      lost = failure.what();
    }
  }
  // A server that is away holds no session that could be asked for; new ones must not wait for it.
  log_->warn("the server that sessions leave cannot be asked for their state, so they are ended: " + lost);
  order.none_because = "the server that it was on is away";
  return order;
}

void Proxy::check_held(std::uint64_t epoch) {
  const std::lock_guard lock(gate_mutex_);
  if (epoch_ != epoch) throw Failure(FailureKind::refused, "nothing is held for epoch " + std::to_string(epoch));
}

void Proxy::restore(std::uint64_t epoch, Where to) {
  const std::lock_guard one_at_a_time(move_mutex_);
  check_held(epoch);
  prepare(to);
  const auto order = std::make_shared<const MoveOrder>(take_census(to));
  if (!order->none_because.empty()) return;  // perhaps it is there again when they move
  for (const auto& worker : workers_) worker->restore(order);
}

Proxy::MoveReport Proxy::move(std::uint64_t epoch, Where to, std::chrono::milliseconds patience, Busy busy) {
  const std::lock_guard one_at_a_time(move_mutex_);
  const auto began = Clock::now();
  check_held(epoch);
  if (const auto counts = look_at_gate(); counts.busy > 0 && busy == Busy::refuse)
    throw Failure(FailureKind::refused, std::to_string(counts.busy) + " sessions are not between two transactions");
  while (look_at_gate().logging_in > 0 && Clock::now() - began < login_patience)
    std::this_thread::sleep_for(look_again);
  const auto& counters = terms_->counters;
  const auto moved = counters.moved.load();
  const auto closed = counters.not_moved.load();
  const auto order = std::make_shared<const MoveOrder>(take_census(to));
  terms_->gate.serve(to);
  for (const auto& worker : workers_) worker->move(order);
  MoveReport report;
  while (true) {
    report.under_way = look_at_gate().moving;
    report.took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began);
    if (report.under_way == 0 || report.took >= patience) break;
    std::this_thread::sleep_for(look_again);
  }
  report.moved = counters.moved - moved;
  report.closed = counters.not_moved - closed;
  return report;
}

Proxy::HoldReport Proxy::release(std::uint64_t epoch) {
  const auto began = Clock::now();
  {
    const std::lock_guard lock(gate_mutex_);
    if (epoch_ != epoch) throw Failure(FailureKind::refused, "nothing is held for epoch " + std::to_string(epoch));
    epoch_.reset();
    terms_->gate.release();
  }
  gate_changed_.notify_all();
  HoldReport report;
  report.counts = look_at_gate();
  report.took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began);
  return report;
}

void Proxy::watch_lease(const std::stop_token& stop) {
  std::unique_lock lock(gate_mutex_);
  while (!stop.stop_requested()) {
    if (!epoch_) {
      gate_changed_.wait(lock, stop, [this] { return epoch_.has_value(); });
      continue;
    }
    const auto seen = lease_end_;
    gate_changed_.wait_until(lock, stop, seen, [&] { return !epoch_ || lease_end_ != seen; });
    if (epoch_ && lease_end_ == seen && !stop.stop_requested()) lease_ended(lock);
  }
}

void Proxy::lease_ended(std::unique_lock<std::mutex>& lock) {
  const auto epoch = *epoch_;
  log_->warn("the lease of epoch " + std::to_string(epoch) + " has ended without a word; asking who serves");
  lock.unlock();
  const auto decision = options_.ask_decision ? options_.ask_decision(epoch) : Decision::unknown;
  lock.lock();
  if (epoch_ != epoch) return;
  if (decision == Decision::source || (decision == Decision::target && options_.target)) {
    const auto serves = decision == Decision::source ? Where::source : Where::target;
    const std::string name = serves == Where::source ? "source" : "target";
    lock.unlock();
    try {
      if (terms_->gate.serving() != serves) move(epoch, serves, move_patience, Busy::end);
      release(epoch);
      log_->warn("the " + name + " serves: sessions go on there");
    } catch (const Failure& failure) {
      log_->error("the " + name + " serves, but sessions could not be moved: " + failure.what());
    }
    lock.lock();
    if (epoch_ != epoch) return;
  }
  // Held sessions stay held: where they are they could only fail, and to guess is not allowed.
  lease_end_ = Clock::now() + ask_again;
}

}  // namespace reseal::proxy

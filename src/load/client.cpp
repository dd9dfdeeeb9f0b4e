// SPDX-License-Identifier: Apache-2.0
#include "load/client.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "base/failure.hpp"
#include "load/operation_statements.hpp"
#include "load/prepare.hpp"

namespace reseal::load {
namespace {

using base::Failure;
using base::FailureKind;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(steady_clock::now().time_since_epoch()).count());
}

/// Thrown when a statement found other rows than the client left behind.
constexpr unsigned unexpected_rows = 0;

}  // namespace

// Error numbers: MySQL manual, "Server Error Message Reference" and "Client Error Message Reference".
bool commit_refused(unsigned code) {
  switch (code) {
    case 1205:  // ER_LOCK_WAIT_TIMEOUT
    case 1213:  // ER_LOCK_DEADLOCK
    case 3101:  // ER_TRANSACTION_ROLLBACK_DURING_COMMIT
      return true;
    default:
      return writes_refused(code);
  }
}

bool connection_lost(unsigned code) {
  switch (code) {
    case 1053:  // ER_SERVER_SHUTDOWN
    case 1152:  // ER_ABORTING_CONNECTION
    case 1184:  // ER_NEW_ABORTING_CONNECTION
    case 1927:  // ER_CONNECTION_KILLED, as MariaDB's client reports it
    case 3169:  // ER_SESSION_WAS_KILLED
    case 4031:  // ER_CLIENT_INTERACTION_TIMEOUT
      return true;
    default:
      return code >= 2000 && code < 3000;  // the client library's own
  }
}

bool writes_refused(unsigned code) {
  switch (code) {
    case 1290:  // ER_OPTION_PREVENTS_STATEMENT: --read-only, --super-read-only
    case 1792:  // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
    case 1836:  // ER_READ_ONLY_MODE
      return true;
    default:
      return false;
  }
}

void ClientReport::add(const ClientReport& other) {
  ops_ok += other.ops_ok;
  ops_error += other.ops_error;
  ops_unknown += other.ops_unknown;
  connects_failed += other.connects_failed;
  writes_refused += other.writes_refused;
  connections_lost += other.connections_lost;
  longest_stall_ms = std::max(longest_stall_ms, other.longest_stall_ms);
  longest_wait_ms = std::max(longest_wait_ms, other.longest_wait_ms);
  for (const auto& [code, count] : other.errors_by_code) errors_by_code[code] += count;
}

std::uint64_t ClientReport::unexpected_errors() const {
  std::uint64_t count = 0;
  for (const auto& [code, times] : errors_by_code)
    if (code != "1205" && code != "1213") count += times;
  return count;
}

Client::Client(ClientKey key, const Dimensions& dimensions, const Serving& serving, OperationLogWriter& log,
               const Options& options)
    : serving_(serving), log_(log), options_(options), model_(key, dimensions), random_(mix(key.value())) {}

ClientReport Client::run(std::stop_token stop) {
  last_ack_ = steady_clock::now();
  auto next = steady_clock::now();
  auto back_off = 20ms;
  while (!stop.stop_requested() && seq_ < OpId::max_seq) {
    if (session_ || connect()) {
      const auto turn = round(stop);
      if (turn == Turn::done) {
        back_off = 20ms;
        next = std::max(next + options_.pace, steady_clock::now() - options_.pace);
        if (next > steady_clock::now()) pause(next - steady_clock::now(), stop);
        continue;
      }
      ++attempt_;
      ++(turn == Turn::refused ? report_.writes_refused : report_.connections_lost);
      disconnect();
    }
    pause(back_off, stop);
    back_off = std::min(back_off * 2, 200ms);
  }
  note_gap();
  disconnect();
  log_.end();
  return report_;
}

bool Client::connect() {
  try {
    session_.emplace(open_shop(serving_.endpoint(attempt_), options_.schema, options_.timeout));
    // Applications differ in isolation, and the locks a move meets differ with it.
    if (model_.client().client() % 2 == 1) session_->execute("SET SESSION transaction_isolation = 'READ-COMMITTED'");
    return true;
  } catch (const Failure& failure) {
    ++report_.connects_failed;
    ++report_.errors_by_code[failure.server_errno() == 0 ? "where_file" : std::to_string(failure.server_errno())];
    ++attempt_;
    disconnect();
    return false;
  }
}

void Client::look_up() {
  execute("BEGIN");
  looked_up_.reset();
  if (!unknown_.empty()) looked_up_ = model_;
  found_.clear();
  for (const auto& operation : unknown_) {
    const auto rows =
        query("SELECT 1 FROM ledger WHERE op_id = " + std::to_string(operation.id.value()) + " FOR SHARE");
    found_.push_back(!rows.empty());
    if (!rows.empty()) looked_up_->apply(operation);
  }
  const auto counter = query("SELECT seq FROM counters WHERE client = " + std::to_string(model_.client().value()));
  seen_seq_ = counter.empty() ? 0 : std::stoull(counter[0][0].value_or("0"));
}

Client::Turn Client::round(std::stop_token stop) {
  try {
    look_up();
  } catch (const Failure& failure) {
    // Nothing of an operation was sent yet.
    ++report_.errors_by_code[std::to_string(failure.server_errno())];
    return Turn::turned_away;
  }
  auto operation = state().next(random_, ++seq_);
  operation.retry_of = failed_op_;
  failed_op_ = OpId();
  log_.intent(operation, now_ns());
  bool commit_sent = false;
  try {
    send(operation, stop);
    commit_sent = true;
    execute("COMMIT");
  } catch (const Failure& failure) {
    const auto code = failure.server_errno();
    failed(operation, code, commit_sent);
    if (writes_refused(code)) return Turn::refused;
    if (connection_lost(code)) return Turn::turned_away;
    try {
      execute("ROLLBACK");
    } catch (const Failure&) {
      return Turn::turned_away;
    }
    return Turn::done;
  }
  acknowledged(operation);
  return Turn::done;
}

void Client::send(const Operation& operation, std::stop_token stop) {
  for (const auto& step : operation_steps(operation, state())) {
    const auto effect = execute(step.statement);
    if (step.rows && effect.affected_rows != *step.rows)
      throw Failure(FailureKind::divergence, "the server holds other rows than this client left", unexpected_rows);
  }
  // Some applications think between their last statement and COMMIT.
  if (random_() % 100 == 0) pause(std::chrono::milliseconds(random_() % 50), stop);
}

void Client::acknowledged(const Operation& operation) {
  log_.outcome(operation.id, {Verdict::ok, 0, now_ns(), seen_seq_});
  for (std::size_t i = 0; i < unknown_.size(); ++i) log_.resolved(unknown_[i].id, found_[i]);
  unknown_.clear();
  if (looked_up_) model_ = std::move(*looked_up_);
  looked_up_.reset();
  model_.apply(operation);
  ++report_.ops_ok;
  note_gap();
}

void Client::failed(const Operation& operation, unsigned code, bool commit_sent) {
  const bool unknown = commit_sent && !commit_refused(code);
  log_.outcome(operation.id,
               {unknown ? Verdict::unknown : Verdict::error, static_cast<std::uint16_t>(code), now_ns(), seen_seq_});
  ++report_.errors_by_code[code == unexpected_rows ? "unexpected_rows" : std::to_string(code)];
  if (unknown) {
    unknown_.push_back(operation);
    ++report_.ops_unknown;
  } else {
    failed_op_ = operation.id;
    ++report_.ops_error;
  }
}

mysql::Effect Client::execute(const std::string& statement) {
  const auto sent = steady_clock::now();
  const auto effect = session_->execute(statement);
  note_wait(sent);
  return effect;
}

std::vector<mysql::Row> Client::query(const std::string& statement) {
  const auto sent = steady_clock::now();
  auto rows = session_->query(statement);
  note_wait(sent);
  return rows;
}

void Client::note_wait(steady_clock::time_point sent) {
  const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - sent).count();
  report_.longest_wait_ms = std::max(report_.longest_wait_ms, static_cast<std::uint64_t>(wait));
}

void Client::note_gap() {
  const auto now = steady_clock::now();
  const auto gap = std::chrono::duration_cast<std::chrono::milliseconds>(now - last_ack_).count();
  report_.longest_stall_ms = std::max(report_.longest_stall_ms, static_cast<std::uint64_t>(gap));
  last_ack_ = now;
}

void Client::pause(std::chrono::nanoseconds time, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any wakened;
  std::unique_lock lock(mutex);
  wakened.wait_for(lock, stop, time, [] { return false; });
}

}  // namespace reseal::load

// SPDX-License-Identifier: Apache-2.0
//
// N connections to one server, each a thread that does short read-write transactions, or nothing.
//
//   bench_clients OPTION_FILE CONNECTIONS PAUSE_MS TABLE_ROWS FIRST_CLIENT ACKNOWLEDGED_FILE
//   bench_clients OPTION_FILE CONNECTIONS idle
//
// Prints "ready" once all are logged in. Each line on standard input is answered with one JSON object: what happened
// since the line before. At the end of the input the clients stop, and the rows that were acknowledged are written to
// the file, "client number" in each line. Clients are numbered from FIRST_CLIENT on.
//
// A transaction reads and changes a row of bench.sbtest1 and adds a row to bench.ledger. Its wait begins when the
// client wants it and ends with the answer to COMMIT. What fails is done anew, under another number and with a new
// connection if need be, and the wait goes on meanwhile: that is what a user of the client would see.
#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <deque>
#include <fstream>
#include <iostream>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/failure.hpp"
#include "mysql/option_file.hpp"
#include "mysql/session.hpp"

namespace reseal::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds before_another_try{2};
constexpr Clock::time_point never{};

struct Work {
  mysql::Endpoint endpoint;
  milliseconds pause{0};
  unsigned table_rows = 0;
  unsigned first_client = 0;
};

/// What happened since the last look. Any thread.
class Tally {
 public:
  void waited(Clock::duration time) {
    const std::lock_guard lock(mutex_);
    waits_ms_.push_back(std::chrono::duration<double, std::milli>(time).count());
  }
  void failed(const base::Failure& failure, bool connected);
  /// As JSON. `pending_ms` is the longest wait that has not ended yet; it counts for the longest.
  std::string take(double pending_ms);

 private:
  std::mutex mutex_;
  std::vector<double> waits_ms_;
  unsigned conflicts_ = 0, errors_ = 0, dropped_ = 0, refused_ = 0;
  std::string last_error_;
};

// Deadlocks and lock waits are what concurrent writers run into, with and without a switch.
bool is_conflict(unsigned error) { return error == 1213 || error == 1205; }

bool connection_is_lost(unsigned error) {
  constexpr unsigned ends[] = {1053, 1927, 2006, 2013, 2026, 2055, 4031};
  return std::find(std::begin(ends), std::end(ends), error) != std::end(ends);
}

void Tally::failed(const base::Failure& failure, bool connected) {
  const std::lock_guard lock(mutex_);
  if (is_conflict(failure.server_errno())) {
    ++conflicts_;
    return;
  }
  auto& count = !connected ? refused_ : connection_is_lost(failure.server_errno()) ? dropped_ : errors_;
  ++count;
  last_error_ = failure.what();
}

/// Of the waits in order: the one that so many percent of them do not exceed.
double percentile(const std::vector<double>& waits, std::size_t percent) {
  return waits.empty() ? 0 : waits[(waits.size() - 1) * percent / 100];
}

std::string Tally::take(double pending_ms) {
  const std::lock_guard lock(mutex_);
  std::sort(waits_ms_.begin(), waits_ms_.end());
  std::string quoted;
  for (const char c : last_error_) quoted += c == '"' || c == '\\' || c == '\n' ? ' ' : c;
  std::vector<char> text(400 + quoted.size());
  const auto size = std::snprintf(
      text.data(), text.size(),
      R"({"transactions":%zu,"median_ms":%.2f,"p99_ms":%.2f,"longest_ms":%.2f,"conflicts":%u,"errors":%u,"dropped":%u,"refused":%u,"last_error":"%s"})",
      waits_ms_.size(), percentile(waits_ms_, 50), percentile(waits_ms_, 99),
      std::max(pending_ms, percentile(waits_ms_, 100)), conflicts_, errors_, dropped_, refused_, quoted.c_str());
  waits_ms_.clear();
  conflicts_ = errors_ = dropped_ = refused_ = 0;
  last_error_.clear();
  return {text.data(), static_cast<std::size_t>(size)};
}

class Client {
 public:
  Client(const Work& work, Tally& tally, const std::atomic<bool>& stopping, unsigned number)
      : work_(&work), tally_(&tally), stopping_(&stopping), number_(number), random_(number) {
    connect();
  }

  void run() {
    // Not all of them at once.
    pause(milliseconds(std::uniform_int_distribution<std::int64_t>(0, work_->pause.count())(random_)));
    while (!*stopping_) {
      wanted_ = Clock::now();
      while (!try_one() && !*stopping_) std::this_thread::sleep_for(before_another_try);
      if (!*stopping_) tally_->waited(Clock::now() - wanted_.load());
      wanted_ = never;
      pause(work_->pause);
    }
    session_.reset();
  }

  /// How long this client has waited for what it wants now. Any thread.
  double pending_ms() const {
    const auto wanted = wanted_.load();
    return wanted == never ? 0 : std::chrono::duration<double, std::milli>(Clock::now() - wanted).count();
  }

  unsigned number() const { return number_; }
  const std::vector<unsigned>& acknowledged() const { return acknowledged_; }

 private:
  void connect() { session_.emplace(work_->endpoint, mysql::Side::source, std::chrono::seconds(30)); }

  void pause(milliseconds time) const {
    const auto end = Clock::now() + time;
    while (!*stopping_ && Clock::now() < end)
      std::this_thread::sleep_for(std::min<Clock::duration>(end - Clock::now(), milliseconds(100)));
  }

  bool try_one() {
    const bool connected = session_.has_value();
    try {
      if (!connected) connect();
      transaction(++last_);
      acknowledged_.push_back(last_);
      return true;
    } catch (const base::Failure& failure) {
      if (*stopping_) return false;
      tally_->failed(failure, session_.has_value());
      give_up(failure.server_errno());
      return false;
    }
  }

  void give_up(unsigned error) {
    if (!session_) return;
    try {
      if (connection_is_lost(error)) {
        session_.reset();
      } else {
        session_->execute("ROLLBACK");
      }
    } catch (const base::Failure&) {
      session_.reset();
    }
  }

  void transaction(unsigned number) {
    const auto id = std::to_string(std::uniform_int_distribution<unsigned>(1, work_->table_rows)(random_));
    session_->execute("BEGIN");
    session_->query("SELECT k, c, pad FROM bench.sbtest1 WHERE id=" + id);
    session_->execute("UPDATE bench.sbtest1 SET k=k+1 WHERE id=" + id);
    session_->execute("INSERT INTO bench.ledger (client, number) VALUES (" + std::to_string(number_) + ", " +
                      std::to_string(number) + ")");
    session_->execute("COMMIT");
  }

  const Work* work_;
  Tally* tally_;
  const std::atomic<bool>* stopping_;
  unsigned number_;
  unsigned last_ = 0;
  std::atomic<Clock::time_point> wanted_ = never;
  std::mt19937 random_;
  std::optional<mysql::Session> session_;
  std::vector<unsigned> acknowledged_;
};

void write_acknowledged(const std::string& path, const std::deque<Client>& clients) {
  std::ofstream file(path);
  for (const auto& client : clients)
    for (const auto number : client.acknowledged()) file << client.number() << '\t' << number << '\n';
  if (!file.flush()) throw base::Failure(base::FailureKind::local, "cannot write " + path);
}

double longest_pending_ms(const std::deque<Client>& clients) {
  double longest = 0;
  for (const auto& client : clients) longest = std::max(longest, client.pending_ms());
  return longest;
}

void work(const Work& work, unsigned connections, const std::string& acknowledged_path) {
  Tally tally;
  std::atomic<bool> stopping = false;
  std::deque<Client> clients;
  for (unsigned i = 0; i < connections; ++i) clients.emplace_back(work, tally, stopping, work.first_client + i);
  {
    std::vector<std::jthread> threads;
    for (auto& client : clients) threads.emplace_back([&client] { client.run(); });
    std::cout << "ready" << std::endl;
    for (std::string line; std::getline(std::cin, line);)
      std::cout << tally.take(longest_pending_ms(clients)) << std::endl;
    stopping = true;
  }
  write_acknowledged(acknowledged_path, clients);
}

void idle(const mysql::Endpoint& endpoint, unsigned connections) {
  std::vector<mysql::Session> sessions;
  for (unsigned i = 0; i < connections; ++i)
    sessions.emplace_back(endpoint, mysql::Side::source, std::chrono::seconds(30));
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) continue;
}

unsigned number(const std::string& text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw base::Failure(base::FailureKind::usage, "not a number: " + text);
  return value;
}

void run(const std::vector<std::string>& arguments) {
  const bool idling = arguments.size() == 3 && arguments[2] == "idle";
  if (!idling && arguments.size() != 6)
    throw base::Failure(
        base::FailureKind::usage,
        "usage: bench_clients OPTION_FILE CONNECTIONS (idle | PAUSE_MS TABLE_ROWS FIRST_CLIENT ACKNOWLEDGED_FILE)");
  const auto endpoint = mysql::read_option_file(arguments[0], {"client"});
  const auto connections = number(arguments[1]);
  if (idling)
    idle(endpoint, connections);
  else
    work({endpoint, milliseconds(number(arguments[2])), number(arguments[3]), number(arguments[4])}, connections,
         arguments[5]);
}

}  // namespace
}  // namespace reseal::bench

int main(int count, char** arguments) {
  try {
    reseal::bench::run({arguments + 1, arguments + count});
    return 0;
  } catch (const reseal::base::Failure& failure) {
    std::cerr << "bench_clients: " << failure.what() << '\n';
    return reseal::base::exit_code(failure.kind());
  }
}

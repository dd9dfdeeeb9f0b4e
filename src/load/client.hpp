// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "load/client_model.hpp"
#include "load/operation_log.hpp"
#include "load/serving.hpp"
#include "mysql/session.hpp"

namespace reseal::load {

/// What a client, or all of them together, met.
struct ClientReport {
  std::uint64_t ops_ok = 0;
  std::uint64_t ops_error = 0;
  std::uint64_t ops_unknown = 0;
  std::uint64_t connects_failed = 0;
  std::uint64_t writes_refused = 0;    ///< by a server that is read-only; the client then connects anew
  std::uint64_t connections_lost = 0;  ///< ended by the other side, or of no use any more
  std::uint64_t longest_stall_ms = 0;  ///< longest time without an acknowledgement, the start and the end included
  std::uint64_t longest_wait_ms = 0;   ///< longest time from a statement to its answer
  std::map<std::string, std::uint64_t> errors_by_code;

  void add(const ClientReport& other);
  /// Errors that an application would not meet, or not expect, on one server that nobody touches: all but deadlocks
  /// and lock waits that took too long.
  std::uint64_t unexpected_errors() const;
};

/// One client of the workload: a thread's worth of transactions, each remembered in the log before it is sent and
/// after it is answered. One thread.
///
/// A round is: BEGIN; look up in the ledger every operation whose answer is unknown, with a locking read, which waits
/// for one that is still under way; choose the operation from the state so known; log the intent; send its statements;
/// COMMIT; log the outcome. What the look-up said is believed, and logged, only when that COMMIT was acknowledged: only
/// then did a server that serves say it.
class Client final {
 public:
  struct Options {
    std::string schema;
    std::chrono::nanoseconds pace{0};  ///< least time between two operations; 0 is as fast as it goes
    std::chrono::seconds timeout{20};  ///< a server that says nothing for so long is taken for lost
  };

  Client(ClientKey key, const Dimensions& dimensions, const Serving& serving, OperationLogWriter& log,
         const Options& options);
  /// Works until `stop`, finishes the operation at hand and ends the log. Server errors never come out; Failure(local)
  /// of the log does.
  ClientReport run(std::stop_token stop);

 private:
  enum class Turn { done, refused, turned_away };

  Turn round(std::stop_token stop);
  /// Begins the transaction and sets `looked_up_` when there are unknown operations.
  void look_up();
  /// The state when every unknown operation is as the server's ledger says.
  ClientModel& state() { return looked_up_ ? *looked_up_ : model_; }
  void send(const Operation& operation, std::stop_token stop);
  void acknowledged(const Operation& operation);
  void failed(const Operation& operation, unsigned code, bool commit_sent);
  /// Executes on the session and notes how long the answer took.
  mysql::Effect execute(const std::string& statement);
  std::vector<mysql::Row> query(const std::string& statement);
  void note_wait(std::chrono::steady_clock::time_point sent);
  bool connect();
  void disconnect() { session_.reset(); }
  void pause(std::chrono::nanoseconds time, std::stop_token stop);
  void note_gap();

  const Serving& serving_;
  OperationLogWriter& log_;
  Options options_;
  ClientModel model_;  ///< all operations whose fate is known
  std::vector<Operation> unknown_;
  std::vector<bool> found_;  ///< of unknown_, in this round
  std::optional<ClientModel> looked_up_;
  std::mt19937_64 random_;
  std::optional<mysql::Session> session_;
  std::uint32_t seq_ = 0;
  std::uint64_t attempt_ = 0;
  std::uint64_t seen_seq_ = 0;
  OpId failed_op_;
  std::chrono::steady_clock::time_point last_ack_;
  ClientReport report_;
};

/// Whether COMMIT answered with this error surely means "not committed".
bool commit_refused(unsigned code);
/// Whether the connection is no more after this error.
bool connection_lost(unsigned code);
/// Whether the server said that it does not take writes (now).
bool writes_refused(unsigned code);

}  // namespace reseal::load

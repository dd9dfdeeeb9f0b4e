// SPDX-License-Identifier: Apache-2.0
#include "seed/clone_run.hpp"

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <thread>

#include "base/failure.hpp"
#include "seed/clone_account.hpp"
#include "seed/clone_rules.hpp"
#include "seed/wait_until.hpp"
#include "sql/quote.hpp"

namespace reseal::seed {
namespace {

using base::Failure;
using base::FailureKind;
using mysql::Session;

// MySQL manual, "Server Error Message Reference".
constexpr unsigned interrupted = 1317;    // ER_QUERY_INTERRUPTED
constexpr unsigned no_supervisor = 3707;  // ER_RESTART_SERVER_FAILED
constexpr auto patience = std::chrono::seconds(10);
constexpr auto for_ever = std::chrono::hours(24 * 365);

/// Beside the thread that waits for the CLONE statement: reads how far it is, and kills it on stop.
class CloneWatch final {
 public:
  CloneWatch(const mysql::Endpoint& recipient, Session& cloning, CloneProgress& progress, std::stop_token stop)
      : endpoint_(recipient),
        cloning_(&cloning),
        progress_(&progress),
        stop_(std::move(stop)),
        thread_([this](const std::stop_token& over) { watch(over); }) {}

 private:
  void watch(const std::stop_token& over) {
    std::unique_lock lock(mutex_);
    while (!over.stop_requested()) {
      look();
      wake_.wait_for(lock, over, std::chrono::milliseconds(200), [] { return false; });
    }
  }

  void look() noexcept {
    try {
      if (!session_) session_.emplace(endpoint_, mysql::Side::target, patience);
      if (stop_.stop_requested()) session_->execute("KILL QUERY " + std::to_string(cloning_->id()));
      note_progress(*session_, *progress_);
    } catch (const std::exception&) {
      // Progress is for the eye only. A stop must take all the same: then we no longer wait for the server.
      session_.reset();
      if (stop_.stop_requested()) cloning_->kill_switch();
    }
  }

  mysql::Endpoint endpoint_;
  Session* cloning_;
  CloneProgress* progress_;
  std::stop_token stop_;
  std::optional<Session> session_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

[[noreturn]] void say_stopped(const mysql::Endpoint& recipient) {
  throw Failure(
      FailureKind::interrupted,
      "stopped while cloning to " + recipient.text() +
          ": the recipient has no data of the donor, and none of its own, as before. Run again to clone anew");
}

}  // namespace

void note_progress(Session& recipient, CloneProgress& progress) {
  const auto row = recipient
                       .query(
                           "SELECT CAST(COALESCE(SUM(DATA),0) AS CHAR), CAST(COALESCE(SUM(ESTIMATE),0) AS CHAR)"
                           " FROM performance_schema.clone_progress")
                       .at(0);
  progress.bytes_done = std::strtoull(row[0].value_or("0").c_str(), nullptr, 10);
  progress.bytes = std::strtoull(row[1].value_or("0").c_str(), nullptr, 10);
}

CloneEnd run_clone(const mysql::Endpoint& recipient, const mysql::Endpoint& donor, const base::Secret& password,
                   CloneProgress& progress, const std::stop_token& stop) {
  Session session(recipient, mysql::Side::target);
  const auto place = donor.host + ":" + std::to_string(donor.port);
  session.execute("SET GLOBAL clone_valid_donor_list=" + sql::quote_text(place));
  const base::Secret statement("CLONE INSTANCE FROM " + sql::quote_text(clone_user) + "@" +
                               sql::quote_text(donor.host) + ":" + std::to_string(donor.port) + " IDENTIFIED BY " +
                               sql::quote_text(password.reveal()) + " REQUIRE SSL");
  const auto what = "cloning " + place + " to " + recipient.text() +
                    ", which held no user data and may hold a part of the donor's, or none";
  if (stop.stop_requested()) say_stopped(recipient);
  try {
    const CloneWatch watch(recipient, session, progress, stop);
    execute_secret(session, statement, what);
    return CloneEnd::restarts;
  } catch (const Failure& failure) {
    if (failure.server_errno() == no_supervisor) return CloneEnd::stays_down;
    if (failure.server_errno() == interrupted || (stop.stop_requested() && failure.kind() == FailureKind::transient))
      say_stopped(recipient);
    if (failure.kind() == FailureKind::transient) return CloneEnd::not_known;
    throw;
  }
}

void await_running_clone(const mysql::Endpoint& recipient, CloneProgress& progress, const std::stop_token& stop) {
  Session session(recipient, mysql::Side::target, std::chrono::seconds(60));
  const auto ended = [&] {
    try {
      note_progress(session, progress);
      return !clone_runs(session);
    } catch (const Failure& failure) {
      if (failure.kind() == FailureKind::transient) return true;  // it goes down once all is copied
      throw;
    }
  };
  wait_until(ended, for_ever, stop, "the clone that an earlier process began on " + recipient.text());
}

}  // namespace reseal::seed

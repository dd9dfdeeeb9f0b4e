// SPDX-License-Identifier: Apache-2.0
#include "sandbox/rds/caretaker.hpp"

#include <algorithm>
#include <condition_variable>
#include <set>

#include "base/failure.hpp"
#include "sql/quote.hpp"

namespace reseal::sandbox::rds {
namespace {

using sql::quote_text;
using Clock = std::chrono::steady_clock;

}  // namespace

Caretaker::Caretaker(ControlPlane& plane, CaretakerOptions options, base::Log& log)
    : plane_(&plane), options_(options), log_(&log), thread_([this](const std::stop_token& stop) {
        std::mutex mutex;
        std::condition_variable_any wake;
        std::unique_lock lock(mutex);
        while (!stop.stop_requested()) {
          const auto all = plane_->served();
          std::set<std::string> names;
          for (const auto& served : all) names.insert(served.resource_id);
          std::erase_if(sessions_, [&](const auto& entry) { return !names.contains(entry.first); });
          for (const auto& served : all) {
            if (stop.stop_requested()) return;
            look(served);
          }
          wake.wait_for(lock, stop, options_.heartbeat, [] { return false; });
        }
      }) {}

Caretaker::Kept& Caretaker::kept(const ControlPlane::Served& served) {
  const auto found = sessions_.find(served.resource_id);
  if (found != sessions_.end()) return found->second;
  Kept made{admin_session(plane_->accounts(), served.folder, std::chrono::seconds(10)), Clock::now()};
  made.session.execute("SET SESSION sql_log_bin = 1");
  return sessions_.emplace(served.resource_id, std::move(made)).first->second;
}

void Caretaker::look(const ControlPlane::Served& served) {
  try {
    auto& [session, rotated] = kept(served);
    if (served.replica)
      plane_->note_replication(served.resource_id, replication_state(session));
    else
      session.execute(
          "INSERT INTO mysql.rds_heartbeat2 VALUES (1, CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS UNSIGNED)) AS beat "
          "ON DUPLICATE KEY UPDATE value = beat.value");
    seal(session, served);
    if (served.logs && Clock::now() - rotated >= options_.log_rotation) {
      rotated = Clock::now();
      rotate(session, served);
    }
  } catch (const base::Failure& failure) {
    // A server that restarts is met again; a job tells of one that does not come up.
    log_->debug(std::string("sandbox: caretaker: ") + failure.what());
    sessions_.erase(served.resource_id);
  }
}

// RDS encrypts the volume under a server. Here, what comes plain into an encrypted one, such as a schema by replication
// from a plain source, is encrypted as soon as it is seen.
void Caretaker::seal(mysql::Session& session, const ControlPlane::Served& served) {
  const auto plain = session.scalar(
      "SELECT COUNT(*) FROM information_schema.INNODB_TABLESPACES WHERE @@GLOBAL.default_table_encryption "
      "AND encryption = 'N' AND space_type IN ('Single', 'General')");
  if (plain == "0") return;
  auto own = admin_session(plane_->accounts(), served.folder, std::chrono::seconds(60));
  own.execute("SET SESSION lock_wait_timeout = 5");
  encrypt_tablespaces(own, [](int) {});
}

void Caretaker::rotate(mysql::Session& session, const ControlPlane::Served& served) {
  session.execute("FLUSH BINARY LOGS");
  const auto hours =
      session.query("SELECT value FROM mysql.rds_configuration WHERE name = 'binlog retention hours'").at(0).at(0);
  if (hours) {
    session.execute("PURGE BINARY LOGS BEFORE NOW() - INTERVAL " + std::to_string(std::stoi(*hours)) + " HOUR");
    return;
  }
  const auto logs = session.query("SHOW BINARY LOGS");
  auto oldest_needed = logs.back()[0].value_or("");
  for (const auto& needed : served.needed_logs) oldest_needed = std::min(oldest_needed, needed);
  if (!oldest_needed.empty()) session.execute("PURGE BINARY LOGS TO " + quote_text(oldest_needed));
}

}  // namespace reseal::sandbox::rds

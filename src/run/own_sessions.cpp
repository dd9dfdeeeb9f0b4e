// SPDX-License-Identifier: Apache-2.0
#include "run/own_sessions.hpp"

#include <chrono>
#include <thread>

#include "base/failure.hpp"
#include "sql/quote.hpp"

namespace reseal::run {
namespace {

using base::Failure;
using base::FailureKind;

constexpr unsigned no_such_thread = 1094;  // ER_NO_SUCH_THREAD
constexpr auto patience = std::chrono::seconds(60);
constexpr auto look_again = std::chrono::milliseconds(20);

/// Ends what `query` lists until it lists nothing.
void end_all(mysql::Session& server, const std::string& query) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (true) {
    const auto rows = server.query(query);
    if (rows.empty()) return;
    if (std::chrono::steady_clock::now() > until)
      throw Failure(FailureKind::transient, "sessions of an earlier reseal do not end on " + server.endpoint().text());
    for (const auto& row : rows) {
      try {
        server.execute("KILL CONNECTION " + row[0].value_or("0"));
      } catch (const Failure& failure) {
        if (failure.server_errno() != no_such_thread) throw;
      }
    }
    std::this_thread::sleep_for(look_again);
  }
}

}  // namespace

void end_other_sessions(mysql::Session& server, const std::string& run_id, const std::string& keep) {
  end_all(server,
          "SELECT run.PROCESSLIST_ID FROM performance_schema.session_connect_attrs run"
          " JOIN performance_schema.session_connect_attrs process USING (PROCESSLIST_ID)"
          " WHERE run.ATTR_NAME='reseal_run' AND run.ATTR_VALUE=" +
              sql::quote_text(run_id) + " AND process.ATTR_NAME='reseal_process' AND process.ATTR_VALUE<>" +
              sql::quote_text(keep));
}

void end_lost_session(mysql::Session& server, const std::string& process, const std::string& connection_id) {
  // The number alone does not name it: a server that was restarted counts from the beginning.
  end_all(server,
          "SELECT PROCESSLIST_ID FROM performance_schema.session_connect_attrs WHERE ATTR_NAME='reseal_process'"
          " AND ATTR_VALUE=" +
              sql::quote_text(process) + " AND PROCESSLIST_ID=" + connection_id +
              " AND PROCESSLIST_ID<>CONNECTION_ID()");
}

}  // namespace reseal::run

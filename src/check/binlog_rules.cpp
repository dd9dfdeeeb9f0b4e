// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "check/rules.hpp"

namespace reseal::check {
namespace {

// A variable that a server no longer has is taken at the only behaviour that was left: rows, in order.
constexpr std::array<WantedValue, 5> wanted_values = {{
    {"binlog_format", "ROW", Severity::blocker, "binlog-format", true,
     "a statement gives other rows when it is run again elsewhere; only row events can be followed exactly",
     "SET PERSIST binlog_format=ROW; then end the sessions that are older"},
    {"binlog_order_commits", "ON", Severity::blocker, "binlog-order-commits", true,
     "rows may become visible in another order than the binary log says, so a copied chunk cannot be placed in it",
     "SET PERSIST binlog_order_commits=ON"},
    {"sync_binlog", "1", Severity::warning, "sync-binlog", false,
     "after a crash of the source its binary log may be shorter than what was already applied; the run is given up "
     "then",
     "SET PERSIST sync_binlog=1"},
    {"innodb_flush_log_at_trx_commit", "1", Severity::warning, "flush-log-at-commit", false,
     "after a crash of the source it may have lost transactions that were already applied; the run is given up then",
     "SET PERSIST innodb_flush_log_at_trx_commit=1"},
    {"enforce_gtid_consistency", "ON", Severity::note, "gtid-consistency", true,
     "statements that GTIDs cannot name are possible; they are followed by binary log position", ""},
}};

void row_image(const SourceState& source, Findings& findings) {
  const auto image = source.server.variable("binlog_row_image").value_or("FULL");
  const auto options = source.server.variable("binlog_row_value_options").value_or("");
  const bool partial_json = options.find("PARTIAL_JSON") != std::string::npos;
  if (image == "FULL") {
    if (partial_json)
      findings.push_back({Severity::note, "partial-json-full", Where::source, "binlog_row_value_options",
                          "changes of JSON documents are logged as differences",
                          "they are applied to the full image before the change, which this server logs", ""});
    return;
  }
  if (partial_json) {
    findings.push_back({Severity::blocker, "partial-json", Where::source, "binlog_row_image",
                        "binlog_row_image is " + image + " while JSON changes are logged as differences",
                        "a difference can only be applied to a full image of the row before the change",
                        "SET PERSIST binlog_row_value_options='' or SET PERSIST binlog_row_image=FULL"});
    return;
  }
  findings.push_back({Severity::warning, "row-image", Where::source, "binlog_row_image", "binlog_row_image is " + image,
                      "rows are then found by their key only, so a divergence shows later, at the verification",
                      "SET PERSIST binlog_row_image=FULL"});
}

void living_sessions(const SourceState& source, Findings& findings) {
  if (source.server.is("performance_schema", "OFF"))
    findings.push_back({Severity::warning, "sessions-not-seen", Where::source, "performance_schema",
                        "performance_schema is OFF, so the settings of living sessions cannot be seen",
                        "a session may still log statements; the first such write would end the run",
                        "restart the applications' sessions after binlog_format was set to ROW"});
  for (const auto& session : source.sessions) {
    const auto subject = fmt::format("session {} of {}", session.session, session.account);
    const auto what = fmt::format("its {} is {}", session.variable, session.value.empty() ? "empty" : session.value);
    const auto mend = fmt::format("KILL {}", session.session);
    if (session.variable == "binlog_format")
      findings.push_back({Severity::blocker, "session-binlog-format", Where::source, subject, what,
                          "a session keeps the format it started with, and its statements cannot be followed", mend});
    else if (session.variable == "sql_log_bin")
      findings.push_back({Severity::warning, "session-log-bin-off", Where::source, subject, what,
                          "what it writes is in no binary log: only the full verification finds it", mend});
    else
      findings.push_back({Severity::warning, "session-row-image", Where::source, subject, what,
                          "a session keeps the setting it started with; its rows are logged incompletely", mend});
  }
}

/// Seconds the server keeps its binary log; nothing when it never purges by itself.
std::optional<std::uint64_t> retention_seconds(const ServerState& server) {
  if (server.is("binlog_expire_logs_auto_purge", "OFF")) return std::nullopt;
  const auto seconds = server.number("binlog_expire_logs_seconds").value_or(0);
  if (seconds > 0) return seconds;
  const auto days = server.number("expire_logs_days").value_or(0);
  if (days > 0) return days * 86400;
  return std::nullopt;
}

void retention(const CheckRequest& request, const SourceState& source, Findings& findings) {
  const auto kept = retention_seconds(source.server);
  const auto needed = 2 * static_cast<std::uint64_t>(estimated_duration(request, source).count());
  if (!kept || *kept >= needed) return;
  const bool old = !source.server.variable("binlog_expire_logs_seconds");
  findings.push_back(
      {Severity::blocker, "binlog-retention", Where::source, old ? "expire_logs_days" : "binlog_expire_logs_seconds",
       fmt::format("the binary log is kept for {} s; the move is expected to take up to {} s", *kept, needed / 2),
       "a log that is purged before it was read ends the run, and it has to start again",
       old ? fmt::format("SET GLOBAL expire_logs_days={}", needed / 86400 + 1)
           : fmt::format("SET PERSIST binlog_expire_logs_seconds={}", std::max<std::uint64_t>(needed, 86400))});
}

void gtid(const SourceState& source, Findings& findings) {
  const auto mode = source.server.variable("gtid_mode").value_or("OFF");
  if (mode == "ON") return;
  if (mode == "OFF") {
    findings.push_back({Severity::note, "gtid-off", Where::source, "gtid_mode", "gtid_mode is OFF",
                        "the source is followed by binary log position; a failover of the source ends the run", ""});
    return;
  }
  findings.push_back({Severity::warning, "gtid-permissive", Where::source, "gtid_mode", "gtid_mode is " + mode,
                      "transactions with and without GTID may mix; the source is followed by binary log position and a "
                      "failover of it ends the run",
                      "bring gtid_mode to ON, or leave it as it is until the move is finished"});
}

void filters(const SourceState& source, Findings& findings) {
  if (source.binlog_do_db.empty() && source.binlog_ignore_db.empty()) return;
  findings.push_back({Severity::blocker, "binlog-filter", Where::source, "binlog-do-db, binlog-ignore-db",
                      "the server leaves some schemas out of its binary log: do [" + source.binlog_do_db +
                          "] ignore [" + source.binlog_ignore_db + "]",
                      "changes that are not logged cannot be followed",
                      "remove the options from the server's configuration and restart it"});
}

}  // namespace

void binlog_rules(const CheckRequest& request, const SourceState& source, Findings& findings) {
  if (!source.server.is("log_bin", "ON")) {
    findings.push_back({Severity::blocker, "binlog-off", Where::source, "log_bin", "the server writes no binary log",
                        "without it, changes during the copy cannot be followed",
                        "add log_bin=binlog to the server's configuration and restart it"});
    return;
  }
  if (!request.follows_log) return;
  for (const auto& wanted : wanted_values)
    if (wanted.variable != "enforce_gtid_consistency" || !source.server.is("gtid_mode", "ON"))
      expect(source.server, wanted, findings);
  if (source.server.facts.server_id == 0)
    findings.push_back({Severity::blocker, "server-id", Where::source, "server_id", "server_id is 0",
                        "a server without an id sends its binary log to nobody", "SET PERSIST server_id=1"});
  row_image(source, findings);
  living_sessions(source, findings);
  retention(request, source, findings);
  gtid(source, findings);
  filters(source, findings);
}

}  // namespace reseal::check

// SPDX-License-Identifier: Apache-2.0
#include "follow/native_channel.hpp"

#include <chrono>
#include <sstream>
#include <thread>

#include "base/failure.hpp"
#include "follow/channel_rules.hpp"
#include "mysql/schema_reader.hpp"
#include "sql/quote.hpp"

namespace reseal::follow {

using base::Failure;
using base::FailureKind;

namespace {

constexpr auto standing_patience = std::chrono::seconds(60);
constexpr auto standing_poll = std::chrono::milliseconds(50);

using NamedRow = mysql::NamedRow;

std::string text_of(const NamedRow& row, const char* name) {
  const auto it = row.find(name);
  if (it == row.end())
    throw Failure(FailureKind::target, std::string("SHOW REPLICA STATUS on the target has no column ") + name +
                                           "; nothing was changed. This version of MySQL is not supported here");
  return it->second.value_or("");
}

std::uint64_t number_of(const NamedRow& row, const char* name) {
  const auto text = text_of(row, name);
  return text.empty() ? 0 : std::stoull(text);
}

sql::SourcePosition position_of(const NamedRow& row, const char* file, const char* offset, const char* gtids) {
  return {{text_of(row, file), number_of(row, offset)},
          base::value_or_fail(sql::GtidSet::parse(text_of(row, gtids)), "SHOW REPLICA STATUS on the target")};
}

ChannelStatus::Receiver receiver_of(const std::string& text) {
  if (text == "Yes") return ChannelStatus::Receiver::runs;
  return text == "No" ? ChannelStatus::Receiver::stands : ChannelStatus::Receiver::connecting;
}

// MySQL manual, "SHOW REPLICA STATUS Statement".
ChannelStatus status_of(const NamedRow& row) {
  ChannelStatus status;
  status.exists = true;
  status.receiver = receiver_of(text_of(row, "Replica_IO_Running"));
  status.applier_runs = text_of(row, "Replica_SQL_Running") == "Yes";
  status.receiver_errno = static_cast<unsigned>(number_of(row, "Last_IO_Errno"));
  status.applier_errno = static_cast<unsigned>(number_of(row, "Last_SQL_Errno"));
  status.executed = position_of(row, "Relay_Source_Log_File", "Exec_Source_Log_Pos", "Executed_Gtid_Set");
  status.received = position_of(row, "Source_Log_File", "Read_Source_Log_Pos", "Retrieved_Gtid_Set");
  status.host = text_of(row, "Source_Host");
  status.port = static_cast<std::uint16_t>(number_of(row, "Source_Port"));
  status.user = text_of(row, "Source_User");
  status.auto_position = text_of(row, "Auto_Position") == "1";
  return status;
}

/// The part of `set` whose servers have something in `named`.
sql::GtidSet of_same_servers(const sql::GtidSet& set, const sql::GtidSet& named) {
  constexpr std::size_t uuid_length = 36;
  const auto names = named.text();
  std::istringstream parts(set.text());
  std::string kept;
  for (std::string part; std::getline(parts, part, ',');)
    if (names.find(part.substr(0, uuid_length)) != std::string::npos) kept += (kept.empty() ? "" : ",") + part;
  return base::value_or_fail(sql::GtidSet::parse(kept), "gtid_executed of the target");
}

}  // namespace

NativeChannel::NativeChannel(const mysql::Endpoint& target)
    : session_(target, mysql::Side::target), dialect_(ChannelDialect::of(session_)) {}

ChannelStatus NativeChannel::status() {
  for (const auto& row : session_.named_rows("SHOW REPLICA STATUS")) {
    if (text_of(row, "Channel_Name") != dialect_.channel() || text_of(row, "Source_Host").empty()) continue;
    auto status = status_of(row);
    if (status.applier_errno != 0)
      for (const auto& worker :
           session_.query("SELECT LAST_ERROR_NUMBER FROM performance_schema.replication_applier_status_by_worker"
                          " WHERE LAST_ERROR_NUMBER<>0 AND CHANNEL_NAME=" +
                          sql::quote_text(dialect_.channel())))
        status.worker_errnos.push_back(static_cast<unsigned>(std::stoul(worker[0].value_or("0"))));
    return status;
  }
  return {};
}

void NativeChannel::require_ours(const ChannelStatus& status, bool ours) const {
  if (!status.exists || ours) return;
  throw Failure(FailureKind::refused,
                dialect_.text() + " on the target " + target().text() +
                    " exists and was not made by this run: it replicates from " + status.host + ":" +
                    std::to_string(status.port) + " as " + status.user + (status.auto_position ? ", by GTID" : "") +
                    "; it was not changed. Take it away there if nobody needs it, and start again");
}

void NativeChannel::require_same_gtids(const sql::GtidSet& start, bool fresh) {
  const auto executed = mysql::gtid_executed(session_);
  const auto missing = start.minus(executed);
  if (!missing.empty())
    throw Failure(FailureKind::refused,
                  "the target's copy holds transactions that its gtid_executed does not, and replication would execute"
                  " them again: " +
                      missing.text() +
                      "; nothing was changed. SET GLOBAL gtid_purged='+…' with them on the target (on RDS CALL"
                      " mysql.rds_set_external_source_gtid_purged), and start again");
  const auto extra = of_same_servers(executed, start).minus(start);
  if (fresh && !extra.empty())
    throw Failure(FailureKind::refused,
                  "the target's gtid_executed holds transactions that its copy does not, and replication would leave"
                  " them out: " +
                      extra.text() + "; nothing was changed. Make the copy again on an empty target");
}

void NativeChannel::configure(const ChannelSource& source, const sql::SourcePosition& start) {
  const auto now = status();
  require_ours(now, now.host == source.host && now.port == source.port && now.user == source.user &&
                        now.auto_position == source.by_gtid);
  require_faithful_replication(session_, dialect_.channel(), source.by_gtid);
  if (source.by_gtid) require_same_gtids(start.gtids, !now.exists);
  auto statement = dialect_.configure(source, start.binlog);
  if (now.exists) {
    stop();
    statement = dialect_.configure(source, status().executed.binlog);
  }
  try {
    session_.call(statement.reveal());
  } catch (const Failure& failure) {
    // The server's text may quote the statement, and with it the password.
    throw Failure(failure.kind(),
                  dialect_.text() + " on the target " + target().text() + " could not be configured (error " +
                      std::to_string(failure.server_errno()) +
                      "); what it was before stands. Look the number up in MySQL's error reference, check the"
                      " privileges of reseal's account there, and start again",
                  failure.server_errno());
  }
}

void NativeChannel::start() {
  const auto now = status();
  if (!now.exists)
    throw Failure(FailureKind::refused, dialect_.text() + " on the target " + target().text() +
                                            " is not there; nothing was changed. Configure it first");
  require_faithful_replication(session_, dialect_.channel(), now.auto_position);
  session_.call(dialect_.start());
}

void NativeChannel::stop() {
  const auto stands = [this] {
    const auto now = status();
    return now.receiver == ChannelStatus::Receiver::stands && !now.applier_runs;
  };
  if (stands()) return;
  session_.call(dialect_.stop());
  const auto end = std::chrono::steady_clock::now() + standing_patience;
  while (!stands()) {
    if (std::chrono::steady_clock::now() > end)
      throw Failure(FailureKind::target, dialect_.text() + " on the target " + target().text() +
                                             " was told to stop and still runs; nothing else was changed. Look at SHOW"
                                             " REPLICA STATUS there, and start again");
    std::this_thread::sleep_for(standing_poll);
  }
}

void NativeChannel::remove() {
  const auto now = status();
  if (!now.exists) return;
  require_ours(now, now.user == follow_account);
  stop();
  session_.call(dialect_.remove());
}

}  // namespace reseal::follow

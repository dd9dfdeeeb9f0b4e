// SPDX-License-Identifier: Apache-2.0
#include "follow/channel_dialect.hpp"

#include <set>

#include "base/failure.hpp"
#include "sql/quote.hpp"

namespace reseal::follow {

using base::Failure;
using base::FailureKind;
using mysql::TlsMode;
using sql::quote_text;

namespace {

constexpr const char* plain_channel = "reseal";

// A source that restarts is found again soon, however long it stays away.
constexpr const char* retries = ", SOURCE_CONNECT_RETRY=1, SOURCE_RETRY_COUNT=0";

std::string tls_clause(const ChannelSource& source) {
  std::string clause = ", SOURCE_SSL=1, SOURCE_SSL_VERIFY_SERVER_CERT=";
  clause += source.tls == TlsMode::verify_identity ? "1" : "0";
  if (source.tls != TlsMode::required) clause += ", SOURCE_SSL_CA=" + quote_text(source.tls_ca);
  return clause;
}

}  // namespace

ChannelDialect ChannelDialect::of(mysql::Session& target) {
  std::set<std::string> names;
  for (const auto& row : target.query("SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE"
                                      " ROUTINE_SCHEMA='mysql' AND ROUTINE_NAME LIKE 'rds\\_set\\_external\\_%'"))
    names.insert(row[0].value_or(""));
  ChannelDialect dialect;
  for (const auto* word : {"source", "master"}) {
    const auto procedure = std::string("rds_set_external_") + word;
    if (names.count(procedure) == 0) continue;
    dialect.word_ = word;
    dialect.auto_position_ = names.count(procedure + "_with_auto_position") != 0;
    return dialect;
  }
  dialect.channel_ = plain_channel;
  return dialect;
}

std::string ChannelDialect::text() const {
  return channel_.empty() ? "the default replication channel" : "the replication channel '" + channel_ + "'";
}

base::Secret ChannelDialect::configure(const ChannelSource& source, const sql::BinlogPosition& from) const {
  if (source.tls == TlsMode::disabled)
    throw Failure(FailureKind::refused,
                  "replication is always encrypted, and the source's ssl-mode is DISABLED; nothing"
                  " was changed. Turn TLS on at the source");
  return procedures() ? procedure_call(source, from) : change_statement(source, from);
}

base::Secret ChannelDialect::change_statement(const ChannelSource& source, const sql::BinlogPosition& from) const {
  if (source.tls != TlsMode::required && source.tls_ca.empty())
    throw Failure(FailureKind::usage,
                  "checking the source's certificate needs the file of its certificate authority on the target's disk;"
                  " nothing was changed");
  std::string statement = "CHANGE REPLICATION SOURCE TO SOURCE_HOST=" + quote_text(source.host) +
                          ", SOURCE_PORT=" + std::to_string(source.port) + ", SOURCE_USER=" + quote_text(source.user) +
                          ", SOURCE_PASSWORD=" + quote_text(source.password.reveal()) + tls_clause(source) + retries +
                          ", SOURCE_DELAY=0, REQUIRE_ROW_FORMAT=1";
  if (source.by_gtid)
    statement += ", SOURCE_AUTO_POSITION=1";
  else
    statement += ", SOURCE_AUTO_POSITION=0, SOURCE_LOG_FILE=" + quote_text(from.file) +
                 ", SOURCE_LOG_POS=" + std::to_string(from.offset);
  return base::Secret(statement + " FOR CHANNEL " + quote_text(channel_));
}

base::Secret ChannelDialect::procedure_call(const ChannelSource& source, const sql::BinlogPosition& from) const {
  if (source.tls != TlsMode::required)
    throw Failure(FailureKind::refused,
                  "on RDS replication is encrypted but never checks the source's certificate, and ssl-mode asks for"
                  " that; nothing was changed. Use ssl-mode REQUIRED for the replication, within a network you trust");
  if (source.by_gtid && !auto_position_)
    throw Failure(FailureKind::refused, "the target has no procedure mysql.rds_set_external_" + word_ +
                                            "_with_auto_position, and the source writes GTIDs; nothing was changed."
                                            " Upgrade the target to a minor version that has it");
  // RDS User Guide, "mysql.rds_set_external_source" and "…_with_auto_position": the order of arguments.
  std::string statement = "CALL mysql.rds_set_external_" + word_ + (source.by_gtid ? "_with_auto_position(" : "(") +
                          quote_text(source.host) + "," + std::to_string(source.port) + "," + quote_text(source.user) +
                          "," + quote_text(source.password.reveal());
  if (source.by_gtid)
    statement += ",1,0)";
  else
    statement += "," + quote_text(from.file) + "," + std::to_string(from.offset) + ",1)";
  return base::Secret(std::move(statement));
}

std::string ChannelDialect::start() const {
  return procedures() ? "CALL mysql.rds_start_replication()" : "START REPLICA FOR CHANNEL " + quote_text(channel_);
}

std::string ChannelDialect::stop() const {
  return procedures() ? "CALL mysql.rds_stop_replication()" : "STOP REPLICA FOR CHANNEL " + quote_text(channel_);
}

std::string ChannelDialect::remove() const {
  return procedures() ? "CALL mysql.rds_reset_external_" + word_ + "()"
                      : "RESET REPLICA ALL FOR CHANNEL " + quote_text(channel_);
}

}  // namespace reseal::follow

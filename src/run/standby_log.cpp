// SPDX-License-Identifier: Apache-2.0
#include "run/standby_log.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>

#include "base/failure.hpp"
#include "binlog/transaction_assembler.hpp"
#include "follow/statement_policy.hpp"
#include "mysql/binlog_stream.hpp"

namespace reseal::run {

using base::Failure;
using base::FailureKind;

namespace {

constexpr std::size_t places_limit = 20;

std::string utc(const binlog::End& end) {
  const auto us = end.immediate_commit_us != 0 ? end.immediate_commit_us : end.timestamp * 1'000'000ULL;
  return fmt::format("{:%F %T} UTC", fmt::gmtime(static_cast<std::time_t>(us / 1'000'000)));
}

/// Keeps what a log says of some schemas, and how far it was read.
class WritesSeen final : public binlog::TransactionSink {
 public:
  WritesSeen(const std::set<std::string>& schemas, sql::GtidSet gtids) : schemas_(schemas), gtids_(std::move(gtids)) {}
  const StandbyWrites& writes() const { return writes_; }
  const sql::GtidSet& gtids() const { return gtids_; }

  void begin(const binlog::Begin& /*begin*/) override { here_.clear(); }
  void rows(binlog::Rows rows) override {
    if (schemas_.contains(rows.table->name.schema)) here_.insert(rows.table->name.text());
  }
  void statement(const binlog::Statement& statement) override {
    auto verdict = follow::judge_statement(statement.query.text);
    if (!statement.kind.empty() || !statement.standalone) verdict = follow::StatementVerdict::changes_rows;
    if (verdict == follow::StatementVerdict::harmless || verdict == follow::StatementVerdict::compared_later) return;
    here_.insert(statement.kind.empty() ? follow::leading_words(statement.query.text) : statement.kind);
  }
  void savepoint(const std::string& /*name*/) override {}
  void rollback_to(const std::string& /*name*/) override {}
  void commit(const binlog::End& end) override {
    if (end.gtid) gtids_.add(*end.gtid);
    if (here_.empty()) return;
    if (writes_.none())
      writes_.first = fmt::format("{} at {} by connection {}, {}{}", *here_.begin(), utc(end), end.thread_id,
                                  end.position.text(), end.gtid ? ", " + end.gtid->text() : "");
    ++writes_.transactions;
    for (const auto& place : here_)
      if (writes_.places.size() < places_limit) writes_.places.insert(place);
  }
  void rollback(const binlog::End& end) override { commit(end); }
  void heartbeat(const sql::BinlogPosition& /*position*/) override {}
  void rotate(const sql::BinlogPosition& /*position*/) override {}

 private:
  const std::set<std::string>& schemas_;
  sql::GtidSet gtids_;
  std::set<std::string> here_;  ///< of the transaction that is being read
  StandbyWrites writes_;
};

}  // namespace

std::string StandbyWrites::text() const {
  std::string list;
  for (const auto& place : places) list += (list.empty() ? "" : ", ") + place;
  return fmt::format("{} transactions{}, the first: {}", transactions, list.empty() ? "" : " (" + list + ")", first);
}

StandbyLog::StandbyLog(mysql::Endpoint standby, mysql::ServerFacts facts, std::vector<std::string> schemas,
                       sql::SourcePosition start, std::uint32_t server_id)
    : standby_(std::move(standby)),
      facts_(std::move(facts)),
      schemas_(schemas.begin(), schemas.end()),
      seen_(std::move(start)),
      server_id_(server_id) {}

StandbyWrites StandbyLog::look(mysql::Session& session) {
  auto end = mysql::binlog_end(session, facts_);
  if (facts_.gtid_on) end.gtids = mysql::gtid_executed(session);
  const bool moved = facts_.gtid_on ? !seen_.gtids.contains(end.gtids) : seen_.binlog < end.binlog;
  StandbyWrites writes;
  try {
    if (moved) writes = read_to(end);
  } catch (const Failure& failure) {
    if (failure.kind() == FailureKind::transient) throw;
    writes = {1, {}, "unknown, since the log from " + seen_.text() + " on cannot be read: " + failure.what()};
  }
  seen_ = std::move(end);
  return writes;
}

StandbyWrites StandbyLog::read_to(const sql::SourcePosition& end) {
  WritesSeen seen(schemas_, seen_.gtids);
  binlog::TransactionAssembler assembler({seen_.binlog, binlog::ChecksumAlgorithm::crc32, {}});
  mysql::BinlogStreamOptions options;
  options.server_id = server_id_;
  mysql::BinlogStream stream(standby_, seen_, facts_.gtid_on, options);
  const auto read = [&] {
    if (assembler.in_transaction()) return false;
    return (facts_.gtid_on && seen.gtids().contains(end.gtids)) || assembler.position() >= end.binlog;
  };
  while (!read()) {
    const auto event = stream.next({});
    base::value_or_fail(assembler.feed(*event, seen), "binary log at " + assembler.position().text());
  }
  return seen.writes();
}

}  // namespace reseal::run

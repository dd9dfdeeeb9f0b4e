// SPDX-License-Identifier: Apache-2.0
#include "follow/batch_builder.hpp"

#include "base/failure.hpp"
#include "follow/statement_policy.hpp"

namespace reseal::follow {

using base::Failure;
using base::FailureKind;

namespace {

// What a held row costs beside its bytes: fields, key, maps.
std::size_t overhead(const TableBinding& table) { return 400 + 64 * table.map->columns.size(); }

}  // namespace

BatchBuilder::BatchBuilder(const FollowScope& scope, sql::SourcePosition start, std::function<void(Batch&)> spill)
    : scope_(scope), bindings_(*scope.tables), spill_(std::move(spill)), position_(std::move(start)) {
  batch_.start = batch_.end = position_;
}

Batch BatchBuilder::take() {
  RESEAL_CHECK(!open_);
  Batch taken = std::move(batch_);
  taken.end = position_;
  batch_ = Batch();
  batch_.start = batch_.end = position_;
  spilled_ = false;
  return taken;
}

void BatchBuilder::begin(const binlog::Begin& begin) {
  if (scope_.by_gtid && !begin.gtid)
    throw Failure(FailureKind::unsupported,
                  "the source wrote a transaction without a GTID, and the run follows by GTID: gtid_mode was changed."
                  " Cancel the run and start again");
  open_ = true;
  open_has_rows_ = false;
  gtid_ = begin.gtid;
  transaction_start_ = begin.start;
}

bool BatchBuilder::already_in_copy(const sql::TableName& table) const {
  const auto it = scope_.exact_from.find(table);
  if (it == scope_.exact_from.end()) return false;
  if (scope_.by_gtid) return it->second.gtids.contains(*gtid_);
  return transaction_start_ < it->second.binlog;
}

void BatchBuilder::marker(binlog::Rows& rows) {
  binlog::RowChange change;
  while (base::value_or_fail(rows.rows.next(change), "reseal.marker"))
    if (change.kind != binlog::RowChange::Kind::remove && change.after.fields.size() > 1 &&
        change.after.fields[1].raw == scope_.strict_marker && !scope_.strict_marker.empty())
      batch_.turns_strict = true;
}

void BatchBuilder::rows(binlog::Rows rows) {
  static const sql::TableName marker_table{"reseal", "marker"};
  if (rows.table->name == marker_table) return marker(rows);
  const auto table = bindings_.find(rows.table);
  if (!table || already_in_copy(rows.table->name)) return;
  binlog::RowChange change;
  while (base::value_or_fail(rows.rows.next(change), rows.table->name.text())) {
    for (const auto* image : {&change.before, &change.after})
      for (const auto& field : image->fields) batch_.weight += field.raw.size();
    batch_.weight += overhead(*table);
    batch_.add(table, std::move(change));
    change = binlog::RowChange();
    open_has_rows_ = true;
    if (batch_.weight < scope_.batch_bytes) continue;
    spilled_ = true;
    spill_(batch_);
    batch_.tables.clear();
    batch_.weight = 0;
  }
}

void BatchBuilder::statement(const binlog::Statement& statement) {
  auto verdict = judge_statement(statement.query.text);
  if (!statement.kind.empty() || !statement.standalone) verdict = StatementVerdict::changes_rows;
  const auto what = leading_words(statement.query.text);
  const auto where = " at " + statement.position.text();
  if (verdict == StatementVerdict::changes_a_table)
    throw Failure(FailureKind::unsupported,
                  "the source's schema changed (" + what + where +
                      ") while the run was under way, and this version does not carry schema changes over."
                      " The source was not touched. Cancel the run and start again");
  if (verdict == StatementVerdict::changes_rows)
    throw Failure(FailureKind::unsupported,
                  "the source logged a statement instead of rows (" + (statement.kind.empty() ? what : statement.kind) +
                      where +
                      "): a session runs with binlog_format other than ROW. Its effect cannot be copied exactly."
                      " End that session, cancel the run and start again");
}

void BatchBuilder::rollback_to(const std::string&) {
  if (open_has_rows_)
    throw Failure(FailureKind::unsupported,
                  "a transaction with ROLLBACK TO SAVEPOINT holds rows of a non-transactional"
                  " table; it cannot be applied exactly");
}

void BatchBuilder::commit(const binlog::End& end) {
  open_ = false;
  position_.binlog = end.position;
  if (end.gtid) position_.gtids.add(*end.gtid);
  batch_.last_commit_us = end.immediate_commit_us != 0 ? end.immediate_commit_us : end.timestamp * 1'000'000ULL;
  ++batch_.transactions;
}

void BatchBuilder::rollback(const binlog::End& end) {
  if (open_has_rows_)
    throw Failure(FailureKind::unsupported,
                  "the source logged a rolled back transaction with rows: a non-transactional table is written");
  commit(end);
}

}  // namespace reseal::follow

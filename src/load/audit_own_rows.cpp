// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "load/audit_memory.hpp"
#include "load/client_model.hpp"
#include "load/operation_statements.hpp"

namespace reseal::load {
namespace {

/// The rows a server really holds. A primary key that is there twice (its table lost the key) keeps the last one.
struct ActualRows {
  ExpectedRows rows;
  std::set<std::uint64_t> twice;
};

bool same(const ExpectedRow& a, const ExpectedRow& b) { return a.writer == b.writer && a.print == b.print; }

const ExpectedRow* row_at(const ExpectedRows& rows, std::uint64_t key) {
  const auto place = rows.find(key);
  return place == rows.end() ? nullptr : &place->second;
}

class OwnRowsAudit {
 public:
  OwnRowsAudit(mysql::Session& serving, const AuditMemory& memory, AuditReport& report, const OperationLog& log)
      : serving_(serving),
        memory_(memory),
        report_(report),
        by_ledger_(log.client, log.dimensions, ClientModel::History::kept),
        by_answers_(log.client, log.dimensions, ClientModel::History::kept) {
    for (const auto& remembered : log.operations) {
      const bool present = memory.present.count(remembered.operation.id.value()) > 0;
      if (present) by_ledger_.apply(remembered.operation);
      if (present || remembered.verdict() == Verdict::ok) by_answers_.apply(remembered.operation);
    }
  }

  void compare(OwnTable table) {
    const auto actual = read(table);
    const auto expected = by_ledger_.rows(table);
    const auto answered = by_answers_.rows(table);
    std::set<std::uint64_t> keys = actual.twice;
    for (const auto* rows : {&actual.rows, &expected})
      for (const auto& [key, row] : *rows) keys.insert(key);
    for (const auto key : keys) {
      if (actual.twice.count(key) > 0)
        add(Fault::duplicated, table, key, row_at(actual.rows, key)->writer, "is there twice");
      judge(table, key, actual, row_at(expected, key), row_at(answered, key));
    }
  }

 private:
  ActualRows read(OwnTable table) {
    ActualRows actual;
    serving_.stream(own_rows_query(table, by_ledger_.client()), [&](const mysql::RowView& row) {
      const auto key = std::stoull(std::string(row[0]));
      const ExpectedRow value{OpId(std::stoull(std::string(row[1]))), std::string(row[2])};
      if (!actual.rows.insert_or_assign(key, value).second) actual.twice.insert(key);
      return true;
    });
    return actual;
  }

  void judge(OwnTable table, std::uint64_t key, const ActualRows& all, const ExpectedRow* expected,
             const ExpectedRow* answered) {
    const auto* actual = row_at(all.rows, key);
    if (actual == nullptr && expected == nullptr) return;
    if (actual != nullptr && expected != nullptr && same(*actual, *expected)) return;
    // An acknowledged operation without its ledger row may have left its effect.
    const bool as_answered = actual == nullptr ? answered == nullptr : answered != nullptr && same(*actual, *answered);
    if (as_answered) {
      const auto by =
          answered != nullptr ? answered->writer : by_answers_.remover(table, key).value_or(expected->writer);
      return add(Fault::half, table, key, by, "has its effect, but the operation is not in the ledger");
    }
    if (actual == nullptr)
      return add(Fault::half, table, key, expected->writer, "is missing, though the operation left it");
    const auto twice = is_twice(table, *actual, all.rows, expected);
    if (expected == nullptr)
      return add(twice ? Fault::duplicated : Fault::half, table, key,
                 by_ledger_.remover(table, key).value_or(actual->writer),
                 twice ? "holds a value that is elsewhere too, and should not be there" : "should not be there");
    add(twice ? Fault::duplicated : Fault::half, table, key, expected->writer,
        twice ? "holds more than the operation left" : "is not as the operation left it");
  }

  /// Whether a wrong row shows an effect applied twice: a handle or a moved row in two places, an order too many.
  static bool is_twice(OwnTable table, const ExpectedRow& actual, const ExpectedRows& all,
                       const ExpectedRow* expected) {
    if (table == OwnTable::orders || table == OwnTable::order_events)
      return expected != nullptr && std::stoull(actual.print) > std::stoull(expected->print);
    if ((table != OwnTable::handles && table != OwnTable::movers) || actual.print == "-") return false;
    return std::count_if(all.begin(), all.end(), [&](const auto& row) { return row.second.print == actual.print; }) > 1;
  }

  void add(Fault fault, OwnTable table, std::uint64_t key, OpId by, std::string_view what) {
    report_.findings.push_back(
        {fault, by, fmt::format("{}: row {} of {} {}", memory_.describe(by), key, table_name(table), what)});
  }

  mysql::Session& serving_;
  const AuditMemory& memory_;
  AuditReport& report_;
  ClientModel by_ledger_;   ///< after the operations in the ledger
  ClientModel by_answers_;  ///< after these and the acknowledged ones that the ledger lost
};

}  // namespace

void audit_own_rows(mysql::Session& serving, const AuditMemory& memory, AuditReport& report) {
  for (const auto& log : memory.logs) {
    OwnRowsAudit own(serving, memory, report, log);
    for (const auto table : all_own_tables) own.compare(table);
  }
  // Handles are unique over all clients and the prepared rows.
  for (const auto& row : serving.query("SELECT MAX(op_id), COUNT(*) FROM handles WHERE value IS NOT NULL GROUP BY value"
                                       " HAVING COUNT(*) > 1")) {
    const OpId by(std::stoull(row[0].value_or("0")));
    report.findings.push_back(
        {Fault::duplicated, by, memory.describe(by) + ": a unique value of handles is held " + *row[1] + " times"});
  }
}

}  // namespace reseal::load

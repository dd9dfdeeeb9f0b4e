// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdlib>
#include <map>

#include "load/audit_memory.hpp"

namespace reseal::load {
namespace {

struct Offset {
  std::int64_t amount = 0;   ///< balance, above what the ledger says
  std::int64_t version = 0;  ///< number of changes, above what the ledger says
};
using Offsets = std::map<std::uint64_t, Offset>;

std::int64_t signed_number(const mysql::Cell& cell) { return cell ? std::stoll(*cell) : 0; }

class SharedRowsAudit {
 public:
  SharedRowsAudit(mysql::Session& serving, const Dimensions& dimensions, const AuditMemory& memory, AuditReport& report)
      : serving_(serving), dimensions_(dimensions), memory_(memory), report_(report) {}

  void accounts() {
    const auto rows = serving_.query(fmt::format(
        "SELECT id, COALESCE(balance, 0) - {0} - COALESCE(delta, 0), COALESCE(CAST(version AS SIGNED), 0) -"
        " COALESCE(changes, 0) FROM accounts LEFT JOIN (SELECT account, SUM(delta) AS delta, COUNT(*) AS changes FROM"
        " (SELECT from_id AS account, -amount AS delta FROM ledger WHERE kind = 'transfer' UNION ALL"
        " SELECT to_id, amount FROM ledger WHERE kind = 'transfer') AS legs GROUP BY account) AS sums"
        " ON account = id WHERE COALESCE(balance, 0) - {0} <> COALESCE(delta, 0) OR balance IS NULL OR"
        " COALESCE(CAST(version AS SIGNED), 0) <> COALESCE(changes, 0)",
        opening_balance));
    Offsets offsets;
    for (const auto& row : rows) offsets[std::stoull(*row[0])] = {signed_number(row[1]), signed_number(row[2])};
    explain(offsets);
    for (const auto& [account, offset] : offsets)
      if (offset.amount != 0 || offset.version != 0)
        add(Fault::half, std::nullopt,
            fmt::format("account {}: its balance is {} and its version {} off what the ledger says, and no single"
                        " transfer explains it",
                        account, offset.amount, offset.version));
    total();
  }

  void hot() {
    const auto rows = serving_.query(
        "SELECT CAST(hits AS SIGNED) - (SELECT COUNT(*) FROM ledger WHERE kind = 'hot'), total - (SELECT"
        " COALESCE(SUM(amount), 0) FROM ledger WHERE kind = 'hot') FROM hot");
    if (rows.size() != 1)
      return add(Fault::half, std::nullopt, fmt::format("the hot row is there {} times", rows.size()));
    const Offset offset{signed_number(rows[0][1]), signed_number(rows[0][0])};
    if (offset.amount == 0 && offset.version == 0) return;
    if (std::abs(offset.version) == 1)
      for_each(Kind::hot, [&](const Operation& operation) {
        if (operation.amount != offset.amount * offset.version) return false;
        return name(operation, offset.version > 0, "the hot row");
      });
    if (!named_)
      add(Fault::half, std::nullopt,
          fmt::format("the hot row is {} and its count {} off what the ledger says", offset.amount, offset.version));
  }

  void touches() {
    serving_.stream(
        "SELECT id, CAST(touched AS SIGNED) - COALESCE(touches, 0) FROM orders LEFT JOIN (SELECT from_id, COUNT(*) AS"
        " touches FROM ledger WHERE kind = 'touch' GROUP BY from_id) AS sums ON from_id = id"
        " WHERE touched <> COALESCE(touches, 0)",
        [&](const mysql::RowView& row) {
          const auto order = std::stoull(std::string(row[0]));
          const auto off = std::stoll(std::string(row[1]));
          named_ = false;
          for_each(Kind::touch, [&](const Operation& operation) {
            return operation.first == order && name(operation, off > 0, fmt::format("order {}", order));
          });
          if (!named_)
            add(Fault::half, std::nullopt, fmt::format("order {}: its touches are {} off the ledger", order, off));
          return true;
        });
    const auto orders = serving_.scalar(fmt::format("SELECT COUNT(*) FROM orders WHERE id <= {}", dimensions_.orders));
    if (orders != std::to_string(dimensions_.orders))
      add(Fault::half, std::nullopt, fmt::format("of {} prepared orders {} are there", dimensions_.orders, *orders));
  }

 private:
  void add(Fault fault, std::optional<OpId> operation, std::string text) {
    report_.findings.push_back({fault, operation, std::move(text)});
  }

  /// Calls `take` for each sent operation of the kind until it returns true. Those in doubt come first: an effect
  /// without a ledger row belongs to one that is not in the ledger.
  template <typename Take>
  void for_each(Kind kind, Take take) {
    for (const bool present : {false, true})
      for (const auto& log : memory_.logs)
        for (const auto& remembered : log.operations) {
          const auto& operation = remembered.operation;
          if (operation.kind != kind || (memory_.present.count(operation.id.value()) > 0) != present) continue;
          if (take(operation)) return;
        }
  }

  /// Names the operation that explains an effect too many (`more`) or too few; false when it cannot be this one.
  bool name(const Operation& operation, bool more, const std::string& where) {
    const bool present = memory_.present.count(operation.id.value()) > 0;
    if (!present && !more) return false;
    const auto* what = !present ? "has its effect, but the operation is not in the ledger"
                       : more   ? "has its effect once too often"
                                : "lacks its effect, though the operation is in the ledger";
    add(present && more ? Fault::duplicated : Fault::half, operation.id,
        memory_.describe(operation.id) + ": " + where + " " + what);
    named_ = true;
    return true;
  }

  bool carries(const Offsets& offsets, std::uint64_t account, std::int64_t amount) const {
    const auto place = offsets.find(account);
    return place != offsets.end() && place->second.amount == amount;
  }

  void settle(Offsets& offsets, std::uint64_t account, std::int64_t amount) {
    auto& offset = offsets[account];
    offset.amount -= amount;
    // A copied or skipped row change takes its version along.
    if (offset.amount == 0) offset.version = 0;
  }

  /// Looks for transfers that explain the offsets: both legs first, then one leg alone.
  void explain(Offsets& offsets) {
    if (offsets.empty()) return;
    for (const bool both : {true, false})
      for (const std::int64_t sign : {1, -1})
        for_each(Kind::transfer, [&](const Operation& operation) {
          const auto amount = sign * operation.amount;
          const bool from = carries(offsets, operation.first, -amount);
          const bool to = carries(offsets, operation.second, amount);
          if (both ? !(from && to) : from == to) return false;
          const auto where = both   ? fmt::format("accounts {} and {}", operation.first, operation.second)
                             : from ? fmt::format("account {}", operation.first)
                                    : fmt::format("account {}", operation.second);
          if (!name(operation, sign > 0, where)) return false;
          if (from) settle(offsets, operation.first, -amount);
          if (to) settle(offsets, operation.second, amount);
          return false;
        });
  }

  void total() {
    const auto rows = serving_.query("SELECT COUNT(*), COALESCE(SUM(balance), 0) FROM accounts");
    if (rows[0][0] != std::to_string(dimensions_.accounts))
      add(Fault::half, std::nullopt, fmt::format("of {} accounts {} are there", dimensions_.accounts, *rows[0][0]));
    if (rows[0][1] != std::to_string(static_cast<std::int64_t>(dimensions_.accounts) * opening_balance))
      report_.notes.push_back("the sum of all balances is not what it was at the start");
  }

  mysql::Session& serving_;
  const Dimensions& dimensions_;
  const AuditMemory& memory_;
  AuditReport& report_;
  bool named_ = false;
};

}  // namespace

void audit_shared_rows(mysql::Session& serving, const Dimensions& dimensions, const AuditMemory& memory,
                       AuditReport& report) {
  SharedRowsAudit shared(serving, dimensions, memory, report);
  shared.accounts();
  SharedRowsAudit(serving, dimensions, memory, report).hot();
  shared.touches();
}

}  // namespace reseal::load

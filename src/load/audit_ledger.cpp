// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "load/audit_memory.hpp"

namespace reseal::load {
namespace {

std::uint64_t number(std::string_view text) { return text.empty() ? 0 : std::stoull(std::string(text)); }

const OperationLog* log_of(const AuditMemory& memory, ClientKey client) {
  const auto place = std::lower_bound(memory.logs.begin(), memory.logs.end(), client,
                                      [](const OperationLog& log, ClientKey key) { return log.client < key; });
  return place == memory.logs.end() || place->client != client ? nullptr : &*place;
}

bool run_known(const AuditMemory& memory, std::uint32_t run) {
  return std::any_of(memory.logs.begin(), memory.logs.end(),
                     [&](const OperationLog& log) { return log.client.run() == run; });
}

/// One pass over the ledger of a server.
class LedgerAudit {
 public:
  LedgerAudit(AuditMemory& memory, AuditReport& report) : memory_(memory), report_(report) {}

  void take(const mysql::RowView& row) {
    const OpId id(number(row[0]));
    if (!memory_.present.insert(id.value()).second) add(Fault::duplicated, id, "the ledger holds it more than once");
    ++origins_[std::string(row[5])];
    const auto* remembered = memory_.find(id);
    if (remembered == nullptr) {
      if (run_known(memory_, id.client().run()))
        add(Fault::duplicated, id, "in the ledger, but no client ever sent it");
      else
        ++foreign_;
      return;
    }
    const auto& sent = remembered->operation;
    if (row[1] != kind_name(sent.kind) || number(row[2]) != sent.first || number(row[3]) != sent.second ||
        row[4] != std::to_string(sent.amount))
      add(Fault::half, id, "its ledger row is not what was sent");
  }

  void judge() {
    for (const auto& log : memory_.logs) {
      if (log.torn) report_.notes.push_back("the log of " + client_text(log.client) + " ends in a torn record");
      std::uint64_t acknowledged = 0;
      for (const auto& remembered : log.operations) judge(remembered, acknowledged);
    }
    if (foreign_ > 0)
      report_.notes.push_back(fmt::format("{} ledger rows are of runs whose logs were not given", foreign_));
    for (const auto& [uuid, count] : origins_)
      report_.notes.push_back(fmt::format("{} operations were written on server {}", count, uuid));
  }

 private:
  static std::string client_text(ClientKey client) {
    return fmt::format("client {}/{}", client.run(), client.client());
  }

  void add(Fault fault, OpId id, std::string_view what) {
    report_.findings.push_back({fault, id, memory_.describe(id) + ": " + std::string(what)});
  }

  void judge(const Remembered& remembered, std::uint64_t& acknowledged) {
    const auto id = remembered.operation.id;
    const bool present = memory_.present.count(id.value()) > 0;
    // Each transaction reads its client's counter: below what was acknowledged before, a read went back in time.
    if (remembered.verdict() == Verdict::ok && remembered.outcome->seen_seq < acknowledged)
      add(Fault::lost, id,
          fmt::format("its client read counter {} after {} was acknowledged", remembered.outcome->seen_seq,
                      acknowledged));
    switch (remembered.verdict()) {
      case Verdict::ok:
        acknowledged = id.seq();
        if (!present) add(Fault::lost, id, "acknowledged, but not in the ledger");
        break;
      case Verdict::error:
        if (present)
          add(Fault::duplicated, id,
              fmt::format("failed with error {} and yet in the ledger", remembered.outcome->code));
        break;
      case Verdict::unknown:
        ++(present ? report_.unknown_applied : report_.unknown_absent);
        if (remembered.found == true && !present)
          add(Fault::lost, id, "its client saw it in the ledger, where it is no more");
        if (remembered.found == false && present)
          add(Fault::duplicated, id, "its client saw that it was not applied, and later it came");
        break;
    }
  }

  AuditMemory& memory_;
  AuditReport& report_;
  std::uint64_t foreign_ = 0;
  std::map<std::string, std::uint64_t> origins_;
};

}  // namespace

const Remembered* AuditMemory::find(OpId id) const {
  const auto* log = log_of(*this, id.client());
  if (log == nullptr) return nullptr;
  const auto place =
      std::lower_bound(log->operations.begin(), log->operations.end(), id,
                       [](const Remembered& remembered, OpId key) { return remembered.operation.id < key; });
  return place == log->operations.end() || place->operation.id != id ? nullptr : &*place;
}

std::string AuditMemory::describe(OpId id) const {
  const auto* remembered = find(id);
  return fmt::format("op={} client={}/{} seq={} kind={}", id.value(), id.client().run(), id.client().client(), id.seq(),
                     remembered == nullptr ? "?" : kind_name(remembered->operation.kind));
}

void audit_ledger(mysql::Session& serving, AuditMemory& memory, AuditReport& report) {
  LedgerAudit ledger(memory, report);
  serving.stream("SELECT op_id, kind, from_id, to_id, amount, server_uuid FROM ledger", [&](const mysql::RowView& row) {
    ledger.take(row);
    return true;
  });
  ledger.judge();
}

void audit_other(mysql::Session& other, const AuditMemory& memory, AuditReport& report) {
  other.stream("SELECT op_id FROM ledger", [&](const mysql::RowView& row) {
    const OpId id(number(row[0]));
    if (memory.present.count(id.value()) == 0)
      report.findings.push_back({Fault::lost, id, memory.describe(id) + ": only on the server that does not serve"});
    return true;
  });
}

}  // namespace reseal::load

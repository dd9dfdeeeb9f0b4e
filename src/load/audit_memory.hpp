// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "load/audit.hpp"
#include "load/operation_log.hpp"
#include "mysql/session.hpp"

namespace reseal::load {

/// The two things that an audit holds against each other: what the clients remember, and the serving ledger's ids.
struct AuditMemory {
  std::vector<OperationLog> logs;
  std::unordered_set<std::uint64_t> present;  ///< operations in the ledger of the serving server

  const Remembered* find(OpId id) const;
  /// `op=… client=run/client seq=… kind=…`, for a finding.
  std::string describe(OpId id) const;
};

/// Judges every remembered operation by its presence in the ledger, and every ledger row by the logs; fills
/// `memory.present` and the counts of the report.
void audit_ledger(mysql::Session& serving, AuditMemory& memory, AuditReport& report);
/// Finds operations that the other server has and the serving one has not.
void audit_other(mysql::Session& other, const AuditMemory& memory, AuditReport& report);
/// Accounts, the hot row and the touches of orders: sums that must follow from the ledger.
void audit_shared_rows(mysql::Session& serving, const Dimensions& dimensions, const AuditMemory& memory,
                       AuditReport& report);
/// The rows of each client, which must follow from a replay of its log.
void audit_own_rows(mysql::Session& serving, const AuditMemory& memory, AuditReport& report);

}  // namespace reseal::load

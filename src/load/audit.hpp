// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "load/operation.hpp"
#include "mysql/endpoint.hpp"

namespace reseal::load {

/// lost: an acknowledged operation is not in the ledger, or one is only on the other server. duplicated: an operation
/// that failed (or was never sent) is in the ledger, or an effect is there twice. half: ledger and effect disagree.
enum class Fault { lost, duplicated, half };

struct Finding {
  Fault fault = Fault::half;
  std::optional<OpId> operation;  ///< nothing when no single operation explains it
  std::string text;               ///< one line; names table and key, never a row's content
};

struct AuditOptions {
  std::vector<std::filesystem::path> log_folders;
  mysql::Endpoint serving;
  std::optional<mysql::Endpoint> other;  ///< the server that must hold nothing that the serving one lacks
  std::string schema = "shop";
};

struct AuditReport {
  std::vector<Finding> findings;
  std::vector<std::string> notes;
  std::uint64_t unknown_applied = 0;
  std::uint64_t unknown_absent = 0;
  std::uint64_t operations = 0;

  /// How many operations have this fault; findings without an operation count one each.
  std::uint64_t count(Fault fault) const;
  bool clean() const { return findings.empty(); }
  /// Every finding and note, then "AUDIT lost=0 duplicated=0 half=0 unknown_applied=N unknown_absent=M ops=K".
  void print(std::ostream& out) const;
};

/// Compares what the clients remember with what the serving server holds. The clients must have stopped. Reads only,
/// in one snapshot. Memory grows with the number of operations (about 200 bytes each).
///
/// Judged for every operation: acknowledged ones are in the ledger once; refused ones are not; unknown ones may be, and
/// those that their client saw in the ledger must be. Judged for effects, against the ledger: each account's balance
/// and version, the sum of all, the hot row, the touches of each order; and against a replay of the log: every row of
/// every client, in documents (JSON leaves and their types), handles, movers, blobs, reborn, orders, order_events,
/// counters.
AuditReport audit(const AuditOptions& options);

}  // namespace reseal::load

// SPDX-License-Identifier: Apache-2.0
#include "load/audit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <set>

#include "base/failure.hpp"
#include "load/audit_memory.hpp"
#include "load/prepare.hpp"

namespace reseal::load {
namespace {

const char* fault_name(Fault fault) {
  switch (fault) {
    case Fault::lost:
      return "LOST";
    case Fault::duplicated:
      return "DUPLICATED";
    case Fault::half:
      return "HALF";
  }
  return "";
}

std::vector<OperationLog> read_all(const std::vector<std::filesystem::path>& folders) {
  std::vector<OperationLog> logs;
  for (const auto& folder : folders) {
    auto some = read_operation_logs(folder);
    std::move(some.begin(), some.end(), std::back_inserter(logs));
  }
  std::sort(logs.begin(), logs.end(), [](const auto& a, const auto& b) { return a.client < b.client; });
  const auto twice =
      std::adjacent_find(logs.begin(), logs.end(), [](const auto& a, const auto& b) { return a.client == b.client; });
  if (twice != logs.end())
    throw base::Failure(base::FailureKind::usage,
                        fmt::format("run {} client {} has two logs in the folders named; give each folder once",
                                    twice->client.run(), twice->client.client()));
  return logs;
}

mysql::Session open_snapshot(const mysql::Endpoint& endpoint, const std::string& schema) {
  auto session = open_shop(endpoint, schema);
  session.execute("SET SESSION transaction_isolation = 'REPEATABLE-READ'");
  session.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
  return session;
}

}  // namespace

std::uint64_t AuditReport::count(Fault fault) const {
  std::set<OpId> operations_found;
  std::uint64_t nameless = 0;
  for (const auto& finding : findings) {
    if (finding.fault != fault) continue;
    if (finding.operation)
      operations_found.insert(*finding.operation);
    else
      ++nameless;
  }
  return operations_found.size() + nameless;
}

void AuditReport::print(std::ostream& out) const {
  for (const auto& finding : findings) out << fault_name(finding.fault) << ' ' << finding.text << '\n';
  for (const auto& note : notes) out << "note: " << note << '\n';
  out << fmt::format("AUDIT lost={} duplicated={} half={} unknown_applied={} unknown_absent={} ops={}\n",
                     count(Fault::lost), count(Fault::duplicated), count(Fault::half), unknown_applied, unknown_absent,
                     operations);
}

AuditReport audit(const AuditOptions& options) {
  AuditReport report;
  AuditMemory memory;
  memory.logs = read_all(options.log_folders);
  auto serving = open_snapshot(options.serving, options.schema);
  const auto dimensions = read_dimensions(serving);
  for (const auto& log : memory.logs) {
    report.operations += log.operations.size();
    if (log.dimensions == dimensions) continue;
    throw base::Failure(base::FailureKind::usage,
                        "the logs are of another preparation of schema " + options.schema + " than this server holds");
  }
  audit_ledger(serving, memory, report);
  if (options.other) {
    auto other = open_snapshot(*options.other, options.schema);
    audit_other(other, memory, report);
  }
  audit_shared_rows(serving, dimensions, memory, report);
  audit_own_rows(serving, memory, report);
  return report;
}

}  // namespace reseal::load

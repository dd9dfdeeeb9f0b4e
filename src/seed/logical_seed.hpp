// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <stop_token>
#include <vector>

#include "base/log.hpp"
#include "mysql/endpoint.hpp"
#include "seed/throttle.hpp"
#include "sql/position.hpp"
#include "sql/table.hpp"

namespace reseal::seed {

struct SeedOptions {
  unsigned workers = 2;                      ///< each holds one session per side
  std::uint64_t bytes_per_chunk = 16 << 20;  ///< by table statistics
  Throttle::Limits limits;
};

/// What the copy has done, for progress lines; read from any thread.
struct SeedProgress {
  std::atomic<std::uint64_t> rows{0};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> chunks_done{0};
  std::atomic<std::uint64_t> chunks{0};
  std::atomic<std::uint64_t> tables_done{0};
  std::atomic<std::uint64_t> tables{0};
};

/// Copies every table into the empty target tables, chunk by chunk, in parallel over tables and within one. Call it
/// again after a crash: chunks that are done are left alone, and at most one chunk per worker is read again.
///
/// Why it is right to read chunks at different times is in docs/correctness.md, "The copy". Precondition: the follow
/// will replay the binary log from a bookmark that was taken before the first call.
class LogicalSeed {
 public:
  LogicalSeed(mysql::Endpoint source, mysql::Endpoint target, const std::vector<sql::Table>& tables,
              SeedOptions options, SeedProgress& progress, base::Log& log);

  /// Transient failures are retried by worker, a bounded number of times.
  void run(std::stop_token stop);

 private:
  struct Work;
  void work(Work& work, std::stop_token stop);
  mysql::Endpoint source_;
  mysql::Endpoint target_;
  const std::vector<sql::Table>& tables_;
  SeedOptions options_;
  SeedProgress& progress_;
  base::Log& log_;
  Throttle throttle_;
};

/// Where the copy keeps its plan and the positions of tables without a row key; nothing where they are there.
void create_progress_tables(mysql::Session& target);

/// Takes the copy back: the tables are emptied and nothing is planned any more. Killed half way, it is to be called
/// again before the next copy.
void discard_copy(mysql::Session& target, const std::vector<sql::Table>& tables);

/// Tables without a row key were read whole at one exact position each: where the follow must begin with them.
std::map<sql::TableName, sql::SourcePosition> exact_positions(mysql::Session& target);

}  // namespace reseal::seed

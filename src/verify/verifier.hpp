// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <vector>

#include "mysql/session.hpp"
#include "sql/table.hpp"
#include "verify/report.hpp"
#include "verify/second_look.hpp"

namespace reseal::verify {

struct Options {
  std::uint64_t rows_per_chunk = 20'000;
  std::uint64_t bytes_per_chunk = 64 << 20;   ///< by table statistics; rows are fewer per chunk when they are long
  std::size_t key_bytes_per_chunk = 8 << 20;  ///< held in memory, per side and thread; longer chunks are split
  unsigned threads = 2;                       ///< each with one session per side
  std::size_t max_differences = 10'000;       ///< per table; beyond, the whole table is called different
  std::size_t max_suspects = 10'000;          ///< held in memory before they are looked at again
  LookOptions look;
};

/// Called as work is done, from any of the threads, one at a time: `table` now has `rows_done` rows compared.
using Progress = std::function<void(const sql::TableName& table, std::uint64_t rows_done)>;

/// Compares rows of two servers, each hashed by its own server. Shares no code with the copier but the text of key
/// ranges. Writes nothing. Every method may be called from one thread at a time; sessions are opened as needed and
/// closed at the end of the call. Throws Failure on a server error (transient ones too: a pass is cheap to repeat) and
/// `interrupted` when stopped.
class Verifier final {
 public:
  using OpenSession = std::function<mysql::Session()>;
  Verifier(OpenSession open_source, OpenSession open_target, Options options = {});

  /// Compares whole tables while the source has traffic and the follow is behind: see second_look.hpp for what may be
  /// concluded. `tables` as read from the source. Without `wait_until_followed` nothing moves by the caller's word,
  /// and every difference is final.
  VerifyReport compare(const std::vector<sql::Table>& tables, const WaitUntilFollowed& wait_until_followed,
                       std::stop_token stop, const Progress& progress = {});

 private:
  OpenSession open_source_;
  OpenSession open_target_;
  Options options_;
};

}  // namespace reseal::verify

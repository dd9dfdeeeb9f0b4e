// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/bounded_queue.hpp"
#include "mysql/session.hpp"
#include "sql/key_range.hpp"
#include "verify/row_hash.hpp"
#include "verify/row_reader.hpp"
#include "verify/verifier.hpp"

namespace reseal::verify {

/// One run of Verifier::compare: one thread cuts tables into chunks, others hash the chunks on both sides, and rows
/// that differ gather as suspects and are looked at again in batches. Lives for one call of `run`.
class VerifyPass final {
 public:
  VerifyPass(const Verifier::OpenSession& open_source, const Verifier::OpenSession& open_target, const Options& options,
             const std::vector<sql::Table>& tables, const WaitUntilFollowed& wait_until_followed,
             const Progress& progress);
  VerifyReport run(std::stop_token stop);

 private:
  struct TableState {
    const sql::Table* table = nullptr;
    const sql::Key* key = nullptr;
    HashSum source;  // guarded by mutex_, as everything below
    std::size_t differences = 0;
    std::size_t unsettled = 0;
    std::vector<sql::KeyValues> unsettled_rows;  ///< the first of them, at most Options::max_suspects
    std::string why_unjudged;
    std::atomic<bool> different = false;  ///< as a whole: nothing more of it is read
  };
  /// A range of one table: above `lower`, up to `upper`; the whole table when it has no key.
  struct Chunk {
    TableState* table = nullptr;
    std::optional<sql::KeyValues> lower;
    std::optional<sql::KeyValues> upper;
  };
  struct Pair {
    mysql::Session source;
    mysql::Session target;
  };

  void drop_tables_that_do_not_match();
  void cut(std::stop_token stop);
  void cut_table(mysql::Session& source, TableState& state, std::stop_token stop);
  void work(std::stop_token stop);
  void compare_chunk(Pair& pair, const Chunk& chunk, std::stop_token stop);
  void compare_range(Pair& pair, const Chunk& chunk, bool counted, std::stop_token stop);
  void split(Pair& pair, const Chunk& chunk, std::uint64_t rows, std::stop_token stop);
  void compare_whole(Pair& pair, TableState& state, std::stop_token stop);
  void add_suspects(TableState& state, std::vector<KeyedHash> source, std::vector<KeyedHash> target);
  void settle_suspects(Pair& pair, std::size_t at_least, std::stop_token stop);
  void record(TableState& state, Difference difference);
  void declare_different(TableState& state);
  void count(TableState& state, const HashSum& rows);
  TableState& state_of(const sql::Table* table);
  Pair open() const { return {open_source_(), open_target_()}; }
  VerifyReport finish();

  const Verifier::OpenSession& open_source_;
  const Verifier::OpenSession& open_target_;
  const Options& options_;
  const WaitUntilFollowed& wait_until_followed_;
  const Progress& progress_;

  std::deque<TableState> states_;  ///< in name order; never moves while threads run
  base::BoundedQueue<Chunk> chunks_{64};
  std::mutex mutex_;
  std::vector<Suspect> suspects_;
  VerifyReport report_;
};

}  // namespace reseal::verify

// SPDX-License-Identifier: Apache-2.0
#include "seed/logical_seed.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <variant>

#include "base/failure.hpp"
#include "base/task_group.hpp"
#include "mysql/schema_reader.hpp"
#include "seed/chunk_copy.hpp"
#include "seed/chunk_store.hpp"
#include "sql/quote.hpp"

namespace reseal::seed {

using base::Failure;
using base::FailureKind;

namespace {

constexpr int tries = 5;

std::uint64_t rows_per_chunk(const sql::Table& table, std::uint64_t bytes_per_chunk) {
  const auto row_bytes = table.estimated_rows == 0 ? 0 : table.estimated_bytes / table.estimated_rows;
  return std::clamp<std::uint64_t>(bytes_per_chunk / std::max<std::uint64_t>(row_bytes, 1), 100, 200'000);
}

void create_exact_table(mysql::Session& target) {
  target.execute(
      "CREATE TABLE IF NOT EXISTS reseal.exact (table_schema VARCHAR(64) NOT NULL, table_name VARCHAR(64) NOT NULL,"
      " binlog VARCHAR(400) NOT NULL, gtids LONGTEXT NOT NULL, PRIMARY KEY (table_schema, table_name))"
      " ENCRYPTION='Y' CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
}

/// A worker's two sessions, opened when first needed and dropped after a failure.
struct Sessions {
  std::optional<mysql::Session> source;
  std::optional<mysql::Session> target;

  void open(const mysql::Endpoint& source_endpoint, const mysql::Endpoint& target_endpoint) {
    if (!source) source.emplace(source_endpoint, mysql::Side::source);
    if (target) return;
    target.emplace(target_endpoint, mysql::Side::target);
    mysql::without_binlog(*target);
  }
  void drop() {
    source.reset();
    target.reset();
  }
};

}  // namespace

/// What the workers share: tables to plan, chunks to copy.
struct LogicalSeed::Work {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::deque<const sql::Table*> unplanned;
  std::deque<std::pair<const sql::Table*, Chunk>> chunks;
  std::map<const sql::Table*, std::size_t> open_chunks;
  unsigned planning = 0;

  using Task = std::variant<const sql::Table*, std::pair<const sql::Table*, Chunk>>;

  /// A chunk when there is one, else a table to plan; nothing when all is given out and nobody plans any more.
  std::optional<Task> next(std::stop_token stop) {
    std::unique_lock lock(mutex);
    changed.wait(lock, std::move(stop), [&] { return !chunks.empty() || !unplanned.empty() || planning == 0; });
    if (!chunks.empty()) {
      auto task = std::move(chunks.front());
      chunks.pop_front();
      return task;
    }
    if (unplanned.empty()) return std::nullopt;
    const auto* table = unplanned.front();
    unplanned.pop_front();
    ++planning;
    return table;
  }

  void planned(const sql::Table* table, std::vector<Chunk> plan) {
    {
      const std::lock_guard lock(mutex);
      --planning;
      open_chunks[table] += plan.size();
      for (auto& chunk : plan) chunks.emplace_back(table, std::move(chunk));
    }
    changed.notify_all();
  }

  /// True when that was the table's last chunk.
  bool done(const sql::Table* table) {
    const std::lock_guard lock(mutex);
    return --open_chunks[table] == 0;
  }
};

namespace {

std::vector<Chunk> plan_table(Sessions& sessions, const sql::Table& table, std::uint64_t bytes_per_chunk,
                              std::stop_token stop) {
  std::vector<Chunk> chunks;
  Chunk chunk{table.name, 0, std::nullopt, std::nullopt, false, 0};
  if (const auto* key = table.row_key()) {
    const auto rows = rows_per_chunk(table, bytes_per_chunk);
    while (true) {
      if (stop.stop_requested()) throw Failure(FailureKind::interrupted, "stopped while planning the copy");
      const auto boundary = sessions.source->query(sql::boundary_query(table, *key, chunk.lower, rows));
      if (boundary.empty()) break;
      sql::KeyValues upper;
      for (const auto& cell : boundary[0]) upper.push_back(cell.value_or(""));
      chunk.upper = upper;
      chunks.push_back(chunk);
      ++chunk.number;
      chunk.lower = std::move(upper);
      chunk.upper.reset();
    }
  }
  chunks.push_back(chunk);
  store_plan(*sessions.target, chunks);
  return chunks;
}

void copy_chunk(Sessions& sessions, const sql::Table& table, const Chunk& chunk, SeedProgress& progress,
                Throttle& throttle, std::stop_token stop) {
  const auto plan = plan_transfer(table);
  const auto before = throttle.spent();
  sessions.target->execute("START TRANSACTION");
  if (!claim(*sessions.target, chunk)) {
    sessions.target->execute("ROLLBACK");
    return;
  }
  const auto rows = copy_rows(*sessions.source, *sessions.target, table, plan, chunk_select(table, plan, chunk),
                              throttle, std::move(stop));
  mark_done(*sessions.target, chunk, rows);
  sessions.target->execute("COMMIT");
  progress.rows += rows;
  progress.bytes += throttle.spent() - before;
}

/// A table without a key: while it is locked against writes, a snapshot begins and the position is read; both are exact
/// for this table, since no transaction that wrote it can be between its lock and its commit. The lock is gone before
/// the first row is read.
sql::SourcePosition begin_exact_snapshot(Sessions& sessions, const mysql::Endpoint& source, const sql::Table& table) {
  mysql::Session locker(source, mysql::Side::source);
  locker.execute("SET SESSION lock_wait_timeout=10");
  locker.execute("LOCK TABLES " + table.name.quoted() + " READ");
  sessions.source->execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
  auto position = mysql::binlog_end(locker, mysql::server_facts(locker));
  locker.execute("UNLOCK TABLES");
  return position;
}

void copy_exact(Sessions& sessions, const mysql::Endpoint& source, const sql::Table& table, const Chunk& chunk,
                SeedProgress& progress, Throttle& throttle, std::stop_token stop) {
  sessions.target->execute("START TRANSACTION");
  if (!claim(*sessions.target, chunk)) {
    sessions.target->execute("ROLLBACK");
    return;
  }
  const auto position = begin_exact_snapshot(sessions, source, table);
  const auto plan = plan_transfer(table);
  const auto rows = copy_rows(*sessions.source, *sessions.target, table, plan, chunk_select(table, plan, chunk),
                              throttle, std::move(stop));
  sessions.target->execute("REPLACE INTO reseal.exact VALUES (" + sql::quote_text(table.name.schema) + "," +
                           sql::quote_text(table.name.name) + "," + sql::quote_text(position.binlog.text()) + "," +
                           sql::quote_text(position.gtids.text()) + ")");
  mark_done(*sessions.target, chunk, rows);
  sessions.target->execute("COMMIT");
  sessions.source->execute("COMMIT");
  progress.rows += rows;
}

}  // namespace

LogicalSeed::LogicalSeed(mysql::Endpoint source, mysql::Endpoint target, const std::vector<sql::Table>& tables,
                         SeedOptions options, SeedProgress& progress, base::Log& log)
    : source_(std::move(source)),
      target_(std::move(target)),
      tables_(tables),
      options_(options),
      progress_(progress),
      log_(log),
      throttle_(options.limits) {}

void LogicalSeed::run(std::stop_token stop) {
  Work work;
  {
    mysql::Session target(target_, mysql::Side::target);
    mysql::without_binlog(target);
    create_progress_tables(target);
    std::map<sql::TableName, std::vector<Chunk>> stored;
    for (auto& chunk : read_chunks(target)) stored[chunk.table].push_back(std::move(chunk));
    for (const auto& table : tables_) {
      const auto it = stored.find(table.name);
      if (it == stored.end()) {
        work.unplanned.push_back(&table);
        continue;
      }
      progress_.chunks += it->second.size();
      for (auto& chunk : it->second) {
        if (chunk.done) {
          ++progress_.chunks_done;
          progress_.rows += chunk.rows;
        } else {
          ++work.open_chunks[&table];
          work.chunks.emplace_back(&table, std::move(chunk));
        }
      }
      if (work.open_chunks[&table] == 0) ++progress_.tables_done;
    }
  }
  std::stable_sort(work.unplanned.begin(), work.unplanned.end(),
                   [](const auto* a, const auto* b) { return a->estimated_bytes > b->estimated_bytes; });
  progress_.tables = tables_.size();
  base::TaskGroup group(stop);
  for (unsigned i = 0; i < options_.workers; ++i) group.start([&](std::stop_token token) { this->work(work, token); });
  group.join();
  if (stop.stop_requested()) throw Failure(FailureKind::interrupted, "stopped while copying; start again to go on");
}

void LogicalSeed::work(Work& work, std::stop_token stop) {
  Sessions sessions;
  const auto attempt = [&](const std::string& what, const auto& action) {
    for (int count = 1;; ++count) {
      try {
        sessions.open(source_, target_);
        action();
        return;
      } catch (const Failure& failure) {
        sessions.drop();
        if (failure.kind() != FailureKind::transient || count == tries || stop.stop_requested())
          throw failure.within(what);
        log_.warn(what + ": " + failure.what() + "; trying again");
        throttle_.rest(std::chrono::seconds(count), stop);
      }
    }
  };
  while (!stop.stop_requested()) {
    auto task = work.next(stop);
    if (!task) return;
    if (const auto* planned = std::get_if<const sql::Table*>(&*task)) {
      const auto& table = **planned;
      std::vector<Chunk> plan;
      attempt("planning the copy of " + table.name.text(),
              [&] { plan = plan_table(sessions, table, options_.bytes_per_chunk, stop); });
      progress_.chunks += plan.size();
      work.planned(&table, std::move(plan));
      continue;
    }
    const auto& [table, chunk] = std::get<std::pair<const sql::Table*, Chunk>>(*task);
    attempt("chunk " + std::to_string(chunk.number) + " of " + table->name.text(), [&, table = table, &chunk = chunk] {
      throttle_.wait_for_source(*sessions.source, stop);
      if (table->row_key() != nullptr)
        copy_chunk(sessions, *table, chunk, progress_, throttle_, stop);
      else
        copy_exact(sessions, source_, *table, chunk, progress_, throttle_, stop);
    });
    ++progress_.chunks_done;
    if (work.done(table)) ++progress_.tables_done;
  }
}

void create_progress_tables(mysql::Session& target) {
  create_chunk_table(target);
  create_exact_table(target);
}

void discard_copy(mysql::Session& target, const std::vector<sql::Table>& tables) {
  create_progress_tables(target);
  // The plan first: rows without a plan are seen, a plan that says done without its rows is not.
  target.execute("DELETE FROM reseal.chunk");
  target.execute("DELETE FROM reseal.exact");
  for (const auto& table : tables) target.execute("TRUNCATE TABLE " + table.name.quoted());
}

std::map<sql::TableName, sql::SourcePosition> exact_positions(mysql::Session& target) {
  std::map<sql::TableName, sql::SourcePosition> positions;
  for (const auto& row : target.query("SELECT table_schema, table_name, binlog, gtids FROM reseal.exact"))
    positions[{row[0].value_or(""), row[1].value_or("")}] = {
        base::value_or_fail(sql::BinlogPosition::parse(row[2].value_or("")), "reseal.exact"),
        base::value_or_fail(sql::GtidSet::parse(row[3].value_or("")), "reseal.exact")};
  return positions;
}

}  // namespace reseal::seed

// SPDX-License-Identifier: Apache-2.0
#include "verify/verify_pass.hpp"

#include <algorithm>
#include <functional>
#include <map>

#include "base/failure.hpp"
#include "base/task_group.hpp"
#include "verify/table_shape.hpp"
#include "verify/whole_table.hpp"

namespace reseal::verify {
namespace {

using base::Failure;

/// Cuts both connections when a stop is asked for, so that a long query ends at once.
class CutOnStop final {
 public:
  CutOnStop(std::stop_token stop, mysql::Session& source, mysql::Session& target)
      : callback_(std::move(stop), [&source, &target] {
          source.kill_switch();
          target.kill_switch();
        }) {}

 private:
  std::stop_callback<std::function<void()>> callback_;
};

std::uint64_t rows_per_chunk(const sql::Table& table, const Options& options) {
  if (table.estimated_rows == 0) return options.rows_per_chunk;
  const auto row_bytes = std::max<std::uint64_t>(1, table.estimated_bytes / table.estimated_rows);
  return std::clamp<std::uint64_t>(options.bytes_per_chunk / row_bytes, 1, options.rows_per_chunk);
}

sql::KeyValues key_values(const mysql::Row& row) {
  sql::KeyValues values;
  for (const auto& cell : row) values.push_back(cell.value_or(""));
  return values;
}

}  // namespace

VerifyPass::VerifyPass(const Verifier::OpenSession& open_source, const Verifier::OpenSession& open_target,
                       const Options& options, const std::vector<sql::Table>& tables,
                       const WaitUntilFollowed& wait_until_followed, const Progress& progress)
    : open_source_(open_source),
      open_target_(open_target),
      options_(options),
      wait_until_followed_(wait_until_followed),
      progress_(progress) {
  std::vector<const sql::Table*> in_order;
  for (const auto& table : tables) in_order.push_back(&table);
  std::sort(in_order.begin(), in_order.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  for (const auto* table : in_order) {
    auto& state = states_.emplace_back();
    state.table = table;
    state.key = usable_key(*table);
  }
}

VerifyReport VerifyPass::run(std::stop_token stop) {
  drop_tables_that_do_not_match();
  base::TaskGroup group(stop);
  group.start([this](std::stop_token group_stop) { cut(group_stop); });
  for (unsigned i = 0; i < std::max(1U, options_.threads); ++i)
    group.start([this](std::stop_token group_stop) { work(group_stop); });
  group.join();
  if (!suspects_.empty() && !stop.stop_requested()) {
    auto pair = open();
    const CutOnStop cut_on_stop(stop, pair.source, pair.target);
    settle_suspects(pair, 1, stop);
  }
  return finish();
}

void VerifyPass::drop_tables_that_do_not_match() {
  std::vector<const sql::Table*> tables;
  for (const auto& state : states_) tables.push_back(state.table);
  auto target = open_target_();
  const auto mismatches = shape_mismatches(target, tables);
  for (auto& state : states_) {
    const auto it = mismatches.find(state.table->name);
    if (it == mismatches.end()) continue;
    report_.unjudged.push_back({state.table->name, Unjudged::Why::not_comparable, it->second, {}});
    state.different = true;
  }
}

void VerifyPass::cut(std::stop_token stop) {
  auto source = open_source_();
  const CutOnStop cut_on_stop(stop, source, source);
  for (auto& state : states_) {
    if (stop.stop_requested()) return;
    try {
      if (!state.different) cut_table(source, state, stop);
    } catch (const Failure& failure) {
      throw failure.within("cutting " + state.table->name.text() + " into chunks");
    }
  }
  chunks_.close();
}

void VerifyPass::cut_table(mysql::Session& source, TableState& state, std::stop_token stop) {
  Chunk chunk{&state, std::nullopt, std::nullopt};
  if (state.key != nullptr) {
    const auto rows = rows_per_chunk(*state.table, options_);
    while (!stop.stop_requested() && !state.different) {
      const auto boundary = source.query(sql::boundary_query(*state.table, *state.key, chunk.lower, rows));
      if (boundary.empty()) break;
      chunk.upper = key_values(boundary.front());
      if (!chunks_.push(chunk, 1, stop)) return;
      chunk.lower = std::move(chunk.upper);
      chunk.upper.reset();
    }
  }
  // The last chunk has no upper end: rows that only the target has beyond the source's last are in it.
  chunks_.push(std::move(chunk), 1, stop);
}

void VerifyPass::work(std::stop_token stop) {
  auto pair = open();
  const CutOnStop cut_on_stop(stop, pair.source, pair.target);
  while (auto chunk = chunks_.pop(stop)) {
    try {
      if (!chunk->table->different) compare_chunk(pair, *chunk, stop);
      settle_suspects(pair, options_.max_suspects, stop);
    } catch (const Failure& failure) {
      throw failure.within("comparing " + chunk->table->table->name.text());
    }
  }
}

void VerifyPass::compare_chunk(Pair& pair, const Chunk& chunk, std::stop_token stop) {
  if (chunk.table->key == nullptr) {
    compare_whole(pair, *chunk.table, stop);
  } else {
    compare_range(pair, chunk, false, stop);
  }
}

// The source is read first: what it shows has then had the time of one reading to reach the target.
void VerifyPass::compare_range(Pair& pair, const Chunk& chunk, bool counted, std::stop_token stop) {
  auto& state = *chunk.table;
  const auto condition = sql::key_range_condition(*state.table, *state.key, chunk.lower, chunk.upper);
  auto source = read_range(pair.source, *state.table, *state.key, condition, options_.key_bytes_per_chunk);
  if (!counted) count(state, source.sum);
  auto target = read_range(pair.target, *state.table, *state.key, condition, options_.key_bytes_per_chunk);
  if (source.sum == target.sum) return;
  if (source.complete && target.complete) {
    add_suspects(state, std::move(source.rows), std::move(target.rows));
  } else {
    split(pair, chunk, source.sum.count() / 2, stop);
  }
}

void VerifyPass::split(Pair& pair, const Chunk& chunk, std::uint64_t rows, std::stop_token stop) {
  auto& state = *chunk.table;
  if (stop.stop_requested() || state.different) return;
  const auto middle = rows == 0 ? std::vector<mysql::Row>()
                                : pair.source.query(sql::boundary_query(*state.table, *state.key, chunk.lower, rows));
  if (middle.empty()) {
    // The target holds a great many rows where the source has hardly one, or the source's rows just went.
    if (!wait_until_followed_) return declare_different(state);
    const std::lock_guard lock(mutex_);
    state.why_unjudged = "the target holds far more rows than the source in one range of keys";
    return;
  }
  auto lower = chunk;
  auto upper = chunk;
  lower.upper = key_values(middle.front());
  upper.lower = lower.upper;
  compare_range(pair, lower, true, stop);
  compare_range(pair, upper, true, stop);
}

void VerifyPass::compare_whole(Pair& pair, TableState& state, std::stop_token stop) {
  const auto finding = compare_whole_table(pair.source, pair.target, *state.table, wait_until_followed_,
                                           options_.look.looks, options_.max_differences, stop);
  count(state, finding.source);
  if (finding.state == WholeTableFinding::State::equal) return;
  if (finding.state == WholeTableFinding::State::needs_quiet) {
    const std::lock_guard lock(mutex_);
    report_.unjudged.push_back({state.table->name,
                                Unjudged::Why::needs_quiet,
                                "it has no key to look rows up by, and it changed at every look",
                                {}});
    return;
  }
  if (finding.differences.empty()) return declare_different(state);
  for (const auto& difference : finding.differences) record(state, difference);
}

void VerifyPass::add_suspects(TableState& state, std::vector<KeyedHash> source, std::vector<KeyedHash> target) {
  const auto by_key = [](const KeyedHash& a, const KeyedHash& b) { return a.key < b.key; };
  std::sort(source.begin(), source.end(), by_key);
  std::sort(target.begin(), target.end(), by_key);
  const auto suspect = [&](const KeyedHash& row, Difference::Kind kind) {
    if (!wait_until_followed_) return record(state, {state.table->name, key_digest(row.key), kind});
    const std::lock_guard lock(mutex_);
    suspects_.push_back({state.table, row.key});
    ++report_.suspects;
  };
  auto s = source.begin();
  auto t = target.begin();
  while (s != source.end() || t != target.end()) {
    if (t == target.end() || (s != source.end() && s->key < t->key)) {
      suspect(*s++, Difference::Kind::only_on_source);
    } else if (s == source.end() || t->key < s->key) {
      suspect(*t++, Difference::Kind::only_on_target);
    } else {
      if (s->hash != t->hash) suspect(*s, Difference::Kind::differs);
      ++s, ++t;
    }
  }
}

void VerifyPass::settle_suspects(Pair& pair, std::size_t at_least, std::stop_token stop) {
  std::vector<Suspect> batch;
  {
    const std::lock_guard lock(mutex_);
    if (suspects_.size() < at_least) return;
    batch.swap(suspects_);
  }
  std::erase_if(batch, [this](const Suspect& one) { return state_of(one.table).different.load(); });
  auto verdicts = settle(pair.source, pair.target, batch, wait_until_followed_, options_.look, stop);
  if (stop.stop_requested()) return;
  for (auto& difference : verdicts.differences) {
    const auto it =
        std::lower_bound(states_.begin(), states_.end(), difference.table,
                         [](const TableState& state, const auto& name) { return state.table->name < name; });
    record(*it, std::move(difference));
  }
  const std::lock_guard lock(mutex_);
  for (const auto& one : verdicts.unsettled) {
    auto& state = state_of(one.table);
    ++state.unsettled;
    if (state.unsettled <= options_.max_suspects) state.unsettled_rows.push_back(decode_key(one.key));
  }
}

void VerifyPass::record(TableState& state, Difference difference) {
  {
    const std::lock_guard lock(mutex_);
    if (state.differences < options_.max_differences) {
      ++state.differences;
      report_.differences.push_back(std::move(difference));
      return;
    }
  }
  declare_different(state);
}

void VerifyPass::declare_different(TableState& state) {
  if (state.different.exchange(true)) return;
  const std::lock_guard lock(mutex_);
  report_.different_tables.push_back(state.table->name);
}

void VerifyPass::count(TableState& state, const HashSum& rows) {
  const std::lock_guard lock(mutex_);
  state.source.add(rows);
  ++report_.chunks;
  if (progress_) progress_(state.table->name, state.source.count());
}

VerifyPass::TableState& VerifyPass::state_of(const sql::Table* table) {
  const auto it = std::lower_bound(states_.begin(), states_.end(), table->name,
                                   [](const TableState& state, const auto& name) { return state.table->name < name; });
  RESEAL_CHECK(it != states_.end());
  return *it;
}

VerifyReport VerifyPass::finish() {
  std::string sums;
  for (auto& state : states_) {
    const auto& name = state.table->name;
    sums += state.source.text() + "\n";
    report_.rows += state.source.count();
    if (state.unsettled > 0) {
      if (state.unsettled > state.unsettled_rows.size()) state.unsettled_rows.clear();
      report_.unjudged.push_back({name, Unjudged::Why::unsettled,
                                  std::to_string(state.unsettled) + " rows changed at every look and were never equal",
                                  std::move(state.unsettled_rows)});
    }
    if (!state.why_unjudged.empty())
      report_.unjudged.push_back({name, Unjudged::Why::unsettled, state.why_unjudged, {}});
  }
  report_.tables = states_.size();
  report_.digest = hexadecimal(sha256(sums));
  const auto order = [](const Difference& a, const Difference& b) {
    return std::tie(a.table, a.kind, a.key_text) < std::tie(b.table, b.kind, b.key_text);
  };
  std::sort(report_.differences.begin(), report_.differences.end(), order);
  std::sort(report_.different_tables.begin(), report_.different_tables.end());
  return std::move(report_);
}

}  // namespace reseal::verify

// SPDX-License-Identifier: Apache-2.0
#include "verify/second_look.hpp"

#include <algorithm>
#include <map>

#include "base/failure.hpp"
#include "verify/row_reader.hpp"

namespace reseal::verify {
namespace {

using Reading = SuspectMachine::Reading;

struct Watched {
  const Suspect* suspect;
  SuspectMachine machine;
  bool open() const { return machine.state() == SuspectMachine::State::open; }
};

/// Reads all rows that are still open on one server and hands each its reading.
void read_open(mysql::Session& session, std::vector<Watched>& watched, std::size_t keys_per_query,
               void (SuspectMachine::*take)(const Reading&)) {
  std::map<const sql::Table*, std::vector<Watched*>> by_table;
  for (auto& one : watched)
    if (one.open()) by_table[one.suspect->table].push_back(&one);
  for (const auto& [table, rows] : by_table) {
    std::vector<std::string> keys;
    keys.reserve(rows.size());
    for (const auto* row : rows) keys.push_back(row->suspect->key);
    const auto* key = usable_key(*table);
    RESEAL_CHECK(key != nullptr);
    const auto hashes = read_keys(session, *table, *key, keys, keys_per_query);
    for (auto* row : rows) {
      const auto it = hashes.find(row->suspect->key);
      (row->machine.*take)(it == hashes.end() ? Reading() : Reading(it->second));
    }
  }
}

void look(mysql::Session& source, mysql::Session& target, std::vector<Watched>& watched,
          const WaitUntilFollowed& wait_until_followed, const LookOptions& options, std::stop_token stop) {
  read_open(source, watched, options.keys_per_query, &SuspectMachine::begin_look);
  wait_until_followed(stop);
  for (unsigned round = 0; round < options.rounds && !stop.stop_requested(); ++round) {
    read_open(target, watched, options.keys_per_query, &SuspectMachine::read_target);
    read_open(source, watched, options.keys_per_query, &SuspectMachine::read_source);
  }
  for (auto& one : watched)
    if (one.open()) one.machine.end_look();
}

}  // namespace

void SuspectMachine::begin_look(const Reading& source) {
  source_ = {source};
  target_.clear();
}

void SuspectMachine::read_target(const Reading& target) {
  if (std::find(target_.begin(), target_.end(), target) == target_.end()) target_.push_back(target);
  compare(source_, target);
}

void SuspectMachine::read_source(const Reading& source) {
  if (std::find(source_.begin(), source_.end(), source) == source_.end()) source_.push_back(source);
  compare(target_, source);
}

void SuspectMachine::compare(const std::vector<Reading>& readings, const Reading& with) {
  if (std::find(readings.begin(), readings.end(), with) != readings.end()) state_ = State::equal;
}

bool SuspectMachine::still() const { return source_.size() == 1 && target_.size() == 1; }

void SuspectMachine::end_look() {
  if (state_ != State::open) return;
  if (!still()) {
    still_pair_.reset();
    still_looks_ = 0;
    return;
  }
  const std::pair pair(source_[0], target_[0]);
  still_looks_ = still_pair_ == pair ? still_looks_ + 1 : 1;
  still_pair_ = pair;
  if (still_looks_ >= confirmations_) state_ = State::different;
}

Difference::Kind SuspectMachine::kind() const {
  RESEAL_CHECK(state_ == State::different);
  if (!still_pair_->first) return Difference::Kind::only_on_target;
  return still_pair_->second ? Difference::Kind::differs : Difference::Kind::only_on_source;
}

Verdicts settle(mysql::Session& source, mysql::Session& target, const std::vector<Suspect>& suspects,
                const WaitUntilFollowed& wait_until_followed, const LookOptions& options, std::stop_token stop) {
  std::vector<Watched> watched;
  watched.reserve(suspects.size());
  for (const auto& suspect : suspects) watched.push_back({&suspect, SuspectMachine(options.confirmations)});
  const auto any_open = [&] {
    return std::any_of(watched.begin(), watched.end(), [](const Watched& one) { return one.open(); });
  };
  for (unsigned i = 0; i < options.looks && any_open() && !stop.stop_requested(); ++i)
    look(source, target, watched, wait_until_followed, options, stop);

  Verdicts verdicts;
  for (const auto& one : watched) {
    if (one.open()) {
      verdicts.unsettled.push_back(*one.suspect);
    } else if (one.machine.state() == SuspectMachine::State::different) {
      verdicts.differences.push_back({one.suspect->table->name, key_digest(one.suspect->key), one.machine.kind()});
    }
  }
  return verdicts;
}

}  // namespace reseal::verify

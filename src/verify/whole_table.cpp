// SPDX-License-Identifier: Apache-2.0
#include "verify/whole_table.hpp"

#include <map>
#include <optional>
#include <utility>

#include "verify/row_reader.hpp"

namespace reseal::verify {
namespace {

constexpr std::size_t bucket_count = 4096;

BucketSums read_buckets(mysql::Session& session, const sql::Table& table) {
  BucketSums sums;
  read_rows(session, table, nullptr, "TRUE", [&](std::string&&, const RowHash& hash) { sums.add(hash); });
  return sums;
}

using Balance = std::map<RowHash, std::int64_t>;  ///< copies on the source minus copies on the target

/// Adds the rows of the buckets that differ; false when they are more than `limit`, and the balance is useless then.
bool add_differing(mysql::Session& session, const sql::Table& table, const BucketSums& source, const BucketSums& target,
                   int weight, std::size_t limit, Balance& balance) {
  read_rows(session, table, nullptr, "TRUE", [&](std::string&&, const RowHash& hash) {
    const auto bucket = BucketSums::bucket(hash);
    if (balance.size() <= limit && !(source[bucket] == target[bucket])) balance[hash] += weight;
  });
  return balance.size() <= limit;
}

std::vector<Difference> find_differences(mysql::Session& source, mysql::Session& target, const sql::Table& table,
                                         const BucketSums& source_sums, const BucketSums& target_sums,
                                         std::size_t max_differences) {
  // Buckets hold equal rows beside the differing ones, so the limit of rows held is wider than the one of differences.
  const auto limit = max_differences * 16;
  Balance balance;
  if (!add_differing(source, table, source_sums, target_sums, 1, limit, balance)) return {};
  if (!add_differing(target, table, source_sums, target_sums, -1, limit, balance)) return {};
  std::vector<Difference> differences;
  for (const auto& [hash, copies] : balance)
    for (auto left = copies; left != 0; left += left > 0 ? -1 : 1) {
      if (differences.size() == max_differences) return {};
      differences.push_back({table.name, hexadecimal(hash),
                             left > 0 ? Difference::Kind::only_on_source : Difference::Kind::only_on_target});
    }
  return differences;
}

}  // namespace

BucketSums::BucketSums() : sums_(bucket_count) {}

HashSum BucketSums::total() const {
  HashSum total;
  for (const auto& sum : sums_) total.add(sum);
  return total;
}

WholeTableFinding compare_whole_table(mysql::Session& source, mysql::Session& target, const sql::Table& table,
                                      const WaitUntilFollowed& wait_until_followed, unsigned looks,
                                      std::size_t max_differences, std::stop_token stop) {
  WholeTableFinding finding;
  std::optional<std::pair<BucketSums, BucketSums>> before;
  for (unsigned look = 0; look < looks && !stop.stop_requested(); ++look) {
    auto source_sums = read_buckets(source, table);
    if (look == 0) finding.source = source_sums.total();
    if (wait_until_followed) wait_until_followed(stop);
    auto target_sums = read_buckets(target, table);
    if (source_sums == target_sums) return finding;
    std::pair now(std::move(source_sums), std::move(target_sums));
    if (!wait_until_followed || before == now) {
      finding.state = WholeTableFinding::State::different;
      finding.differences = find_differences(source, target, table, now.first, now.second, max_differences);
      return finding;
    }
    before = std::move(now);
  }
  finding.state = WholeTableFinding::State::needs_quiet;
  return finding;
}

}  // namespace reseal::verify

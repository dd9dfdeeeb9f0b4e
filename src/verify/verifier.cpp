// SPDX-License-Identifier: Apache-2.0
#include "verify/verifier.hpp"

#include <chrono>
#include <utility>

#include "base/failure.hpp"
#include "verify/row_reader.hpp"
#include "verify/verify_pass.hpp"

namespace reseal::verify {

using base::Failure;
using base::FailureKind;

Verifier::Verifier(OpenSession open_source, OpenSession open_target, Options options)
    : open_source_(std::move(open_source)), open_target_(std::move(open_target)), options_(options) {}

VerifyReport Verifier::compare(const std::vector<sql::Table>& tables, const WaitUntilFollowed& wait_until_followed,
                               std::stop_token stop, const Progress& progress) {
  const auto begin = std::chrono::steady_clock::now();
  VerifyPass pass(open_source_, open_target_, options_, tables, wait_until_followed, progress);
  const auto interrupted = [] {
    return Failure(FailureKind::interrupted, "the comparison was stopped; nothing was changed");
  };
  try {
    auto report = pass.run(stop);
    if (stop.stop_requested()) throw interrupted();
    report.duration = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
    return report;
  } catch (const Failure&) {
    // A stop cuts the connections: what comes of that is the stop's doing.
    if (stop.stop_requested()) throw interrupted();
    throw;
  }
}

std::vector<Difference> Verifier::compare_keys(const sql::Table& table, const std::vector<sql::KeyValues>& keys) {
  auto source = open_source_();
  auto target = open_target_();
  return compare_keys(source, target, table, keys, options_.look.keys_per_query);
}

std::vector<Difference> Verifier::compare_keys(mysql::Session& source, mysql::Session& target, const sql::Table& table,
                                               const std::vector<sql::KeyValues>& keys, std::size_t keys_per_query) {
  const auto* key = usable_key(table);
  if (key == nullptr)
    throw Failure(FailureKind::unsupported,
                  table.name.text() + " has no key to look rows up by; compare it as a whole");
  std::vector<std::string> encoded;
  encoded.reserve(keys.size());
  for (const auto& values : keys) encoded.push_back(encode_key(values));
  const auto source_rows = read_keys(source, table, *key, encoded, keys_per_query);
  auto target_rows = read_keys(target, table, *key, encoded, keys_per_query);

  std::vector<Difference> differences;
  for (const auto& [row_key, hash] : source_rows) {
    const auto it = target_rows.find(row_key);
    if (it == target_rows.end()) {
      differences.push_back({table.name, key_digest(row_key), Difference::Kind::only_on_source});
      continue;
    }
    if (it->second != hash) differences.push_back({table.name, key_digest(row_key), Difference::Kind::differs});
    target_rows.erase(it);
  }
  for (const auto& [row_key, hash] : target_rows)
    differences.push_back({table.name, key_digest(row_key), Difference::Kind::only_on_target});
  return differences;
}

}  // namespace reseal::verify

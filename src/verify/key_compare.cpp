// SPDX-License-Identifier: Apache-2.0
#include "verify/key_compare.hpp"

#include <future>
#include <map>

#include "base/failure.hpp"
#include "verify/row_reader.hpp"

namespace reseal::verify {
namespace {

using Rows = std::map<std::string, RowHash>;

void append_differences(std::vector<KeyDifference>& differences, const Rows& source, Rows target) {
  for (const auto& [key, hash] : source) {
    const auto it = target.find(key);
    if (it == target.end()) {
      differences.push_back({decode_key(key), Difference::Kind::only_on_source});
      continue;
    }
    if (it->second != hash) differences.push_back({decode_key(key), Difference::Kind::differs});
    target.erase(it);
  }
  for (const auto& [key, hash] : target) differences.push_back({decode_key(key), Difference::Kind::only_on_target});
}

}  // namespace

std::vector<KeyDifference> compare_keys(mysql::Session& source, mysql::Session& target, const sql::Table& table,
                                        const std::vector<sql::KeyValues>& keys, Order order,
                                        std::size_t keys_per_query) {
  const auto* key = usable_key(table);
  if (key == nullptr)
    throw base::Failure(base::FailureKind::unsupported,
                        table.name.text() + " has no key to look rows up by; compare it as a whole");
  std::vector<KeyDifference> differences;
  for (std::size_t next = 0; next < keys.size(); next += keys_per_query) {
    std::vector<std::string> part;
    for (std::size_t i = next; i < std::min(next + keys_per_query, keys.size()); ++i)
      part.push_back(encode_key(keys[i]));
    const auto read = [&](mysql::Session& session) { return read_keys(session, table, *key, part, keys_per_query); };
    auto of_source =
        std::async(order == Order::at_once ? std::launch::async : std::launch::deferred, read, std::ref(source));
    if (order == Order::source_first) of_source.wait();
    auto of_target = read(target);
    append_differences(differences, of_source.get(), std::move(of_target));
  }
  return differences;
}

Difference reported(const sql::Table& table, const KeyDifference& difference) {
  return {table.name, key_digest(encode_key(difference.key)), difference.kind};
}

}  // namespace reseal::verify

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <future>
#include <map>

#include "provision/provisioner.hpp"
#include "sql/quote.hpp"

namespace reseal::provision {
namespace {

using Counters = std::map<sql::TableName, std::uint64_t>;

std::string counted_tables(const std::vector<sql::Table>& tables) {
  std::string list;
  for (const auto& table : tables) {
    const bool counts = std::any_of(table.columns.begin(), table.columns.end(),
                                    [](const sql::Column& column) { return column.auto_increment; });
    if (!counts) continue;
    list +=
        (list.empty() ? "(" : ",(") + sql::quote_text(table.name.schema) + "," + sql::quote_text(table.name.name) + ")";
  }
  return list;
}

// Without the expiry of 0 the server answers from statistics that may be a day old (MySQL manual,
// "information_schema_stats_expiry"). 5.7 has no such variable and always looks.
Counters counters(mysql::Session& session, const std::string& list) {
  const auto expiry = session.query("SHOW SESSION VARIABLES LIKE 'information_schema_stats_expiry'");
  if (!expiry.empty() && expiry[0][1] != "0") session.execute("SET SESSION information_schema_stats_expiry=0");
  Counters found;
  for (const auto& row : session.query("SELECT TABLE_SCHEMA, TABLE_NAME, AUTO_INCREMENT FROM information_schema.TABLES"
                                       " WHERE (TABLE_SCHEMA, TABLE_NAME) IN (" +
                                       list + ")")) {
    std::uint64_t value = 0;
    if (row[2]) std::from_chars(row[2]->data(), row[2]->data() + row[2]->size(), value);
    found[{row[0].value_or(""), row[1].value_or("")}] = value;
  }
  return found;
}

}  // namespace

std::size_t align_auto_increment(mysql::Session& source, mysql::Session& target,
                                 const std::vector<sql::Table>& tables) {
  const auto list = counted_tables(tables);
  if (list.empty()) return 0;
  // Clients wait for this: both are asked at once.
  auto asked = std::async(std::launch::async, [&] { return counters(source, list); });
  const auto present = counters(target, list);
  const auto wanted = asked.get();
  std::size_t moved = 0;
  for (const auto& [name, next] : wanted) {
    const auto it = present.find(name);
    if (it == present.end())
      throw base::Failure(base::FailureKind::target, "table " + name.text() + " is missing on the target");
    if (it->second >= next) continue;
    target.execute("ALTER TABLE " + name.quoted() + " AUTO_INCREMENT=" + std::to_string(next));
    ++moved;
  }
  return moved;
}

}  // namespace reseal::provision

// SPDX-License-Identifier: Apache-2.0
#include "proxy/census.hpp"

#include <array>
#include <chrono>
#include <cstdlib>

namespace reseal::proxy {
namespace {

struct Question {
  const char* obstacle;
  const char* before;  ///< the statement up to the list of ids
};

// What a session is shown to hold outside of a transaction is held by itself. MEMORY and MyISAM are seen by the memory
// that their open tables take, which a session's temporary tables do until they are dropped.
constexpr std::array<Question, 6> questions = {{
    {"user variables",
     "SELECT DISTINCT t.PROCESSLIST_ID FROM performance_schema.threads t JOIN"
     " performance_schema.user_variables_by_thread u ON u.THREAD_ID = t.THREAD_ID WHERE t.PROCESSLIST_ID IN "},
    {"locks (LOCK TABLES, GET_LOCK, HANDLER or the like)",
     "SELECT DISTINCT t.PROCESSLIST_ID FROM performance_schema.threads t JOIN performance_schema.metadata_locks m ON"
     " m.OWNER_THREAD_ID = t.THREAD_ID WHERE t.PROCESSLIST_ID IN "},
    {"a resource group of its own",
     "SELECT t.PROCESSLIST_ID FROM performance_schema.threads t WHERE t.RESOURCE_GROUP <> 'USR_default' AND"
     " t.PROCESSLIST_ID IN "},
    {"temporary tables",
     "SELECT DISTINCT ID FROM information_schema.INNODB_SESSION_TEMP_TABLESPACES WHERE PURPOSE = 'USER' AND ID IN "},
    {"temporary tables",
     "SELECT DISTINCT t.PROCESSLIST_ID FROM performance_schema.threads t JOIN"
     " performance_schema.memory_summary_by_thread_by_event_name m ON m.THREAD_ID = t.THREAD_ID WHERE m.EVENT_NAME IN"
     " ('memory/memory/HP_INFO', 'memory/myisam/MI_INFO') AND m.CURRENT_NUMBER_OF_BYTES_USED > 0 AND t.PROCESSLIST_ID"
     " IN "},
    {"statements prepared by SQL",
     "SELECT DISTINCT t.PROCESSLIST_ID FROM performance_schema.threads t JOIN"
     " performance_schema.prepared_statements_instances p ON p.OWNER_THREAD_ID = t.THREAD_ID WHERE p.STATEMENT_NAME IS"
     " NOT NULL AND t.PROCESSLIST_ID IN "},
}};

constexpr std::chrono::seconds patience{10};

}  // namespace

Census::Census(const mysql::Endpoint& server) : session_(server, mysql::Side::source, patience) {}

std::map<std::uint32_t, std::string> Census::obstacles(const std::vector<std::uint32_t>& connection_ids) {
  std::map<std::uint32_t, std::string> found;
  if (connection_ids.empty()) return found;
  std::string list = "(";
  for (const auto id : connection_ids) list.append(list.size() > 1 ? "," : "").append(std::to_string(id));
  list += ")";
  for (const auto& question : questions)
    for (const auto& row : session_.query(question.before + list))
      if (row[0])
        found.emplace(static_cast<std::uint32_t>(std::strtoul(row[0]->c_str(), nullptr, 10)), question.obstacle);
  return found;
}

std::map<std::string, std::string> Census::globals() {
  std::map<std::string, std::string> all;
  for (const auto& row :
       session_.query("SELECT VARIABLE_NAME, VARIABLE_VALUE FROM performance_schema.global_variables"))
    if (row[0]) all[*row[0]] = row[1].value_or("");
  return all;
}

}  // namespace reseal::proxy

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
// that their open tables take, which a session's temporary tables do until they are dropped: two questions, since for
// one name the server looks each thread up, and for two it goes through all kinds of memory of all threads.
constexpr std::array<Question, 6> questions = {{
    {"locks (LOCK TABLES, GET_LOCK, HANDLER or the like)",
     "SELECT DISTINCT t.PROCESSLIST_ID FROM performance_schema.threads t JOIN performance_schema.metadata_locks m ON"
     " m.OWNER_THREAD_ID = t.THREAD_ID WHERE t.PROCESSLIST_ID IN "},
    {"a resource group of its own",
     "SELECT t.PROCESSLIST_ID FROM performance_schema.threads t WHERE t.RESOURCE_GROUP <> 'USR_default' AND"
     " t.PROCESSLIST_ID IN "},
    {"temporary tables",
     "SELECT DISTINCT ID FROM information_schema.INNODB_SESSION_TEMP_TABLESPACES WHERE PURPOSE = 'USER' AND ID IN "},
    {"temporary tables",
     "SELECT t.PROCESSLIST_ID FROM performance_schema.threads t JOIN"
     " performance_schema.memory_summary_by_thread_by_event_name m ON m.THREAD_ID = t.THREAD_ID WHERE m.EVENT_NAME ="
     " 'memory/memory/HP_INFO' AND m.CURRENT_NUMBER_OF_BYTES_USED > 0 AND t.PROCESSLIST_ID IN "},
    {"temporary tables",
     "SELECT t.PROCESSLIST_ID FROM performance_schema.threads t JOIN"
     " performance_schema.memory_summary_by_thread_by_event_name m ON m.THREAD_ID = t.THREAD_ID WHERE m.EVENT_NAME ="
     " 'memory/myisam/MI_INFO' AND m.CURRENT_NUMBER_OF_BYTES_USED > 0 AND t.PROCESSLIST_ID IN "},
    {"statements prepared by SQL",
     "SELECT DISTINCT t.PROCESSLIST_ID FROM performance_schema.threads t JOIN"
     " performance_schema.prepared_statements_instances p ON p.OWNER_THREAD_ID = t.THREAD_ID WHERE p.STATEMENT_NAME IS"
     " NOT NULL AND t.PROCESSLIST_ID IN "},
}};

constexpr std::chrono::seconds patience{10};
constexpr std::uint64_t most_user_variables = 256 * 1024;  // bytes of one session's

std::string list_of(const std::vector<std::uint32_t>& ids) {
  std::string list = "(";
  for (const auto id : ids) list.append(list.size() > 1 ? "," : "").append(std::to_string(id));
  return list + ")";
}

std::uint64_t number(const std::optional<std::string>& text) {
  return text ? std::strtoull(text->c_str(), nullptr, 10) : 0;
}

std::uint32_t id(const std::optional<std::string>& text) { return static_cast<std::uint32_t>(number(text)); }

}  // namespace

Census::Census(const mysql::Endpoint& server)
    : session_(server, mysql::Side::source, patience),
      names_(read_names(
          session_.query("SELECT v.VARIABLE_NAME, g.VARIABLE_NAME IS NOT NULL FROM performance_schema.threads t JOIN"
                         " performance_schema.variables_by_thread v ON v.THREAD_ID = t.THREAD_ID LEFT JOIN"
                         " performance_schema.global_variables g ON g.VARIABLE_NAME = v.VARIABLE_NAME"
                         " WHERE t.PROCESSLIST_ID = CONNECTION_ID()"))) {}

MoveOrder Census::order(Where to, const std::vector<std::uint32_t>& sessions) {
  MoveOrder order;
  order.to = to;
  order.names = names_;
  order.globals = session_.query(globals_query(names_));
  if (!sessions.empty()) {
    find_obstacles(list_of(sessions), order);
    find_user_variables(list_of(sessions), order);
  }
  return order;
}

void Census::find_obstacles(const std::string& list, MoveOrder& order) {
  for (const auto& question : questions)
    for (const auto& row : session_.query(question.before + list))
      if (row[0]) order.obstacles.emplace(id(row[0]), question.obstacle);
}

void Census::find_user_variables(const std::string& list, MoveOrder& order) {
  std::map<std::uint32_t, std::uint64_t> sizes;
  for (const auto& row :
       session_.query("SELECT t.PROCESSLIST_ID, u.VARIABLE_NAME, COALESCE(LENGTH(u.VARIABLE_VALUE), 0)"
                      " FROM performance_schema.threads t JOIN performance_schema.user_variables_by_thread u"
                      " ON u.THREAD_ID = t.THREAD_ID WHERE t.PROCESSLIST_ID IN " +
                      list)) {
    const auto session = id(row[0]);
    const auto name = row[1].value_or("");
    if (!is_ascii(name)) order.obstacles.emplace(session, "user variables with letters beyond ASCII in their names");
    if ((sizes[session] += number(row[2])) > most_user_variables)
      order.obstacles.emplace(session, "user variables of more than 256 KiB");
    order.user_variables[session].push_back(name);
  }
}

}  // namespace reseal::proxy

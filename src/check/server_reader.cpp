// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "check/readers.hpp"

namespace reseal::check {
namespace {

using base::Failure;
using base::FailureKind;

struct Advice {
  unsigned error;
  const char* next;
};

// Client and server error numbers of a failed log-in (MySQL manual, "Client Error Message Reference" and "Server Error
// Message Reference").
constexpr Advice advices[] = {
    {1044, "grant the account its privileges, see the manual page for the list per side"},
    {1045, "check the user and the password, and that the account may log in from this machine"},
    {1129,
     "the server has blocked this machine after failed log-ins: run FLUSH HOSTS or TRUNCATE TABLE "
     "performance_schema.host_cache on it"},
    {1130, "create the account for this machine's address: the server knows no account that may log in from here"},
    {1040, "the server has no free connection: raise max_connections or wait"},
    {1251, "the account's authentication plugin is not supported: change it to caching_sha2_password"},
    {1275, "the account's authentication plugin is not supported: change it to caching_sha2_password"},
    {1524, "the server has no such authentication plugin: change the account to caching_sha2_password"},
    {1862, "the account's password has expired: set a new one with ALTER USER"},
    {3118, "the account is locked: unlock it with ALTER USER … ACCOUNT UNLOCK"},
    {3159, "the server insists on TLS: use --ssl-mode=REQUIRED or stronger"},
    {2002, "check that the server runs and that the socket or the address is right"},
    {2003, "check that the server runs, and that host, port and firewall let this machine in"},
    {2005, "check the host name: it has no address"},
    {2006, "the server closed the connection: look into its error log"},
    {2013,
     "the server closed the connection while it was being set up: look into its error log, and check that the port "
     "is MySQL's own"},
    {2026,
     "TLS could not be agreed on: check --ssl-ca against the server's certificate, or that the server has TLS on"},
    {2059, "the account's authentication plugin is not supported: change it to caching_sha2_password"},
    {2061, "the password may only be sent over TLS: use --ssl-mode=REQUIRED or stronger"},
};

void read_variables(mysql::Session& session, ServerState& server) {
  for (auto& row : session.query("SHOW GLOBAL VARIABLES"))
    server.variables.emplace(row[0].value_or(""), row[1].value_or(""));
}

void read_privileges(mysql::Session& session, ServerState& server) {
  server.account = session.scalar("SELECT CURRENT_USER()").value_or("");
  // Without USING the server adds what the session's active roles bring (MySQL manual, "SHOW GRANTS Statement").
  for (const auto& row : session.query("SHOW GRANTS"))
    server.privileges.add(base::value_or_fail(parse_grant(row[0].value_or("")), "SHOW GRANTS"));
}

void read_channels(mysql::Session& session, ServerState& server) {
  for (auto& row :
       session.query("SELECT c.CHANNEL_NAME, c.HOST, s.SERVICE_STATE='ON' OR a.SERVICE_STATE='ON'"
                     " FROM performance_schema.replication_connection_configuration c"
                     " LEFT JOIN performance_schema.replication_connection_status s ON s.CHANNEL_NAME=c.CHANNEL_NAME"
                     " LEFT JOIN performance_schema.replication_applier_status a ON a.CHANNEL_NAME=c.CHANNEL_NAME"))
    server.channels.push_back({row[0].value_or(""), row[1].value_or(""), row[2] == "1"});
}

}  // namespace

std::uint64_t number_in(const mysql::Cell& cell) {
  std::uint64_t value = 0;
  if (cell) std::from_chars(cell->data(), cell->data() + cell->size(), value);
  return value;
}

std::optional<std::string> ServerState::variable(std::string_view name) const {
  const auto it = variables.find(name);
  if (it == variables.end()) return std::nullopt;
  return it->second;
}

std::optional<std::uint64_t> ServerState::number(std::string_view name) const {
  const auto text = variable(name);
  std::uint64_t value = 0;
  if (!text || text->empty()) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return value;
}

std::uint64_t SourceState::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& table : tables) sum += table.estimated_bytes;
  return sum;
}

void Looker::look(std::string_view subject, Severity when_refused, const std::function<void()>& read) {
  try {
    read();
  } catch (const Failure& failure) {
    if (failure.kind() == FailureKind::transient) throw failure.within("looking at " + std::string(subject));
    findings_.push_back({when_refused, "cannot-look", where_, std::string(subject), failure.what(),
                         "what cannot be seen cannot be vouched for",
                         "grant the account what the statement needs, see privilege-missing"});
  }
}

mysql::Session connect(const mysql::Endpoint& endpoint, mysql::Side side, std::chrono::seconds timeout) {
  try {
    return mysql::Session(endpoint, side, timeout);
  } catch (const Failure& failure) {
    for (const auto& advice : advices)
      if (advice.error == failure.server_errno())
        throw Failure(failure.kind(), std::string(failure.what()) + "; " + advice.next + "; nothing was changed",
                      failure.server_errno());
    throw;
  }
}

ServerState read_server(mysql::Session& session, Where where, Looker& looker) {
  ServerState server;
  server.where = where;
  server.address = session.endpoint().text();
  server.local_socket = !session.endpoint().socket.empty();
  server.version = session.scalar("SELECT VERSION()").value_or("");
  server.mariadb = server.version.find("MariaDB") != std::string::npos;
  if (server.mariadb) return server;
  server.facts = mysql::server_facts(session);
  // With an expiry the server would keep fresh statistics in mysql.table_stats, which is a write.
  if (server.facts.at_least(8, 0)) session.execute("SET SESSION information_schema_stats_expiry=0");
  looker.look("its variables", Severity::blocker, [&] { read_variables(session, server); });
  looker.look("the account's grants", Severity::blocker, [&] { read_privileges(session, server); });
  looker.look("replication channels", Severity::blocker, [&] { read_channels(session, server); });
  for (const auto& row : session.query("SHOW SESSION STATUS LIKE 'Ssl_cipher'"))
    server.tls_cipher = row[1].value_or("");
  for (const auto& row : session.query("SHOW GLOBAL STATUS LIKE 'Threads_connected'"))
    server.threads_connected = number_in(row[1]);
  return server;
}

}  // namespace reseal::check

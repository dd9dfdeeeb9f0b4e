// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "check/rules.hpp"

namespace reseal::check {
namespace {

bool mysql_server(const ServerState& server, Findings& findings) {
  if (!server.mariadb) return true;
  findings.push_back({Severity::blocker, "not-mysql", server.where, server.address, "the server is " + server.version,
                      "MariaDB's binary log, JSON and system tables are not MySQL's", "use a MySQL server"});
  return false;
}

void same_server(const ServerState& source, const ServerState& target, Findings& findings) {
  if (source.facts.uuid != target.facts.uuid) {
    if (source.facts.server_id == target.facts.server_id)
      findings.push_back({Severity::warning, "same-server-id", Where::both, "server_id",
                          fmt::format("both servers have the server_id {}", source.facts.server_id),
                          "a server ignores events with its own id, so neither could be a replica of the other",
                          fmt::format("on the target: SET PERSIST server_id={}", target.facts.server_id + 1)});
    return;
  }
  const auto same = [&](const char* name) { return source.variable(name) == target.variable(name); };
  const bool one = same("hostname") && same("port") && same("datadir") && same("pid_file");
  findings.push_back(
      {Severity::blocker, "same-server", Where::both, "server_uuid",
       one ? "source and target are one and the same server, seen as " + source.address + " and " + target.address
           : "source and target carry the same server_uuid " + source.facts.uuid,
       "the copy would be written over its own source, and two servers with one identity cannot follow each other",
       one ? "give the address of the new, encrypted server as the target"
           : "the target was cloned with its auto.cnf: stop it, remove auto.cnf from its data folder, start it"});
}

void versions(const ServerState& source, const ServerState& target, Findings& findings) {
  if (!source.facts.at_least(5, 7))
    findings.push_back({Severity::blocker, "source-version", Where::source, source.address,
                        "the source runs MySQL " + source.version, "servers before 5.7 are not supported",
                        "upgrade the source to 5.7 or later first"});
  if (!target.facts.at_least(8, 0))
    findings.push_back({Severity::blocker, "target-version", Where::target, target.address,
                        "the target runs MySQL " + target.version,
                        "servers before 8.0 cannot encrypt their redo, undo and binary logs",
                        "use a target of MySQL 8.0.16 or later"});
  if (!target.facts.at_least(source.facts.major, source.facts.minor))
    findings.push_back({Severity::blocker, "target-older", Where::target, target.address,
                        "the target runs MySQL " + target.version + ", the source " + source.version,
                        "an older server may lack types, collations and syntax that the source uses",
                        "use a target of at least the source's version"});
}

}  // namespace

bool identity_rules(const ServerState& source, const ServerState& target, Findings& findings) {
  const bool source_fits = mysql_server(source, findings);
  const bool target_fits = mysql_server(target, findings);
  if (!source_fits || !target_fits) return false;
  same_server(source, target, findings);
  versions(source, target, findings);
  return true;
}

void connection_rules(const CheckRequest& request, const ServerState& server, Findings& findings) {
  if (server.tls_cipher.empty() && !server.local_socket)
    findings.push_back({Severity::warning, "no-tls", server.where, server.address, "our connection is not encrypted",
                        "rows, and the password's exchange, travel in the clear",
                        "use --ssl-mode=VERIFY_IDENTITY with --ssl-ca"});
  const auto most = server.number("max_connections").value_or(0);
  const auto used = server.threads_connected;
  const auto needed = request.sessions_needed;
  if (most >= used + needed || most == 0) return;
  const auto severity = most < needed ? Severity::blocker : Severity::warning;
  findings.push_back({severity, "max-connections", server.where, "max_connections",
                      fmt::format("{} of {} connections are in use; a run opens up to {}", used, most, needed),
                      "a run that finds no free connection waits, and the cutover would be given up",
                      fmt::format("SET PERSIST max_connections={}", used + needed + 50)});
}

}  // namespace reseal::check

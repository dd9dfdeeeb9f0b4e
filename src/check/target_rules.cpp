// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>

#include "check/rules.hpp"

namespace reseal::check {
namespace {

constexpr std::array<WantedValue, 4> wanted_values = {{
    {"default_table_encryption", "ON", Severity::blocker, "target-default-encryption", false,
     "tables would be created in the clear", "SET PERSIST default_table_encryption=ON"},
    {"innodb_redo_log_encrypt", "ON", Severity::blocker, "target-redo-plain", false,
     "every changed row would be written to the redo log in the clear", "SET PERSIST innodb_redo_log_encrypt=ON"},
    {"innodb_undo_log_encrypt", "ON", Severity::blocker, "target-undo-plain", false,
     "old row versions would be written to the undo log in the clear", "SET PERSIST innodb_undo_log_encrypt=ON"},
    {"local_infile", "ON", Severity::blocker, "local-infile", false,
     "rows are loaded with LOAD DATA LOCAL, the fastest way in; no file is read from any disk",
     "SET GLOBAL local_infile=ON"},
}};

void encryption(const TargetState& target, Findings& findings) {
  const auto& server = target.server;
  if (target.keyring.empty())
    findings.push_back({Severity::blocker, "target-keyring", Where::target, "keyring",
                        "no keyring component or plugin is active", "without a key nothing can be encrypted",
                        "install a keyring component (component_keyring_file or your key manager's) and restart it"});
  if (server.is("log_bin", "ON"))
    expect(server,
           {"binlog_encryption", "ON", Severity::blocker, "target-binlog-plain", false,
            "every changed row would be written to the binary log in the clear", "SET PERSIST binlog_encryption=ON"},
           findings);
  if (target.mysql_tablespace != "Y")
    findings.push_back({Severity::blocker, "target-mysql-tablespace", Where::target, "tablespace mysql",
                        "the tablespace of the mysql schema is not encrypted",
                        "accounts, routines and the names of all objects would lie in the clear",
                        "ALTER TABLESPACE mysql ENCRYPTION='Y'"});
}

void logs_in_clear(const ServerState& server, Findings& findings) {
  if (server.is("log_output", "NONE")) return;
  for (const char* log : {"general_log", "slow_query_log"})
    if (server.is(log, "ON"))
      findings.push_back({Severity::warning, "target-log-in-clear", Where::target, log,
                          fmt::format("{} is ON with log_output={}", log, server.variable("log_output").value_or("?")),
                          "statements, and the values in them, are written to a file or a CSV table in the clear",
                          fmt::format("SET PERSIST {}=OFF", log)});
}

void emptiness(const TargetState& target, Findings& findings) {
  if (target.ours) return;
  if (target.run_table)
    findings.push_back({Severity::blocker, "target-not-empty", Where::target, "reseal.run",
                        "the target belongs to another run", "two runs must never write to one target",
                        "resume that run, or cancel it, or use another target"});
  for (const auto& [schema, objects] : target.objects)
    findings.push_back(
        {Severity::blocker, "target-not-empty", Where::target, schema,
         fmt::format("the schema holds {} table(s), view(s) or routine(s) that no run of ours made", objects),
         "what is there would be overwritten or mixed with what comes",
         "use an empty target, or drop the schema if it is not needed"});
}

void writability(const TargetState& target, Findings& findings) {
  if (!target.ours && target.server.is("super_read_only", "ON"))
    findings.push_back({Severity::blocker, "target-read-only", Where::target, "super_read_only",
                        "super_read_only is ON and no run of ours set it", "nothing can be written to the target",
                        "SET PERSIST super_read_only=OFF"});
  if (!target.server.is("log_bin", "ON"))
    findings.push_back({Severity::warning, "target-binlog-off", Where::target, "log_bin",
                        "the target writes no binary log", "there is no way back after the switch",
                        "add log_bin=binlog to its configuration and restart it"});
  for (const auto& channel : target.server.channels)
    findings.push_back({Severity::blocker, "target-is-replica", Where::target,
                        channel.name.empty() ? "the default channel" : "channel " + channel.name,
                        "the target replicates from " + channel.source_host + (channel.running ? "" : ", stopped now"),
                        "somebody else would write to the target", "STOP REPLICA; RESET REPLICA ALL"});
}

void disk(const CheckRequest& request, const SourceState& source, Findings& findings) {
  // Indexes are built after the rows came, and the binary log of the target holds the rows once more.
  const auto needed = source.bytes() * 5 / 2 + 1'000'000'000;
  const auto text = fmt::format("{} tables hold {} MB by the server's statistics; the target needs about {} MB",
                                source.tables.size(), source.bytes() / 1'000'000, needed / 1'000'000);
  if (request.target_free_bytes && *request.target_free_bytes < needed)
    findings.push_back({Severity::blocker, "target-disk", Where::target, "disk",
                        text + fmt::format(", and has {} MB", *request.target_free_bytes / 1'000'000),
                        "a full disk stops the copy", "give the target a larger disk"});
  else
    findings.push_back(
        {Severity::note, "disk-estimate", Where::target, "disk", text,
         fmt::format("the move is expected to take about {} min", estimated_duration(request, source).count() / 60 + 1),
         ""});
}

}  // namespace

void target_rules(const CheckRequest& request, const SourceState& source, const TargetState& target,
                  Findings& findings) {
  for (const auto& wanted : wanted_values) expect(target.server, wanted, findings);
  encryption(target, findings);
  logs_in_clear(target.server, findings);
  emptiness(target, findings);
  writability(target, findings);
  disk(request, source, findings);
}

}  // namespace reseal::check

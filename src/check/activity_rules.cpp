// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "check/rules.hpp"

namespace reseal::check {
namespace {

void transactions(const CheckRequest& request, const SourceState& source, Findings& findings) {
  if (source.prepared_xa > 0)
    findings.push_back({Severity::blocker, "xa-prepared", Where::source, "XA transactions",
                        fmt::format("{} prepared and neither committed nor rolled back", source.prepared_xa),
                        "their rows are in the binary log already, but may still be undone",
                        "XA RECOVER lists them; end each with XA COMMIT or XA ROLLBACK"});
  for (const auto& open : source.transactions) {
    if (open.session == 0 || open.seconds < static_cast<std::uint64_t>(request.long_transaction.count())) continue;
    findings.push_back({Severity::warning, "long-transaction", Where::source, fmt::format("session {}", open.session),
                        fmt::format("its transaction is open for {} s", open.seconds),
                        "the switch waits for open transactions, and gives up when they do not end in time",
                        fmt::format("end it, or KILL {}", open.session)});
  }
}

void replica(const CheckRequest& request, const SourceState& source, Findings& findings) {
  for (const auto& channel : source.server.channels) {
    findings.push_back(
        {request.allow_replica_source ? Severity::note : Severity::blocker, "source-is-replica", Where::source,
         channel.name.empty() ? "the default channel" : "channel " + channel.name,
         "the source is itself a replica of " + (channel.source_host.empty() ? "its group" : channel.source_host) +
             (channel.running ? "" : ", stopped now"),
         "what its own source writes goes on after the switch, and is visible here only with its lag",
         "move its source instead, or allow it with --allow-replica-source, or RESET REPLICA ALL when it is no replica "
         "any more"});
    if (!source.server.is("log_replica_updates", "ON") && !source.server.is("log_slave_updates", "ON"))
      findings.push_back({Severity::blocker, "replica-updates-not-logged", Where::source, "log_replica_updates",
                          "what it receives from its own source is in no binary log", "it could not be followed",
                          "restart it with log_replica_updates=ON"});
  }
}

void write_protection(const SourceState& source, Findings& findings) {
  if (source.server.is("super_read_only", "ON"))
    findings.push_back({Severity::blocker, "source-read-only", Where::source, "super_read_only",
                        "super_read_only is ON: nobody can write, and neither can we",
                        "the run writes marker rows into its own schema on the source",
                        "SET PERSIST super_read_only=OFF, unless an earlier run holds the source fenced"});
  else if (source.server.is("read_only", "ON"))
    findings.push_back({Severity::warning, "source-read-only", Where::source, "read_only",
                        "read_only is ON: no ordinary account can write",
                        "either an earlier run left its fence, or this is not the server that serves",
                        "SET PERSIST read_only=OFF, unless that is what you want"});
}

void bypass(const SourceState& source, Findings& findings) {
  if (source.bypass_accounts.empty()) return;
  findings.push_back({Severity::note, "bypass-accounts", Where::source,
                      fmt::format("{} account(s)", source.bypass_accounts.size()),
                      "SUPER or CONNECTION_ADMIN: " + listed(source.bypass_accounts, 20),
                      "the switch fences the source with super_read_only, which stops them too; but they can lift that"
                      " fence, and they could write on the target before the switch",
                      ""});
}

}  // namespace

void activity_rules(const CheckRequest& request, const SourceState& source, Findings& findings) {
  transactions(request, source, findings);
  replica(request, source, findings);
  write_protection(source, findings);
  bypass(source, findings);
}

}  // namespace reseal::check

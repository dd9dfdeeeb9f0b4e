// SPDX-License-Identifier: Apache-2.0
#include "run/status.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/failure.hpp"
#include "base/log.hpp"

namespace reseal::run {

StatusReport read_status(const std::filesystem::path& state_folder) {
  const auto journal = journal::Journal::look(state_folder);
  if (!journal)
    throw base::Failure(base::FailureKind::refused,
                        "there is no run in " + state_folder.string() + "; `reseal start --state` begins one");
  const auto fact = [&](const char* name) { return journal->fact(name).value_or(""); };
  StatusReport report;
  report.run_id = fact("run_id");
  report.source = fact("source");
  report.source_version = fact("source_version");
  report.target = fact("target");
  report.target_version = fact("target_version");
  report.phase = phase_named(fact("phase")).value_or(Phase::fresh);
  report.progress = fact("progress");
  report.poison = fact("poison");
  report.way_back_broken = fact("way_back_broken");
  report.clearing_away = fact("clearing_away");
  report.verified_rows = fact("verified_rows");
  report.events = journal->events(8);
  return report;
}

std::string render_text(const StatusReport& report) {
  auto text =
      fmt::format("{} ({}, plain) -> {} ({}, encrypted)    phase {}/6 {}\n", report.source, report.source_version,
                  report.target, report.target_version, static_cast<int>(report.phase), name(report.phase));
  if (!report.progress.empty()) text += report.progress + "\n";
  if (!report.verified_rows.empty()) text += "verify  " + report.verified_rows + " rows equal\n";
  if (!report.poison.empty()) text += "POISONED: " + base::printable(report.poison) + "\n";
  if (!report.way_back_broken.empty())
    text += "WAY BACK BROKEN: " + base::printable(report.way_back_broken) +
            (report.poison.empty() ? ". A rollback catches up and compares every row before it leads back" : "") + "\n";
  if (report.clearing_away == "begun")
    text += "finish was begun and not ended: run `reseal finish --execute` again\n";
  else if (!report.clearing_away.empty())
    text += "finish " + base::printable(report.clearing_away) + "\n";
  for (const auto& event : report.events)
    text += fmt::format("  {}  {}: {}\n", event.utc, event.event, base::printable(event.detail));
  return text + fmt::format("STATUS run={} phase={} poisoned={}", report.run_id, name(report.phase),
                            report.poison.empty() ? "no" : "yes");
}

std::string render_json(const StatusReport& report) {
  nlohmann::json events = nlohmann::json::array();
  for (const auto& event : report.events)
    events.push_back({{"utc", event.utc}, {"event", event.event}, {"detail", event.detail}});
  return nlohmann::json{{"run", report.run_id},
                        {"source", report.source},
                        {"target", report.target},
                        {"phase", std::string(name(report.phase))},
                        {"progress", report.progress},
                        {"poison", report.poison},
                        {"way_back_broken", report.way_back_broken},
                        {"clearing_away", report.clearing_away},
                        {"verified_rows", report.verified_rows},
                        {"events", events}}
      .dump();
}

}  // namespace reseal::run

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "journal/journal.hpp"
#include "run/phase.hpp"

namespace reseal::run {

/// A run as its journal shows it. Reads no server, so it works when they are down.
struct StatusReport {
  std::string run_id;
  std::string source;
  std::string source_version;
  std::string target;
  std::string target_version;
  Phase phase = Phase::fresh;
  std::string progress;         ///< the last progress line, empty before the first
  std::string poison;           ///< why the run cannot be armed; empty when it can
  std::string way_back_broken;  ///< why the source does not follow the target; empty when that is not known
  std::string clearing_away;    ///< by `finish`: "begun", "all done" or what is left; empty before it
  std::string verified_rows;    ///< of the last clean comparison
  std::vector<journal::Journal::Event> events;
};

/// Throws Failure(refused) when the folder holds no run.
StatusReport read_status(const std::filesystem::path& state_folder);
std::string render_text(const StatusReport& report);
std::string render_json(const StatusReport& report);

}  // namespace reseal::run

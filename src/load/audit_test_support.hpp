// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "load/audit.hpp"

namespace reseal::load {

/// A folder of this test process.
inline std::filesystem::path scratch() {
  const auto folder = std::filesystem::temp_directory_path() / ("reseal-load-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  return folder;
}

/// What an audit found, without its notes and its last line.
inline std::vector<std::string> lines_of(const AuditReport& report) {
  std::ostringstream out;
  report.print(out);
  std::vector<std::string> lines;
  std::istringstream in(out.str());
  for (std::string line; std::getline(in, line);)
    if (line.rfind("note: ", 0) != 0 && line.rfind("AUDIT ", 0) != 0) lines.push_back(line);
  return lines;
}

}  // namespace reseal::load

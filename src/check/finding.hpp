// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace reseal::check {

/// How much a finding matters. A blocker refuses the start; a warning is the operator's to weigh; a note is told once.
enum class Severity { blocker, warning, note };

/// Which server has to be looked at or mended.
enum class Where { source, target, both };

/// One thing the preconditions ask for and the servers do not show. Never holds a row value or a password.
struct Finding {
  Severity severity = Severity::note;
  std::string code;  ///< stable kebab-case name: "binlog-off"
  Where where = Where::source;
  std::string subject;  ///< the table, account, variable or session it is about
  std::string what;     ///< what was seen
  std::string why;      ///< why it matters to the move
  std::string mend;     ///< the statement or the action that mends it; empty for a note that needs none
};

using Findings = std::vector<Finding>;

struct Counts {
  std::size_t blockers = 0;
  std::size_t warnings = 0;
  std::size_t notes = 0;
};
Counts count(const Findings& findings);
/// No blocker among them.
bool ready(const Findings& findings);

/// Blockers first, then warnings and notes; the order within one severity is kept.
void sort_by_severity(Findings& findings);

/// For people: one paragraph per finding, aligned; the last line is "N blockers, N warnings, N notes".
std::string render_text(const Findings& findings);
/// One JSON object:
/// {"ready":bool,"blockers":N,"warnings":N,"notes":N,"findings":[{severity,code,side,subject,what,why,mend}]}
std::string render_json(const Findings& findings);

}  // namespace reseal::check

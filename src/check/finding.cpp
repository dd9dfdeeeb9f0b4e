// SPDX-License-Identifier: Apache-2.0
#include "check/finding.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.hpp"

namespace reseal::check {
namespace {

const char* name(Severity severity) {
  switch (severity) {
    case Severity::blocker:
      return "blocker";
    case Severity::warning:
      return "warning";
    case Severity::note:
      return "note";
  }
  return "";
}

const char* name(Where where) {
  switch (where) {
    case Where::source:
      return "source";
    case Where::target:
      return "target";
    case Where::both:
      return "both";
  }
  return "";
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

void append_line(std::string& out, const char* label, const std::string& text) {
  if (text.empty()) return;
  out += "         ";
  out += padded(label, 6);
  out += base::printable(text);
  out += '\n';
}

}  // namespace

Counts count(const Findings& findings) {
  const auto of = [&](Severity severity) {
    return static_cast<std::size_t>(std::count_if(
        findings.begin(), findings.end(), [&](const Finding& finding) { return finding.severity == severity; }));
  };
  return {of(Severity::blocker), of(Severity::warning), of(Severity::note)};
}

bool ready(const Findings& findings) { return count(findings).blockers == 0; }

void sort_by_severity(Findings& findings) {
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.severity < b.severity; });
}

std::string render_text(const Findings& findings) {
  std::size_t code_width = 0;
  for (const auto& finding : findings) code_width = std::max(code_width, finding.code.size());
  std::string out;
  for (const auto& finding : findings) {
    out += padded(name(finding.severity), 9) + padded(finding.code, code_width + 2) + padded(name(finding.where), 8) +
           base::printable(finding.subject) + "\n";
    append_line(out, "what", finding.what);
    append_line(out, "why", finding.why);
    append_line(out, "mend", finding.mend);
  }
  const auto counts = count(findings);
  // Always in the plural, so that a program can read the line too.
  return out + std::to_string(counts.blockers) + " blockers, " + std::to_string(counts.warnings) + " warnings, " +
         std::to_string(counts.notes) + " notes\n";
}

std::string render_json(const Findings& findings) {
  const auto counts = count(findings);
  nlohmann::ordered_json out = {{"ready", counts.blockers == 0},
                                {"blockers", counts.blockers},
                                {"warnings", counts.warnings},
                                {"notes", counts.notes},
                                {"findings", nlohmann::ordered_json::array()}};
  for (const auto& finding : findings)
    out["findings"].push_back({{"severity", name(finding.severity)},
                               {"code", finding.code},
                               {"side", name(finding.where)},
                               {"subject", finding.subject},
                               {"what", finding.what},
                               {"why", finding.why},
                               {"mend", finding.mend}});
  // Names that are not valid UTF-8 are shown with a replacement character instead of failing the report.
  return out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace reseal::check

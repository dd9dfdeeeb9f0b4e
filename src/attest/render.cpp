// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "attest/attest.hpp"
#include "base/log.hpp"

namespace reseal::attest {
namespace {

const char* name(Protection protection) {
  switch (protection) {
    case Protection::encrypted:
      return "encrypted";
    case Protection::plain:
      return "plain";
    case Protection::unknown:
      return "unknown";
    case Protection::not_needed:
      return "not-needed";
    case Protection::remains:
      return "remains";
  }
  return "";
}

bool told_in_full(const AttestedItem& item) {
  return item.protection == Protection::plain || item.protection == Protection::unknown ||
         item.protection == Protection::remains;
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

/// "table       214 encrypted, 1 plain", one line per kind in the order of first sight.
std::string summary(const std::vector<AttestedItem>& items) {
  std::vector<std::string> kinds;
  std::map<std::string, std::map<Protection, std::size_t>> counts;
  for (const auto& item : items) {
    if (!counts.contains(item.kind)) kinds.push_back(item.kind);
    ++counts[item.kind][item.protection];
  }
  std::string out;
  for (const auto& kind : kinds) {
    out += "  " + padded(kind, 12);
    bool first = true;
    for (const auto& [protection, number] : counts[kind]) {
      out += (first ? "" : ", ") + std::to_string(number) + " " + name(protection);
      first = false;
    }
    out += "\n";
  }
  return out;
}

std::string scan_text(const AttestReport& report) {
  if (!report.scan) return "data files not scanned: " + base::printable(report.scan_note) + "\n";
  const auto& scan = *report.scan;
  std::string out = "data files scanned in " + base::printable(scan.folder.string()) + " (" +
                    base::printable(report.scan_note) + "): " + std::to_string(scan.files) + " files, " +
                    std::to_string(scan.bytes) + " bytes, " + std::to_string(scan.hits.size()) +
                    " planted texts found in the clear\n";
  for (const auto& hit : scan.hits)
    out += "  canary " + std::to_string(hit.canary + 1) + " in " + base::printable(hit.file) + " at byte " +
           std::to_string(hit.offset) + "\n";
  for (const auto& file : scan.unreadable) out += "  unreadable: " + base::printable(file) + "\n";
  return out;
}

}  // namespace

std::string render_text(const AttestReport& report) {
  std::string out = "encryption of " + base::printable(report.server) + " (MySQL " + report.server_version + ", " +
                    report.server_uuid + ") at " + report.time_utc + "\n" + summary(report.items);
  for (const auto& item : report.items) {
    if (!told_in_full(item)) continue;
    out += padded(name(item.protection), 9) + padded(item.kind, 12) + base::printable(item.name) + ": " +
           base::printable(item.seen) + "\n";
    if (!item.mend.empty()) out += "         mend: " + base::printable(item.mend) + "\n";
  }
  return out + scan_text(report) + (report.encrypted() ? "encrypted=yes\n" : "encrypted=no\n");
}

std::string render_json(const AttestReport& report) {
  using Json = nlohmann::ordered_json;
  Json out = {{"encrypted", report.encrypted()},   {"server", report.server},
              {"server_uuid", report.server_uuid}, {"server_version", report.server_version},
              {"time_utc", report.time_utc},       {"items", Json::array()}};
  for (const auto& item : report.items)
    out["items"].push_back({{"kind", item.kind},
                            {"name", item.name},
                            {"protection", name(item.protection)},
                            {"seen", item.seen},
                            {"mend", item.mend}});
  if (report.scan) {
    const auto& scan = *report.scan;
    Json hits = Json::array();
    for (const auto& hit : scan.hits)
      hits.push_back({{"file", hit.file}, {"offset", hit.offset}, {"canary", hit.canary + 1}});
    out["scan"] = {{"folder", scan.folder.string()},
                   {"files", scan.files},
                   {"bytes", scan.bytes},
                   {"hits", hits},
                   {"unreadable", scan.unreadable}};
  }
  out["scan_note"] = report.scan_note;
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace reseal::attest

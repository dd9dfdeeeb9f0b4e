// SPDX-License-Identifier: Apache-2.0
#include "attest/attest.hpp"

#include <algorithm>

#include "attest/data_folder.hpp"
#include "attest/items.hpp"
#include "mysql/session.hpp"

namespace reseal::attest {
namespace {

void scan(mysql::Session& target, const std::optional<std::filesystem::path>& data_folder,
          const std::vector<std::string>& canaries, AttestReport& report) {
  if (canaries.empty()) {
    report.scan_note = "no planted text was named to look for";
    return;
  }
  const auto found = find_data_folders(target, data_folder);
  report.scan_note = found.note;
  for (const auto& folder : found.folders) {
    auto part = scan_files(folder, canaries);
    if (!report.scan) {
      report.scan = std::move(part);
      continue;
    }
    auto& whole = *report.scan;
    whole.files += part.files;
    whole.bytes += part.bytes;
    for (auto& hit : part.hits) whole.hits.push_back({(folder / hit.file).string(), hit.offset, hit.canary});
    for (auto& file : part.unreadable) whole.unreadable.push_back((folder / file).string());
  }
}

}  // namespace

bool AttestReport::encrypted() const {
  const auto counts_against = [](const AttestedItem& item) {
    return item.protection == Protection::plain || item.protection == Protection::unknown;
  };
  return !items.empty() && std::none_of(items.begin(), items.end(), counts_against) && (!scan || scan->clean());
}

AttestReport attest(mysql::Session& target, const std::vector<std::string>& schemas,
                    const std::optional<std::filesystem::path>& data_folder, const std::vector<std::string>& canaries) {
  AttestReport report;
  report.server = target.endpoint().text();
  const auto row = target.query("SELECT @@server_uuid, VERSION(), DATE_FORMAT(UTC_TIMESTAMP(),'%Y-%m-%dT%TZ')").at(0);
  report.server_uuid = row[0].value_or("");
  report.server_version = row[1].value_or("");
  report.time_utc = row[2].value_or("");
  look_at_keyring(target, report.items);
  look_at_settings(target, report.items);
  look_at_tablespaces(target, report.items);
  look_at_schemas(target, schemas, report.items);
  look_at_tables(target, schemas, report.items);
  look_at_binlogs(target, report.items);
  look_at_logs(target, report.items);
  say_what_remains(target, report.items);
  scan(target, data_folder, canaries, report);
  return report;
}

}  // namespace reseal::attest

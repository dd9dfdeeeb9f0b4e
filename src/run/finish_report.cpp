// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "run/finish.hpp"

namespace reseal::run {
namespace {

std::string state(const FinishItem& item, bool executed) {
  if (item.done) return "done";
  return executed ? "LEFT" : "to do";
}

nlohmann::json as_json(const std::vector<Remainder>& list) {
  auto out = nlohmann::json::array();
  for (const auto& one : list) out.push_back({{"what", one.what}, {"by_hand", one.by_hand}});
  return out;
}

std::string as_text(const char* head, const std::vector<Remainder>& list) {
  std::string text = head;
  for (const auto& one : list)
    text += fmt::format("  - {}\n      {}\n", base::printable(one.what), base::printable(one.by_hand));
  return text;
}

}  // namespace

std::string render_text(const FinishReport& report) {
  std::string text = report.executed ? "finish:\n" : "finish would do this; nothing was changed, --execute does it:\n";
  for (const auto& item : report.items) {
    text += fmt::format("  {:<6} {}\n         where: {}\n", state(item, report.executed), base::printable(item.what),
                        base::printable(item.where));
    if (!item.done && !report.executed) text += "         safe now: " + base::printable(item.why) + "\n";
    if (!item.failed.empty()) text += "         because: " + base::printable(item.failed) + "\n";
    if (!item.failed.empty() && !item.by_hand.empty()) text += "         by hand: " + item.by_hand + "\n";
  }
  if (!report.source_writes.empty())
    text +=
        "accepted: others have written on the source, past its fence: " + base::printable(report.source_writes) + "\n";
  text += as_text("stays, and how to remove it:\n", report.remains);
  text += as_text("still in clear text, and nobody but you can remove it:\n", report.clear);
  return text + fmt::format("FINISH executed={} done={} left={}", report.executed ? "yes" : "no",
                            report.items.size() - report.left(), report.left());
}

std::string render_json(const FinishReport& report, const std::string& run_id) {
  auto items = nlohmann::json::array();
  for (const auto& item : report.items)
    items.push_back({{"what", item.what},
                     {"where", item.where},
                     {"why", item.why},
                     {"done", item.done},
                     {"failed", item.failed},
                     {"by_hand", item.by_hand}});
  return nlohmann::json{{"run", run_id},
                        {"executed", report.executed},
                        {"left", report.left()},
                        {"items", items},
                        {"remains", as_json(report.remains)},
                        {"clear_text", as_json(report.clear)},
                        {"source_writes", report.source_writes}}
      .dump();
}

}  // namespace reseal::run

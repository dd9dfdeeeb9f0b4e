// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "check/rules.hpp"

namespace reseal::check {

std::chrono::seconds estimated_duration(const CheckRequest& request, const SourceState& source) {
  const auto speed = std::max<std::uint64_t>(request.copy_bytes_per_second, 1);
  return std::chrono::seconds(source.bytes() / speed) + std::chrono::minutes(30);
}

void expect(const ServerState& server, const WantedValue& wanted, Findings& findings) {
  const auto value = server.variable(wanted.variable);
  if (value ? *value == wanted.value : wanted.absent_is_fine) return;
  findings.push_back({wanted.severity, std::string(wanted.code), server.where, std::string(wanted.variable),
                      value ? std::string(wanted.variable) + " is " + (value->empty() ? "empty" : *value)
                            : "this server has no " + std::string(wanted.variable),
                      std::string(wanted.why), std::string(wanted.mend)});
}

std::string listed(const std::vector<std::string>& names, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < most; ++i) out += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > most) out += " and " + std::to_string(names.size() - most) + " more";
  return out;
}

}  // namespace reseal::check

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "check/check.hpp"
#include "check/state.hpp"

namespace reseal::check {

/// How long the move is expected to take: the tables' bytes at the expected speed, and half an hour for catching up,
/// verifying and the operator.
std::chrono::seconds estimated_duration(const CheckRequest& request, const SourceState& source);

/// A variable that must have one value. With `absent_is_fine`, a server without the variable behaves as wanted.
struct WantedValue {
  std::string_view variable;
  std::string_view value;
  Severity severity;
  std::string_view code;
  bool absent_is_fine;
  std::string_view why;
  std::string_view mend;
};
void expect(const ServerState& server, const WantedValue& wanted, Findings& findings);

/// "a, b, c and 7 more"
std::string listed(const std::vector<std::string>& names, std::size_t most = 10);

// Each group of rules reads the states and appends what does not hold.
/// Versions and identity. False when a server is no MySQL, and nothing else can be judged.
bool identity_rules(const ServerState& source, const ServerState& target, Findings& findings);
void connection_rules(const CheckRequest& request, const ServerState& server, Findings& findings);
void binlog_rules(const CheckRequest& request, const SourceState& source, Findings& findings);
void privilege_rules(const SourceState& source, const TargetState& target, Findings& findings);
void table_rules(const SourceState& source, Findings& findings);
void object_rules(const SourceState& source, Findings& findings);
void activity_rules(const CheckRequest& request, const SourceState& source, Findings& findings);
void target_rules(const CheckRequest& request, const SourceState& source, const TargetState& target,
                  Findings& findings);
void pair_rules(const SourceState& source, const TargetState& target, Findings& findings);

}  // namespace reseal::check

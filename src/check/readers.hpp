// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string_view>

#include "check/check.hpp"
#include "check/state.hpp"
#include "mysql/session.hpp"

namespace reseal::check {

/// Runs one look at a server. When the server refuses it, the finding `cannot-look` of that severity says so and the
/// other looks go on; a lost connection is thrown.
class Looker {
 public:
  Looker(Where where, Findings& findings) : where_(where), findings_(findings) {}
  void look(std::string_view subject, Severity when_refused, const std::function<void()>& read);

 private:
  Where where_;
  Findings& findings_;
};

/// The unsigned number a cell starts with; 0 for NULL and for text.
std::uint64_t number_in(const mysql::Cell& cell);

/// Connects and, when it fails, adds to the failure's text what to do next.
mysql::Session connect(const mysql::Endpoint& endpoint, mysql::Side side, std::chrono::seconds timeout);

ServerState read_server(mysql::Session& session, Where where, Looker& looker);
/// Reads only; `server` was read before.
SourceState read_source(mysql::Session& session, ServerState server, const CheckRequest& request, Looker& looker);
/// Which views, routines, triggers, events and generated columns call one of `functions`, judged by their text.
void read_uses(mysql::Session& session, const std::set<std::string>& functions, SourceState& source);
TargetState read_target(mysql::Session& session, ServerState server, const CheckRequest& request, Looker& looker);

}  // namespace reseal::check

// SPDX-License-Identifier: Apache-2.0
#include "check/check.hpp"

#include "check/readers.hpp"
#include "check/rules.hpp"

namespace reseal::check {

Findings check_all(const CheckRequest& request) {
  auto source_session = connect(request.source, mysql::Side::source, request.timeout);
  auto target_session = connect(request.target, mysql::Side::target, request.timeout);
  Findings findings;
  Looker source_looker(Where::source, findings);
  Looker target_looker(Where::target, findings);
  auto source_server = read_server(source_session, Where::source, source_looker);
  auto target_server = read_server(target_session, Where::target, target_looker);
  if (identity_rules(source_server, target_server, findings)) {
    connection_rules(request, source_server, findings);
    connection_rules(request, target_server, findings);
    auto source = read_source(source_session, std::move(source_server), request, source_looker);
    const auto target = read_target(target_session, std::move(target_server), request, target_looker);
    source_looker.look("calls of functions the target lacks", Severity::warning,
                       [&] { read_uses(source_session, target.lacking_functions, source); });
    binlog_rules(request, source, findings);
    privilege_rules(source, target, findings);
    table_rules(source, findings);
    object_rules(source, findings);
    activity_rules(request, source, findings);
    target_rules(request, source, target, findings);
    pair_rules(source, target, findings);
  }
  sort_by_severity(findings);
  return findings;
}

}  // namespace reseal::check

// SPDX-License-Identifier: Apache-2.0
#include "check/rds_check.hpp"

#include <fmt/format.h>

#include "check/rds_state.hpp"
#include "rds/key_and_identity.hpp"
#include "rds/rds_client.hpp"
#include "rds/session.hpp"

namespace reseal::check {
namespace {

/// The value, or nothing and a finding when the identity may not look. Everything else that went wrong is thrown.
template <typename T>
std::optional<T> looked(rds::Outcome<T> outcome, const std::string& action, Severity when_denied, Findings& findings) {
  if (outcome.ok()) return std::move(outcome).value();
  const auto code = outcome.error().code;
  if (code != "AccessDenied" && code != "AccessDeniedException" && code != "UnauthorizedOperation")
    throw rds::as_failure(outcome.error(), action);
  findings.push_back({when_denied, "cannot-look", Where::source, action, outcome.error().text(),
                      "what it would have shown is not checked", "allow it to this identity: deploy/iam/check.json"});
  return std::nullopt;
}

void look_at_key(const RdsRequest& request, rds::Session& session, const std::stop_token& stop, RdsState& state,
                 Findings& findings) {
  state.kms_key = request.kms_key.empty() ? "alias/aws/rds" : request.kms_key;
  // KMS answers for keys of its own region only; of the others it knows nothing.
  const auto region = rds::region_of_arn(state.kms_key);
  if (!region.empty() && region != session.region()) return;
  auto key =
      looked(rds::describe_key(session.kms(), state.kms_key, stop), "kms:DescribeKey", Severity::warning, findings);
  if (!key) return;
  state.key_seen = true;
  state.key = std::move(*key);
}

}  // namespace

Findings check_rds(const RdsRequest& request, const rds::Environment& environment, const std::stop_token& stop) {
  rds::Session session({request.region, request.endpoint_url, request.tell, {}}, environment);
  rds::RdsClient client(session.rds(), stop);
  Findings findings;
  RdsState state;
  state.region = session.region();
  // First, and without a permission: wrong credentials are told as what they are.
  const auto me = rds::value_or_fail(rds::caller_identity(session.sts(), stop), "sts:GetCallerIdentity");
  state.identity = fmt::format("{}, with the keys of {}", me.arn, session.credentials_origin(stop));
  auto instance =
      looked(client.describe_instance(request.instance), "rds:DescribeDBInstances", Severity::blocker, findings);
  if (instance) {
    state.instance = std::move(*instance);
    if (state.instance) {
      const auto& seen = *state.instance;
      auto options = looked(client.describe_orderable_options(seen.engine, seen.engine_version, seen.instance_class),
                            "rds:DescribeOrderableDBInstanceOptions", Severity::warning, findings);
      state.options_seen = options.has_value();
      state.options = std::move(options).value_or(std::vector<rds::OrderableOption>());
    }
    rds_instance_rules(request, state, findings);
  }
  state.quotas = looked(client.describe_account_quotas(), "rds:DescribeAccountAttributes", Severity::warning, findings)
                     .value_or(std::vector<rds::Quota>());
  rds_room_rules(state, findings);
  look_at_key(request, session, stop, state, findings);
  rds_key_rules(state, findings);
  sort_by_severity(findings);
  return findings;
}

}  // namespace reseal::check

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>

#include "rds/clock.hpp"
#include "rds/credential_plan.hpp"
#include "rds/http.hpp"
#include "rds/retry.hpp"

namespace reseal::rds {

/// Carries a plan out: asks STS, the agent or the metadata service for keys, a few times when it does not answer.
class CredentialFetch {
 public:
  /// `sts_url`: where AssumeRoleWithWebIdentity goes. `http` must outlive this.
  CredentialFetch(HttpClient& http, Clock clock, std::string sts_url)
      : http_(http), clock_(std::move(clock)), sts_url_(std::move(sts_url)) {}

  /// Throws Failure: refused when there are no credentials to be had, transient when nobody answers. Messages hold no
  /// key and no token.
  Credentials fetch(const CredentialPlan& plan, const std::stop_token& stop);

 private:
  Credentials from(const WebIdentity& plan, const std::stop_token& stop);
  Credentials from(const ContainerAgent& plan, const std::stop_token& stop);
  Credentials from(const InstanceMetadata& plan, const std::stop_token& stop);
  /// The answer, whatever its status; throws when none comes.
  HttpAnswer ask(const HttpRequest& request, std::string_view whom, const std::stop_token& stop);

  HttpClient& http_;
  Clock clock_;
  std::string sts_url_;
  RetryPolicy retry_{3, std::chrono::milliseconds(200), std::chrono::milliseconds(2'000)};
};

}  // namespace reseal::rds

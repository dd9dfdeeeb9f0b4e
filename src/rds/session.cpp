// SPDX-License-Identifier: Apache-2.0
#include "rds/session.hpp"

#include "rds/credential_fetch.hpp"

namespace reseal::rds {

Session::Session(const SessionOptions& options, const Environment& environment, Clock clock)
    : region_(choose_region(options.region, environment, read_profile_files(environment))),
      http_(environment("AWS_CA_BUNDLE").value_or("")),
      near_http_(environment("AWS_CA_BUNDLE").value_or("")),
      credentials_(
          [this, environment, clock,
           sts_url = endpoint_url(Service::sts, region_, options.endpoint_url, environment)](const auto& stop) {
            return CredentialFetch(near_http_, clock, sts_url)
                .fetch(plan_credentials(environment, read_profile_files(environment)), stop);
          },
          clock) {
  const auto connect = [&](Service service) {
    return std::make_unique<ServiceConnection>(
        service,
        ServiceOptions{region_, endpoint_url(service, region_, options.endpoint_url, environment), options.retry,
                       options.tell},
        http_, credentials_, clock);
  };
  rds_ = connect(Service::rds);
  kms_ = connect(Service::kms);
  sts_ = connect(Service::sts);
}

}  // namespace reseal::rds

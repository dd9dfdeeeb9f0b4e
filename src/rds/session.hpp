// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "rds/credential_provider.hpp"
#include "rds/service_connection.hpp"

namespace reseal::rds {

/// What a command line or a configuration says of AWS; the rest comes from the environment and from ~/.aws.
struct SessionOptions {
  std::string region;        ///< empty: environment, profile
  std::string endpoint_url;  ///< empty: environment, else the real ones; for all services
  std::function<void(std::string_view)> tell;
  RetryPolicy retry;
};

/// One identity in one region: credentials, and connections to the services. Lookups of files and agents happen at the
/// first request. Not for several threads at a time.
class Session {
 public:
  /// Throws Failure(usage) for settings that are wrong or missing.
  Session(const SessionOptions& options, const Environment& environment, Clock clock = Clock::system());

  ServiceConnection& rds() { return *rds_; }
  ServiceConnection& kms() { return *kms_; }
  ServiceConnection& sts() { return *sts_; }
  const std::string& region() const noexcept { return region_; }
  /// For people: "profile prod of ~/.aws/credentials".
  std::string credentials_origin(const std::stop_token& stop) { return credentials_.current(stop).origin; }

 private:
  std::string region_;
  HttpClient http_;
  HttpClient near_http_;  ///< for the credential sources
  CredentialProvider credentials_;
  std::unique_ptr<ServiceConnection> rds_;
  std::unique_ptr<ServiceConnection> kms_;
  std::unique_ptr<ServiceConnection> sts_;
};

}  // namespace reseal::rds

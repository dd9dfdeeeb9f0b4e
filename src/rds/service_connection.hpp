// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>
#include <string_view>

#include "rds/clock.hpp"
#include "rds/credential_provider.hpp"
#include "rds/endpoint.hpp"
#include "rds/form.hpp"
#include "rds/http.hpp"
#include "rds/retry.hpp"
#include "rds/service_error.hpp"
#include "rds/xml.hpp"

namespace reseal::rds {

/// Where a service is and how patiently it is asked.
struct ServiceOptions {
  std::string region;
  std::string url;  ///< of `endpoint_url`
  RetryPolicy retry;
  /// Told when an action is tried again, with the reason; for a log. May be empty.
  std::function<void(std::string_view)> tell;
};

/// Signed requests to one AWS service, with retries. An action that may not be repeated and whose answer was lost comes
/// back as an error that is `lost`. Every method throws Failure: interrupted when stopped, refused when there are no
/// credentials or the peer's certificate does not check out. Not for several threads at a time.
class ServiceConnection {
 public:
  /// `http` and `credentials` must outlive this.
  ServiceConnection(Service service, ServiceOptions options, HttpClient& http, CredentialProvider& credentials,
                    Clock clock)
      : service_(service),
        options_(std::move(options)),
        http_(http),
        credentials_(credentials),
        clock_(std::move(clock)) {}

  /// One Query API action.
  Outcome<XmlAnswer> query(const Form& form, Repeat repeat, const std::stop_token& stop);
  /// One action of a JSON 1.1 service: `target` is "TrentService.DescribeKey". Always a repeatable one here.
  Outcome<nlohmann::json> call_json(const std::string& target, const nlohmann::json& body, const std::stop_token& stop);

  const Clock& clock() const noexcept { return clock_; }
  const std::string& region() const noexcept { return options_.region; }

 private:
  template <typename T>
  using Read = std::function<Outcome<T>(const HttpAnswer&)>;
  template <typename T>
  Outcome<T> send(HttpRequest request, const std::string& action, Repeat repeat, const Read<T>& read,
                  const std::stop_token& stop);
  template <typename T>
  Outcome<T> attempt(const HttpRequest& request, const std::string& action, const Read<T>& read,
                     const std::stop_token& stop);

  Service service_;
  ServiceOptions options_;
  HttpClient& http_;
  CredentialProvider& credentials_;
  Clock clock_;
};

}  // namespace reseal::rds

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "base/secret.hpp"

namespace reseal::sandbox::rds {

/// A request as it came, for its signature and its meaning.
struct HttpRequest {
  std::string method;
  std::string target;                          ///< path and query, as sent
  std::map<std::string, std::string> headers;  ///< names in lower case; values of repeated names joined by commas
  std::string body;

  std::string header(const std::string& name) const;
};

/// The one key pair that a sandbox endpoint knows. Made up, never a real account's.
struct AccessKey {
  std::string id;
  base::Secret secret;
};

/// Verifies the Authorization header (AWS Signature Version 4: "Create a signed AWS API request"). `region` is the
/// endpoint's own. Returns the service that the signature is for. Throws ApiError with AWS's code: status 403
/// MissingAuthenticationToken, IncompleteSignature (400), InvalidClientTokenId, SignatureDoesNotMatch, RequestExpired.
std::string check_signature(const HttpRequest& request, const AccessKey& key, std::string_view region,
                            std::chrono::system_clock::time_point now);

}  // namespace reseal::sandbox::rds

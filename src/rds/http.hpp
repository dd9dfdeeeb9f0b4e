// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/failure.hpp"
#include "base/secret.hpp"
#include "rds/credentials.hpp"

namespace reseal::rds {

/// Signature Version 4 over the request: for whom, where and for which service.
struct Signing {
  Credentials credentials;
  std::string region;
  std::string service;  ///< signing name: "rds", "kms", "sts"
};

/// A header whose value may be a secret.
struct Header {
  std::string name;
  base::Secret value;
};

struct HttpRequest {
  enum class Method { get, put, post };
  Method method = Method::post;
  std::string url;
  std::vector<Header> headers;
  base::Secret body;  ///< of a POST; may hold a master user's password or a web identity token
  std::optional<Signing> signing;
  /// Takes no connection that was used before: libcurl sends a request again by itself when such a one breaks.
  bool own_connection = false;
  bool through_proxy = true;  ///< HTTPS_PROXY and NO_PROXY apply; not for addresses of this machine or its host
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds timeout{60'000};  ///< from the start to the last byte of the answer
};

struct HttpAnswer {
  int status = 0;
  std::string body;
  std::string request_id;  ///< header x-amzn-RequestId; may be empty
};

/// No answer came: what a caller may conclude from it.
struct NoAnswer {
  enum class Kind {
    not_sent,      ///< the request never reached the service
    lost,          ///< it was sent, and may have been carried out
    untrustworthy  ///< the peer's certificate does not check out; trying again will not help
  };
  Kind kind = Kind::not_sent;
  std::string why;
};

/// One HTTP/1.1 request at a time, over libcurl; connections are kept between requests. Certificates and host names are
/// always verified (TLS 1.2 and later); which URLs may be http is for `endpoint_url` and the credential chain to say.
/// Redirects are not followed. Answers over 8 MiB count as lost. Not for several threads at a time.
/// libcurl keeps copies of the signing key for the time of the request and does not wipe them.
class HttpClient {
 public:
  /// `ca_bundle`: PEM file of authorities instead of the system's; empty for the system's.
  explicit HttpClient(std::string ca_bundle = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Throws Failure(interrupted) when stopped, within a second.
  std::variant<HttpAnswer, NoAnswer> send(const HttpRequest& request, const std::stop_token& stop);

 private:
  void* curl_;
  std::string ca_bundle_;
};

}  // namespace reseal::rds

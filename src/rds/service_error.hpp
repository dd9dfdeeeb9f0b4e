// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/failure.hpp"
#include "base/result.hpp"

namespace reseal::rds {

/// The service's own "no", or that nothing came back.
struct ServiceError {
  int status = 0;          ///< HTTP status; 0 when there was no answer
  std::string code;        ///< "DBInstanceNotFound"; of an answer that is none, "HTTP 502"
  std::string message;     ///< the service's text
  std::string request_id;  ///< for the operator's support case; may be empty
  bool lost = false;       ///< the request may have been carried out: it was sent, and no answer that counts came back

  /// "DBInstanceNotFound (404): DBInstance shop not found. Request 1a2b…"
  std::string text() const;
};

/// What an error means to a caller.
enum class ErrorClass {
  throttled,       ///< slow down and try again
  server_fault,    ///< 5xx or no answer: the request may have been carried out
  not_sent,        ///< the service could not be reached; nothing was carried out
  expired,         ///< credentials ran out: get new ones and try again
  denied,          ///< credentials are wrong or may not do this
  not_found,       ///< the named resource is not there
  already_exists,  ///< the name is taken
  other
};
ErrorClass classify(const ServiceError& error);

/// <ErrorResponse><Error><Code/><Message/></Error><RequestId/></ErrorResponse> of the Query API. An answer of another
/// shape becomes "HTTP <status>".
ServiceError error_of_xml(int status, std::string_view body);
/// {"__type": "…#Code", "message": "…"} of the JSON protocols; the id comes from a header.
ServiceError error_of_json(int status, std::string_view body, std::string_view request_id);

/// The error as an exception: transient for what may pass by itself, refused for what was denied, else source.
base::Failure as_failure(const ServiceError& error, std::string_view action);

/// A value, or the service's error; asking for the wrong one is our bug.
template <typename T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : value_(std::move(value)) {}
  Outcome(ServiceError error) : error_(std::move(error)) {}

  bool ok() const noexcept { return value_.has_value(); }
  const T& value() const& {
    RESEAL_CHECK(ok());
    return *value_;
  }
  T&& value() && {
    RESEAL_CHECK(ok());
    return std::move(*value_);
  }
  const ServiceError& error() const {
    RESEAL_CHECK(!ok());
    return error_;
  }
  ErrorClass error_class() const { return classify(error()); }

 private:
  std::optional<T> value_;
  ServiceError error_;
};

/// The value, or the error as a Failure that names `action`.
template <typename T>
T value_or_fail(Outcome<T> outcome, std::string_view action) {
  if (!outcome.ok()) throw as_failure(outcome.error(), action);
  return std::move(outcome).value();
}

}  // namespace reseal::rds

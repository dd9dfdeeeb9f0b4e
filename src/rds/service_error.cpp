// SPDX-License-Identifier: Apache-2.0
#include "rds/service_error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "rds/xml.hpp"

namespace reseal::rds {
namespace {

// The codes that the AWS SDKs' standard retry mode takes for throttling.
constexpr std::array<std::string_view, 13> throttling = {"Throttling",
                                                         "ThrottlingException",
                                                         "ThrottledException",
                                                         "RequestThrottledException",
                                                         "RequestThrottled",
                                                         "TooManyRequestsException",
                                                         "TransactionInProgressException",
                                                         "RequestLimitExceeded",
                                                         "BandwidthLimitExceeded",
                                                         "LimitExceededException",
                                                         "SlowDown",
                                                         "PriorRequestNotComplete",
                                                         "EC2ThrottledException"};
constexpr std::array<std::string_view, 3> expiry = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"};
constexpr std::array<std::string_view, 12> denial = {"AccessDenied",
                                                     "AccessDeniedException",
                                                     "AuthFailure",
                                                     "IncompleteSignature",
                                                     "IncompleteSignatureException",
                                                     "InvalidClientTokenId",
                                                     "InvalidSignatureException",
                                                     "MissingAuthenticationToken",
                                                     "OptInRequired",
                                                     "SignatureDoesNotMatch",
                                                     "UnauthorizedOperation",
                                                     "UnrecognizedClientException"};

template <std::size_t N>
bool among(const std::array<std::string_view, N>& codes, std::string_view code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

// On the wire some codes carry the suffix of their shape: "DBSubnetGroupNotFoundFault".
bool ends(std::string_view code, std::string_view with) {
  for (const std::string_view suffix : {"Fault", "Exception"})
    if (code.ends_with(suffix)) code.remove_suffix(suffix.size());
  return code.ends_with(with);
}

ServiceError bare(int status, std::string_view body) {
  return {status,
          fmt::format("HTTP {}", status),
          fmt::format("an answer of {} bytes that is no AWS error", body.size()),
          {},
          status >= 500};
}

}  // namespace

std::string ServiceError::text() const {
  auto out = code;
  if (status != 0 && !code.starts_with("HTTP ")) out += fmt::format(" ({})", status);
  if (!message.empty()) out += ": " + message;
  if (!request_id.empty()) out += ". Request " + request_id;
  return out;
}

ErrorClass classify(const ServiceError& error) {
  if (error.status == 0) return error.lost ? ErrorClass::server_fault : ErrorClass::not_sent;
  if (error.status == 429 || among(throttling, error.code)) return ErrorClass::throttled;
  if (error.status >= 500 || error.lost) return ErrorClass::server_fault;
  if (among(expiry, error.code)) return ErrorClass::expired;
  if (error.status == 401 || error.status == 403 || among(denial, error.code)) return ErrorClass::denied;
  if (ends(error.code, "NotFound")) return ErrorClass::not_found;
  if (ends(error.code, "AlreadyExists")) return ErrorClass::already_exists;
  return ErrorClass::other;
}

ServiceError error_of_xml(int status, std::string_view body) {
  const auto answer = XmlAnswer::parse(body);
  if (!answer.ok()) return bare(status, body);
  const auto root = answer.value().root();
  // Some emulators answer in the older shape, <Response><Errors><Error>.
  const auto error = root.child("Error").present() ? root.child("Error") : root.child("Errors").child("Error");
  if (!error.present() || error.text("Code").empty()) return bare(status, body);
  const auto id = root.text("RequestId");
  return {status, error.text("Code"), error.text("Message"), id.empty() ? root.text("RequestID") : id, status >= 500};
}

ServiceError error_of_json(int status, std::string_view body, std::string_view request_id) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("__type") || !json["__type"].is_string()) return bare(status, body);
  auto code = json["__type"].get<std::string>();
  if (const auto hash = code.rfind('#'); hash != std::string::npos) code.erase(0, hash + 1);
  std::string message;
  for (const char* name : {"message", "Message"})
    if (json.contains(name) && json[name].is_string()) message = json[name].get<std::string>();
  return {status, code, message, std::string(request_id), status >= 500};
}

base::Failure as_failure(const ServiceError& error, std::string_view action) {
  using base::FailureKind;
  auto kind = FailureKind::source;
  std::string next;
  switch (classify(error)) {
    case ErrorClass::throttled:
    case ErrorClass::server_fault:
    case ErrorClass::not_sent:
      kind = FailureKind::transient;
      next = ". It was tried again without success; run the same command later";
      break;
    case ErrorClass::expired:
    case ErrorClass::denied:
      kind = FailureKind::refused;
      next = ". See which identity is used: aws sts get-caller-identity";
      break;
    case ErrorClass::not_found:
    case ErrorClass::already_exists:
    case ErrorClass::other:
      break;
  }
  return base::Failure(kind, fmt::format("{}: {}{}", action, error.text(), next));
}

}  // namespace reseal::rds

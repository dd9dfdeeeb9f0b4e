// SPDX-License-Identifier: Apache-2.0
#include "rds/service_connection.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace reseal::rds {
namespace {

// A success that cannot be read says as little about what was done as no answer.
ServiceError unreadable(const HttpAnswer& answer, const std::string& why) {
  return {answer.status, "unreadable answer", why, answer.request_id, true};
}

Outcome<XmlAnswer> read_xml(const HttpAnswer& answer) {
  if (answer.status != 200) {
    auto error = error_of_xml(answer.status, answer.body);
    if (error.request_id.empty()) error.request_id = answer.request_id;
    return error;
  }
  auto xml = XmlAnswer::parse(answer.body);
  if (!xml.ok()) return unreadable(answer, xml.error());
  return std::move(xml).value();
}

Outcome<nlohmann::json> read_json(const HttpAnswer& answer) {
  if (answer.status != 200) return error_of_json(answer.status, answer.body, answer.request_id);
  auto json = nlohmann::json::parse(answer.body, nullptr, false);
  if (!json.is_object()) return unreadable(answer, "the answer is no JSON object");
  return json;
}

}  // namespace

template <typename T>
Outcome<T> ServiceConnection::attempt(const HttpRequest& request, const std::string& action, const Read<T>& read,
                                      const std::stop_token& stop) {
  const auto sent = http_.send(request, stop);
  if (const auto* answer = std::get_if<HttpAnswer>(&sent)) return read(*answer);
  const auto& none = std::get<NoAnswer>(sent);
  if (none.kind == NoAnswer::Kind::untrustworthy)
    throw base::Failure(base::FailureKind::refused,
                        fmt::format("{}: {} is not trusted: {}. Nothing was sent; AWS_CA_BUNDLE names another file of "
                                    "authorities",
                                    action, request.url, none.why));
  return ServiceError{0, "no answer", request.url + ": " + none.why, {}, none.kind == NoAnswer::Kind::lost};
}

template <typename T>
Outcome<T> ServiceConnection::send(HttpRequest request, const std::string& action, Repeat repeat, const Read<T>& read,
                                   const std::stop_token& stop) {
  bool renewed = false;
  for (int attempts = 1;; ++attempts) {
    if (stop.stop_requested())
      throw base::Failure(base::FailureKind::interrupted, action + ": stopped before it was sent");
    // Signed anew each time: a signature is valid for minutes only.
    request.signing = Signing{credentials_.current(stop), options_.region, std::string(name(service_))};
    auto outcome = attempt<T>(request, action, read, stop);
    if (outcome.ok()) return outcome;
    const auto error_class = outcome.error_class();
    if (error_class == ErrorClass::expired && !renewed) {
      credentials_.expired(request.signing->credentials);
      renewed = true;
      continue;
    }
    const auto wait = options_.retry.wait_before_next(attempts, error_class, repeat, clock_.chance());
    if (!wait) return outcome;
    if (options_.tell)
      options_.tell(fmt::format("{}: {}; again in {} ms", action, outcome.error().text(), wait->count()));
    clock_.wait(*wait, stop);
  }
}

Outcome<XmlAnswer> ServiceConnection::query(const Form& form, Repeat repeat, const std::stop_token& stop) {
  HttpRequest request;
  request.url = options_.url;
  request.headers.push_back({"Content-Type", base::Secret("application/x-www-form-urlencoded; charset=utf-8")});
  request.body = form.encode();
  request.own_connection = repeat == Repeat::never;
  return send<XmlAnswer>(std::move(request), form.action(), repeat, read_xml, stop);
}

Outcome<nlohmann::json> ServiceConnection::call_json(const std::string& target, const nlohmann::json& body,
                                                     const std::stop_token& stop) {
  HttpRequest request;
  request.url = options_.url;
  request.headers.push_back({"Content-Type", base::Secret("application/x-amz-json-1.1")});
  request.headers.push_back({"X-Amz-Target", base::Secret(target)});
  request.body = base::Secret(body.dump());
  return send<nlohmann::json>(std::move(request), target, Repeat::harmless, read_json, stop);
}

}  // namespace reseal::rds

// SPDX-License-Identifier: Apache-2.0
#include "rds/credential_fetch.hpp"

#include <fmt/format.h>
#include <string.h>

#include <fstream>
#include <iterator>

#include "rds/credential_answers.hpp"
#include "rds/form.hpp"
#include "rds/service_error.hpp"

namespace reseal::rds {

using base::Failure;
using base::FailureKind;

namespace {

constexpr std::chrono::milliseconds near_timeout{2'000};

base::Secret read_token(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file)
    throw Failure(FailureKind::usage, "AWS credentials: the token file " + path + " cannot be read. Nothing was sent");
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  // A line break would end the header that the token is sent in.
  if (text.empty() || text.find_first_of("\r\n") != std::string::npos)
    throw Failure(FailureKind::usage, "AWS credentials: the token file " + path + " holds no token of one line");
  return base::Secret(std::move(text));
}

HttpRequest near_request(HttpRequest::Method method, std::string url) {
  HttpRequest request;
  request.method = method;
  request.url = std::move(url);
  request.through_proxy = false;
  request.connect_timeout = near_timeout;
  request.timeout = near_timeout;
  return request;
}

Credentials taken(base::Result<Credentials> found, std::string& body) {
  explicit_bzero(body.data(), body.size());
  return base::value_or_fail(std::move(found), "AWS credentials", FailureKind::refused);
}

[[noreturn]] void refused_by(std::string_view whom, int status) {
  throw Failure(FailureKind::refused, fmt::format("AWS credentials: {} answers {}", whom, status));
}

}  // namespace

Credentials CredentialFetch::fetch(const CredentialPlan& plan, const std::stop_token& stop) {
  return std::visit(
      [&](const auto& chosen) -> Credentials {
        if constexpr (std::is_same_v<std::decay_t<decltype(chosen)>, Credentials>)
          return chosen;
        else
          return from(chosen, stop);
      },
      plan);
}

HttpAnswer CredentialFetch::ask(const HttpRequest& request, std::string_view whom, const std::stop_token& stop) {
  for (int attempts = 1;; ++attempts) {
    auto sent = http_.send(request, stop);
    ServiceError error;
    if (auto* answer = std::get_if<HttpAnswer>(&sent)) {
      if (answer->status < 500 && answer->status != 429) return std::move(*answer);
      error = {answer->status, "HTTP " + std::to_string(answer->status), {}, {}, true};
    } else {
      const auto& none = std::get<NoAnswer>(sent);
      if (none.kind == NoAnswer::Kind::untrustworthy)
        throw Failure(FailureKind::refused, fmt::format("AWS credentials: {} is not trusted: {}", whom, none.why));
      error = {0, "no answer", none.why, {}, none.kind == NoAnswer::Kind::lost};
    }
    const auto wait = retry_.wait_before_next(attempts, classify(error), Repeat::harmless, clock_.chance());
    if (!wait)
      throw Failure(FailureKind::transient,
                    fmt::format("AWS credentials: {} at {}: {}", whom, request.url, error.text()));
    clock_.wait(*wait, stop);
  }
}

Credentials CredentialFetch::from(const WebIdentity& plan, const std::stop_token& stop) {
  Form form("AssumeRoleWithWebIdentity", "2011-06-15");
  form.add("RoleArn", plan.role_arn);
  form.add("RoleSessionName", plan.session_name);
  form.add("WebIdentityToken", read_token(plan.token_file));
  HttpRequest request;
  request.url = sts_url_;
  request.headers.push_back({"Content-Type", base::Secret("application/x-www-form-urlencoded; charset=utf-8")});
  request.body = form.encode();
  auto answer = ask(request, "STS", stop);
  if (answer.status != 200)
    throw as_failure(error_of_xml(answer.status, answer.body), "AssumeRoleWithWebIdentity for " + plan.role_arn);
  const auto xml = base::value_or_fail(XmlAnswer::parse(answer.body), "AssumeRoleWithWebIdentity");
  return taken(credentials_of_xml(xml, "role " + plan.role_arn + " by web identity"), answer.body);
}

Credentials CredentialFetch::from(const ContainerAgent& plan, const std::stop_token& stop) {
  auto request = near_request(HttpRequest::Method::get, plan.url);
  auto token = plan.token_file.empty() ? plan.token : read_token(plan.token_file);
  if (token.reveal().find_first_of("\r\n") != std::string_view::npos)
    throw Failure(FailureKind::usage, "AWS credentials: AWS_CONTAINER_AUTHORIZATION_TOKEN holds a line break");
  if (!token.empty()) request.headers.push_back({"Authorization", std::move(token)});
  auto answer = ask(request, "the container's agent", stop);
  if (answer.status != 200) refused_by("the container's agent", answer.status);
  return taken(credentials_of_json(answer.body, "the container's agent"), answer.body);
}

Credentials CredentialFetch::from(const InstanceMetadata& plan, const std::stop_token& stop) {
  // The token ties each request to this instance: a server-side request forgery cannot set a header in a PUT.
  auto request = near_request(HttpRequest::Method::put, plan.url + "latest/api/token");
  request.headers.push_back({"X-aws-ec2-metadata-token-ttl-seconds", base::Secret("21600")});
  constexpr auto* whom = "the instance's metadata service";
  auto token = [&] {
    try {
      return ask(request, whom, stop);
    } catch (const Failure& failure) {
      if (failure.kind() != FailureKind::transient) throw;
      throw Failure(
          FailureKind::refused,
          std::string("AWS credentials: none are set, and no EC2 metadata service answers. Set AWS_PROFILE, or "
                      "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; in a container, its hop limit may be 1. ") +
              failure.what());
    }
  }();
  if (token.status != 200) refused_by(whom, token.status);
  const auto get = [&](const std::string& path) {
    auto from_there =
        near_request(HttpRequest::Method::get, plan.url + "latest/meta-data/iam/security-credentials/" + path);
    from_there.headers.push_back({"X-aws-ec2-metadata-token", base::Secret(token.body)});
    return ask(from_there, whom, stop);
  };
  const auto roles = get("");
  const auto role = roles.body.substr(0, roles.body.find('\n'));
  if (roles.status == 404 || role.empty())
    throw Failure(FailureKind::refused, "AWS credentials: none are set, and this instance has no role");
  if (roles.status != 200) refused_by(whom, roles.status);
  auto answer = get(percent_encode(role));
  if (answer.status != 200) refused_by(whom, answer.status);
  return taken(credentials_of_json(answer.body, "role " + role + " of this instance"), answer.body);
}

}  // namespace reseal::rds

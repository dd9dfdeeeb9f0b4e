// SPDX-License-Identifier: Apache-2.0
#include "rds/endpoint.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/failure.hpp"

namespace reseal::rds {

using base::Failure;
using base::FailureKind;

namespace {

// curl's own parser, so that the host that is judged is the host that curl goes to.
std::optional<std::string> part_of(std::string_view url, CURLUPart part) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  if (parsed == nullptr || curl_url_set(parsed.get(), CURLUPART_URL, std::string(url).c_str(), 0) != CURLUE_OK)
    return std::nullopt;
  char* text = nullptr;
  if (curl_url_get(parsed.get(), part, &text, 0) != CURLUE_OK) return std::nullopt;
  std::string found = text;
  curl_free(text);
  return found;
}

std::string checked(std::string url, std::string_view given_by) {
  const auto scheme = part_of(url, CURLUPART_SCHEME).value_or("");
  const auto host = host_of(url);
  if (host.empty())
    throw Failure(FailureKind::usage, std::string(given_by) + " is no http or https URL. Nothing was sent");
  if (part_of(url, CURLUPART_USER) || part_of(url, CURLUPART_PASSWORD) || part_of(url, CURLUPART_QUERY))
    throw Failure(FailureKind::usage,
                  std::string(given_by) + " may hold scheme, host, port and path only. Nothing was sent");
  if (scheme != "https" && !is_this_machine(host))
    throw Failure(FailureKind::usage, std::string(given_by) + " names " + host +
                                          " without TLS; http is for this machine only. Nothing was sent");
  if (!url.ends_with('/')) url += '/';
  return url;
}

}  // namespace

std::string_view name(Service service) {
  switch (service) {
    case Service::rds:
      return "rds";
    case Service::kms:
      return "kms";
    case Service::sts:
      return "sts";
  }
  return "";
}

bool is_region_name(std::string_view region) {
  return !region.empty() && region.size() <= 63 && region.front() != '-' && region.back() != '-' &&
         std::all_of(region.begin(), region.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

std::string host_of(std::string_view url) {
  const auto scheme = part_of(url, CURLUPART_SCHEME).value_or("");
  if (scheme != "http" && scheme != "https") return {};
  auto host = part_of(url, CURLUPART_HOST).value_or("");
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

bool is_this_machine(std::string_view host) {
  if (host == "localhost" || host == "::1") return true;
  in_addr address{};
  return inet_pton(AF_INET, std::string(host).c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24U) == 127;
}

std::string endpoint_url(Service service, const std::string& region, const std::string& override_url,
                         const Environment& environment) {
  if (!is_region_name(region))
    throw Failure(FailureKind::usage, "'" + region + "' is no AWS region; give --region, for example eu-central-1");
  if (!override_url.empty()) return checked(override_url, "--endpoint-url");
  if (!environment.flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) {
    const auto* own = service == Service::rds   ? "AWS_ENDPOINT_URL_RDS"
                      : service == Service::kms ? "AWS_ENDPOINT_URL_KMS"
                                                : "AWS_ENDPOINT_URL_STS";
    for (const auto* variable : {own, "AWS_ENDPOINT_URL"})
      if (const auto url = environment(variable)) return checked(*url, variable);
  }
  return "https://" + std::string(name(service)) + "." + region +
         (region.starts_with("cn-") ? ".amazonaws.com.cn/" : ".amazonaws.com/");
}

}  // namespace reseal::rds

// SPDX-License-Identifier: Apache-2.0
#include "rds/http.hpp"

#include <curl/curl.h>
#include <strings.h>

#include <cstring>
#include <new>

#include "rds/xml.hpp"

namespace reseal::rds {
namespace {

struct Slist {
  curl_slist* first = nullptr;
  Slist() = default;
  Slist(const Slist&) = delete;
  Slist& operator=(const Slist&) = delete;
  ~Slist() {
    // A header may be a secret, and curl frees it as it is.
    for (auto* item = first; item != nullptr; item = item->next) explicit_bzero(item->data, strlen(item->data));
    curl_slist_free_all(first);
  }
  void add(std::string_view name, std::string_view value) {
    std::string line;
    line.reserve(name.size() + 2 + value.size());
    line.append(name).append(": ").append(value);
    auto* grown = curl_slist_append(first, line.c_str());
    explicit_bzero(line.data(), line.size());
    if (grown == nullptr) throw std::bad_alloc();
    first = grown;
  }
};

struct Receiving {
  HttpAnswer answer;
  bool too_large = false;
  const std::stop_token* stop = nullptr;
};

std::size_t take_body(char* data, std::size_t, std::size_t size, void* to) {
  auto& receiving = *static_cast<Receiving*>(to);
  if (receiving.answer.body.size() + size > XmlAnswer::most_bytes) {
    receiving.too_large = true;
    return 0;
  }
  receiving.answer.body.append(data, size);
  return size;
}

std::size_t take_header(char* data, std::size_t, std::size_t size, void* to) {
  constexpr std::string_view name = "x-amzn-requestid:";
  if (size > name.size() && strncasecmp(data, name.data(), name.size()) == 0) {
    std::string_view value(data + name.size(), size - name.size());
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
    while (!value.empty() && (value.back() == '\r' || value.back() == '\n' || value.back() == ' '))
      value.remove_suffix(1);
    static_cast<Receiving*>(to)->answer.request_id = value;
  }
  return size;
}

int stopped(void* of, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Receiving*>(of)->stop->stop_requested() ? 1 : 0;
}

// Only what cannot have reached the service; everything else counts as sent.
NoAnswer::Kind kind_of(CURLcode code, CURL* curl) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_SSL_CONNECT_ERROR:
      return NoAnswer::Kind::not_sent;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return NoAnswer::Kind::untrustworthy;
    default: {
      // A timeout while connecting has sent nothing either.
      curl_off_t connected = 0;
      curl_easy_getinfo(curl, CURLINFO_PRETRANSFER_TIME_T, &connected);
      return connected == 0 ? NoAnswer::Kind::not_sent : NoAnswer::Kind::lost;
    }
  }
}

void sign(CURL* curl, const Signing& signing, Slist& headers) {
  // Named in full: curl would take region and service from the host name otherwise, which an own endpoint does not
  // have.
  const auto scope = "aws:amz:" + signing.region + ":" + signing.service;
  curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, scope.c_str());
  curl_easy_setopt(curl, CURLOPT_USERNAME, signing.credentials.access_key_id.c_str());
  curl_easy_setopt(curl, CURLOPT_PASSWORD, signing.credentials.secret_access_key.reveal_c_str());
  if (!signing.credentials.session_token.empty())
    headers.add("X-Amz-Security-Token", signing.credentials.session_token.reveal());
}

}  // namespace

HttpClient::HttpClient(std::string ca_bundle) : ca_bundle_(std::move(ca_bundle)) {
  // Thread-safe once, as the C++ standard has it for local statics.
  static const CURLcode global = curl_global_init(CURL_GLOBAL_DEFAULT);
  curl_ = curl_easy_init();
  if (global != CURLE_OK || curl_ == nullptr)
    throw base::Failure(base::FailureKind::local, "libcurl does not start; nothing was sent");
}

HttpClient::~HttpClient() { curl_easy_cleanup(curl_); }

std::variant<HttpAnswer, NoAnswer> HttpClient::send(const HttpRequest& request, const std::stop_token& stop) {
  auto* curl = static_cast<CURL*>(curl_);
  curl_easy_reset(curl);
  Slist headers;
  Receiving receiving;
  receiving.stop = &stop;
  char error[CURL_ERROR_SIZE] = "";

  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!ca_bundle_.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, ca_bundle_.c_str());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &receiving);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &receiving);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, stopped);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &receiving);
  if (request.own_connection) curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
  if (!request.through_proxy) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  for (const auto& header : request.headers) headers.add(header.name, header.value.reveal());
  if (request.method == HttpRequest::Method::post) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.reveal().size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.reveal_c_str());
  } else if (request.method == HttpRequest::Method::put) {
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "PUT");
  }
  if (request.signing) sign(curl, *request.signing, headers);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.first);

  const auto code = curl_easy_perform(curl);
  if (code == CURLE_ABORTED_BY_CALLBACK)
    throw base::Failure(base::FailureKind::interrupted, "stopped while waiting for " + request.url);
  if (code != CURLE_OK) {
    const std::string why = receiving.too_large ? "the answer is larger than 8 MiB"
                            : error[0] != '\0'  ? error
                                                : curl_easy_strerror(code);
    return NoAnswer{kind_of(code, curl), why};
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  receiving.answer.status = static_cast<int>(status);
  return std::move(receiving.answer);
}

}  // namespace reseal::rds

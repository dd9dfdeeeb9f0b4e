// SPDX-License-Identifier: Apache-2.0
#include "sandbox/rds/signature.hpp"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <ctime>
#include <vector>

#include "base/failure.hpp"
#include "sandbox/rds/api_error.hpp"

namespace reseal::sandbox::rds {
namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";
constexpr std::chrono::minutes allowed_skew(15);

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    text += "0123456789abcdef"[static_cast<unsigned char>(byte) >> 4U];
    text += "0123456789abcdef"[static_cast<unsigned char>(byte) & 15U];
  }
  return text;
}

std::string hash(std::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return hex({reinterpret_cast<const char*>(digest), sizeof digest});
}

std::string keyed_hash(std::string_view key, std::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  unsigned size = 0;
  RESEAL_CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                    reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size) != nullptr);
  return {reinterpret_cast<const char*>(digest), size};
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

ApiError incomplete(const std::string& what) {
  return {400, "IncompleteSignature", "The Authorization header " + what + "."};
}

struct Claim {
  std::string key_id, date, region, service, signature;
  std::vector<std::string> signed_headers;

  std::string scope() const { return date + "/" + region + "/" + service + "/aws4_request"; }
};

// Authorization: AWS4-HMAC-SHA256 Credential=ID/DATE/REGION/SERVICE/aws4_request, SignedHeaders=a;b, Signature=hex
Claim read_claim(std::string_view header) {
  if (!header.starts_with(algorithm)) throw incomplete("does not begin with " + std::string(algorithm));
  header.remove_prefix(algorithm.size());
  std::map<std::string, std::string> parts;
  for (const auto& part : split(header, ',')) {
    const auto begin = part.find_first_not_of(' ');
    const auto equals = part.find('=');
    if (begin == std::string::npos || equals == std::string::npos) continue;
    parts[part.substr(begin, equals - begin)] = part.substr(equals + 1);
  }
  const auto credential = split(parts["Credential"], '/');
  if (credential.size() != 5 || credential[4] != "aws4_request") throw incomplete("has no whole Credential");
  Claim claim{credential[0], credential[1], credential[2], credential[3], parts["Signature"], {}};
  claim.signed_headers = split(parts["SignedHeaders"], ';');
  const auto& names = claim.signed_headers;
  if (std::find(names.begin(), names.end(), "host") == names.end()) throw incomplete("does not sign the host");
  if (claim.signature.empty()) throw incomplete("has no Signature");
  return claim;
}

std::string trimmed(std::string_view text) {
  std::string result;
  for (const char c : text)
    if (c != ' ' || (!result.empty() && result.back() != ' ')) result += c;
  while (!result.empty() && result.back() == ' ') result.pop_back();
  return result;
}

std::string sorted_query(std::string_view query) {
  auto fields = split(query, '&');
  for (auto& field : fields)
    if (!field.empty() && field.find('=') == std::string::npos) field += '=';
  std::sort(fields.begin(), fields.end());
  std::string result;
  for (const auto& field : fields) result += (result.empty() ? "" : "&") + field;
  return result;
}

std::string canonical_request(const HttpRequest& request, const Claim& claim) {
  const auto question = std::min(request.target.find('?'), request.target.size());
  const auto query = request.target.substr(std::min(question + 1, request.target.size()));
  std::string text = request.method + "\n" + request.target.substr(0, question) + "\n" + sorted_query(query) + "\n";
  std::string names;
  for (const auto& name : claim.signed_headers) {
    text += name + ":" + trimmed(request.header(name)) + "\n";
    names += (names.empty() ? "" : ";") + name;
  }
  return text + "\n" + names + "\n" + hash(request.body);
}

// "20150830T123600Z"
std::chrono::system_clock::time_point read_date(const std::string& text) {
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), "%Y%m%dT%H%M%SZ", &parts);
  if (end == nullptr || *end != '\0') throw incomplete("needs an X-Amz-Date such as 20150830T123600Z");
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

std::string expected_signature(const HttpRequest& request, const Claim& claim, const base::Secret& secret,
                               const std::string& date) {
  const auto text =
      std::string(algorithm) + "\n" + date + "\n" + claim.scope() + "\n" + hash(canonical_request(request, claim));
  auto key = keyed_hash("AWS4" + std::string(secret.reveal()), claim.date);
  for (const auto& part : {claim.region, claim.service, std::string("aws4_request")}) key = keyed_hash(key, part);
  return hex(keyed_hash(key, text));
}

}  // namespace

std::string HttpRequest::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

std::string check_signature(const HttpRequest& request, const AccessKey& key, std::string_view region,
                            std::chrono::system_clock::time_point now) {
  const auto header = request.header("authorization");
  if (header.empty())
    throw ApiError(403, "MissingAuthenticationToken", "The request has no Authorization header; sign it.");
  const auto claim = read_claim(header);
  if (claim.key_id != key.id)
    throw ApiError(403, "InvalidClientTokenId", "The security token included in the request is invalid.");
  const auto date = request.header("x-amz-date");
  const auto age = now - read_date(date);
  if (age > allowed_skew || -age > allowed_skew)
    throw ApiError(403, "RequestExpired", "The request was signed more than 15 minutes from now; look at the clock.");
  if (claim.region != region || !date.starts_with(claim.date))
    throw ApiError(403, "SignatureDoesNotMatch",
                   "Credential should be scoped to a valid region, which is " + std::string(region) + " here.");
  const auto expected = expected_signature(request, claim, key.secret, date);
  if (claim.signature.size() != expected.size() ||
      CRYPTO_memcmp(claim.signature.data(), expected.data(), expected.size()) != 0)
    throw ApiError(403, "SignatureDoesNotMatch",
                   "The request signature we calculated does not match the signature you provided. Check your AWS "
                   "Secret Access Key and signing method.");
  return claim.service;
}

}  // namespace reseal::sandbox::rds

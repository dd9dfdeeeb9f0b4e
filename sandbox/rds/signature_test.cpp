// SPDX-License-Identifier: Apache-2.0
#include "sandbox/rds/signature.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "sandbox/rds/api_error.hpp"

namespace reseal::sandbox::rds {
namespace {

using testing::HasSubstr;

// AWS's Signature Version 4 test suite: its key, its date, 2015-08-30 12:36:00 UTC, its service.
const std::chrono::system_clock::time_point suite_time = std::chrono::system_clock::from_time_t(1440938160);

AccessKey suite_key() { return {"AKIDEXAMPLE", base::Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")}; }

HttpRequest suite_request(const std::string& method, const std::string& target, const std::string& signed_headers,
                          const std::string& signature) {
  HttpRequest request{method, target, {}, ""};
  request.headers = {
      {"host", "example.amazonaws.com"},
      {"x-amz-date", "20150830T123600Z"},
      {"authorization",
       "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=" +
           signed_headers + ", Signature=" + signature}};
  return request;
}

HttpRequest get_vanilla() {
  return suite_request("GET", "/", "host;x-amz-date",
                       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

HttpRequest post_form() {
  auto request = suite_request("POST", "/", "content-type;host;x-amz-date",
                               "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
  request.headers["content-type"] = "application/x-www-form-urlencoded";
  request.body = "Param1=value1";
  return request;
}

std::string code_of(const HttpRequest& request, const AccessKey& key = suite_key(),
                    std::chrono::system_clock::time_point now = suite_time) {
  try {
    return "valid for " + check_signature(request, key, "us-east-1", now);
  } catch (const ApiError& error) {
    return error.code() + " " + std::to_string(error.status());
  }
}

TEST(SignatureTest, accepts_the_published_vectors) {
  EXPECT_EQ(code_of(get_vanilla()), "valid for service");
  EXPECT_EQ(code_of(post_form()), "valid for service");
  EXPECT_EQ(code_of(suite_request("POST", "/", "host;x-amz-date",
                                  "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b")),
            "valid for service");
  EXPECT_EQ(code_of(suite_request("GET", "/?Param2=value2&Param1=value1", "host;x-amz-date",
                                  "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500")),
            "valid for service");
}

TEST(SignatureTest, refuses_a_wrong_secret_and_an_unknown_key) {
  EXPECT_EQ(code_of(get_vanilla(), {"AKIDEXAMPLE", base::Secret("wrong")}), "SignatureDoesNotMatch 403");
  EXPECT_EQ(code_of(get_vanilla(), {"AKIDOTHER", base::Secret("wrong")}), "InvalidClientTokenId 403");
}

TEST(SignatureTest, refuses_what_was_changed_after_it_was_signed) {
  auto body = post_form();
  body.body = "Param1=value2";
  EXPECT_EQ(code_of(body), "SignatureDoesNotMatch 403");
  auto target = get_vanilla();
  target.target = "/?a=b";
  EXPECT_EQ(code_of(target), "SignatureDoesNotMatch 403");
  auto method = get_vanilla();
  method.method = "POST";
  EXPECT_EQ(code_of(method), "SignatureDoesNotMatch 403");
  auto host = get_vanilla();
  host.headers["host"] = "other.amazonaws.com";
  EXPECT_EQ(code_of(host), "SignatureDoesNotMatch 403");
}

TEST(SignatureTest, refuses_an_old_one_and_one_from_the_future) {
  EXPECT_EQ(code_of(get_vanilla(), suite_key(), suite_time + std::chrono::minutes(14)), "valid for service");
  EXPECT_EQ(code_of(get_vanilla(), suite_key(), suite_time + std::chrono::minutes(16)), "RequestExpired 403");
  EXPECT_EQ(code_of(get_vanilla(), suite_key(), suite_time - std::chrono::minutes(16)), "RequestExpired 403");
}

TEST(SignatureTest, refuses_headers_that_are_none) {
  auto request = get_vanilla();
  request.headers["authorization"] = "Basic abc";
  EXPECT_EQ(code_of(request), "IncompleteSignature 400");
  request.headers["authorization"] =
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830, SignedHeaders=host, Signature=a";
  EXPECT_EQ(code_of(request), "IncompleteSignature 400");
  request.headers["authorization"] =
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=x-amz-date, "
      "Signature=a";
  EXPECT_EQ(code_of(request), "IncompleteSignature 400");
  request = get_vanilla();
  request.headers["x-amz-date"] = "yesterday";
  EXPECT_EQ(code_of(request), "IncompleteSignature 400");
  request.headers.erase("authorization");
  EXPECT_EQ(code_of(request), "MissingAuthenticationToken 403");
}

}  // namespace
}  // namespace reseal::sandbox::rds

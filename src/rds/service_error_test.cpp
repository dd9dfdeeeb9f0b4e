// SPDX-License-Identifier: Apache-2.0
#include "rds/service_error.hpp"

#include <gtest/gtest.h>

#include "rds/retry.hpp"

namespace reseal::rds {
namespace {

ErrorClass class_of(int status, const std::string& code) { return classify({status, code, "", "", status >= 500}); }

TEST(ServiceError, codes_fall_into_the_classes_that_callers_act_on) {
  for (const auto* code : {"Throttling", "ThrottlingException", "RequestLimitExceeded", "SlowDown"})
    EXPECT_EQ(class_of(400, code), ErrorClass::throttled) << code;
  EXPECT_EQ(class_of(503, "Throttling"), ErrorClass::throttled);
  EXPECT_EQ(class_of(429, "whatever"), ErrorClass::throttled);
  EXPECT_EQ(class_of(500, "InternalFailure"), ErrorClass::server_fault);
  EXPECT_EQ(class_of(503, "ServiceUnavailable"), ErrorClass::server_fault);
  EXPECT_EQ(class_of(403, "ExpiredToken"), ErrorClass::expired);
  EXPECT_EQ(class_of(403, "SignatureDoesNotMatch"), ErrorClass::denied);
  EXPECT_EQ(class_of(400, "AccessDeniedException"), ErrorClass::denied);
  EXPECT_EQ(class_of(404, "DBInstanceNotFound"), ErrorClass::not_found);
  EXPECT_EQ(class_of(404, "DBSubnetGroupNotFoundFault"), ErrorClass::not_found);
  EXPECT_EQ(class_of(400, "NotFoundException"), ErrorClass::not_found);
  EXPECT_EQ(class_of(400, "DBSnapshotAlreadyExists"), ErrorClass::already_exists);
  EXPECT_EQ(class_of(400, "InvalidDBInstanceState"), ErrorClass::other);
  EXPECT_EQ(classify({0, "no answer", "", "", false}), ErrorClass::not_sent);
  EXPECT_EQ(classify({0, "no answer", "", "", true}), ErrorClass::server_fault);
}

TEST(ServiceError, the_query_apis_shape_is_read) {
  const auto error =
      error_of_xml(404, R"(<ErrorResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><Error><Type>Sender</Type>
      <Code>DBInstanceNotFound</Code><Message>DBInstance shop not found.</Message></Error>
      <RequestId>b9cf4dd5</RequestId></ErrorResponse>)");
  EXPECT_EQ(error.text(), "DBInstanceNotFound (404): DBInstance shop not found.. Request b9cf4dd5");
  EXPECT_FALSE(error.lost);
}

TEST(ServiceError, the_older_shape_is_read_too) {
  const auto error = error_of_xml(403,
                                  "<Response><Errors><Error><Code>AccessDenied</Code><Message>m</Message></Error>"
                                  "</Errors><RequestID>id</RequestID></Response>");
  EXPECT_EQ(error.text(), "AccessDenied (403): m. Request id");
}

TEST(ServiceError, an_answer_of_another_kind_is_told_by_its_status) {
  EXPECT_EQ(error_of_xml(502, "<html>Bad gateway").text(), "HTTP 502: an answer of 17 bytes that is no AWS error");
  EXPECT_TRUE(error_of_xml(502, "").lost);
  EXPECT_EQ(error_of_xml(400, "<Other/>").code, "HTTP 400");
  EXPECT_EQ(error_of_json(400, "[1]", "").code, "HTTP 400");
}

TEST(ServiceError, the_json_shape_is_read) {
  const auto error =
      error_of_json(400, R"({"__type":"com.amazonaws.kms#NotFoundException","message":"no key"})", "id-1");
  EXPECT_EQ(error.text(), "NotFoundException (400): no key. Request id-1");
}

TEST(Retry, what_was_not_carried_out_is_sent_again_whatever_the_action) {
  const RetryPolicy policy;
  for (const auto repeat : {Repeat::harmless, Repeat::never}) {
    EXPECT_TRUE(policy.wait_before_next(1, ErrorClass::throttled, repeat, 0.5));
    EXPECT_TRUE(policy.wait_before_next(1, ErrorClass::not_sent, repeat, 0.5));
  }
}

TEST(Retry, a_lost_answer_is_asked_for_again_only_where_that_does_no_harm) {
  const RetryPolicy policy;
  EXPECT_TRUE(policy.wait_before_next(1, ErrorClass::server_fault, Repeat::harmless, 0.5));
  EXPECT_FALSE(policy.wait_before_next(1, ErrorClass::server_fault, Repeat::never, 0.5));
}

TEST(Retry, a_refusal_is_final) {
  const RetryPolicy policy;
  for (const auto error : {ErrorClass::denied, ErrorClass::not_found, ErrorClass::already_exists, ErrorClass::other})
    EXPECT_FALSE(policy.wait_before_next(1, error, Repeat::harmless, 0.5));
}

TEST(Retry, waits_grow_to_the_cap_and_end) {
  const RetryPolicy policy{12, std::chrono::milliseconds(500), std::chrono::milliseconds(20'000)};
  std::chrono::milliseconds longest{0};
  for (int attempts = 1; attempts < 12; ++attempts) {
    const auto most = policy.wait_before_next(attempts, ErrorClass::throttled, Repeat::harmless, 0.999999);
    const auto least = policy.wait_before_next(attempts, ErrorClass::throttled, Repeat::harmless, 0);
    ASSERT_TRUE(most && least);
    EXPECT_GE(*most, longest);
    EXPECT_LE(*most, policy.cap);
    EXPECT_EQ(least->count(), 0);
    longest = *most;
  }
  EXPECT_GE(longest.count(), 19'999);
  EXPECT_FALSE(policy.wait_before_next(12, ErrorClass::throttled, Repeat::harmless, 0));
  EXPECT_FALSE(policy.wait_before_next(1'000'000, ErrorClass::throttled, Repeat::harmless, 0));
}

}  // namespace
}  // namespace reseal::rds

// SPDX-License-Identifier: Apache-2.0
#include "rds/service_connection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "rds/connection_for_tests.hpp"
#include "rds/key_and_identity.hpp"

namespace reseal::rds {
namespace {

using base::Failure;
using base::FailureKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// The replies of a list, one after the other; the last one again and again.
HttpServerForTests::Answer in_turn(std::vector<Reply> replies) {
  return [replies, next = std::size_t{0}](const ReceivedRequest&) mutable {
    const auto now = next;
    if (next + 1 < replies.size()) ++next;
    return replies[now];
  };
}

const std::string no_instances = result_xml("DescribeDBInstances", "<DBInstances/>");

TEST(ServiceConnection, a_request_is_a_signed_post_of_a_form) {
  ConnectionForTests test(in_turn({{200, no_instances, false, {}}}));
  ASSERT_TRUE(test.client.describe_instance("a b").ok());
  const auto request = test.server.requests().at(0);
  EXPECT_EQ(request.method + request.path, "POST/");
  EXPECT_EQ(request.body, "Action=DescribeDBInstances&Version=2014-10-31&DBInstanceIdentifier=a+b");
  EXPECT_EQ(request.header("content-type"), "application/x-www-form-urlencoded; charset=utf-8");
  EXPECT_THAT(request.header("authorization"), HasSubstr("AWS4-HMAC-SHA256 Credential=AK1/"));
  EXPECT_THAT(request.header("authorization"), HasSubstr("/eu-central-1/rds/aws4_request"));
  EXPECT_THAT(request.header("authorization"), HasSubstr("x-amz-security-token"));
  EXPECT_EQ(request.header("x-amz-security-token"), "canary-token");
  for (const auto& [name, value] : request.headers) EXPECT_THAT(value, Not(HasSubstr("canary-secret"))) << name;
}

TEST(ServiceConnection, throttling_and_server_faults_are_waited_out) {
  ConnectionForTests test(in_turn({{400, error_xml("Throttling"), false, {}},
                                   {503, "busy", false, {}},
                                   {200, "", true, {}},
                                   {200, no_instances, false, {}}}));
  ASSERT_TRUE(test.client.describe_instance("shop").ok());
  EXPECT_THAT(test.time.waits, ElementsAre(std::chrono::milliseconds(250), std::chrono::milliseconds(500),
                                           std::chrono::milliseconds(1000)));
  ASSERT_EQ(test.told.size(), 3U);
  EXPECT_THAT(test.told[0],
              HasSubstr("DescribeDBInstances: Throttling (400): because. Request req-1; again in 250 ms"));
  for (const auto& line : test.told) EXPECT_THAT(line, Not(HasSubstr("canary")));
}

TEST(ServiceConnection, patience_ends) {
  ConnectionForTests test(in_turn({{400, error_xml("RequestLimitExceeded"), false, {}}}));
  const auto outcome = test.client.describe_instance("shop");
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error_class(), ErrorClass::throttled);
  EXPECT_EQ(test.server.requests().size(), 8U);
  EXPECT_EQ(as_failure(outcome.error(), "look").kind(), FailureKind::transient);
}

TEST(ServiceConnection, a_refusal_is_a_typed_result) {
  ConnectionForTests test(in_turn({{403, error_xml("SignatureDoesNotMatch"), false, {}}}));
  const auto outcome = test.client.describe_instance("shop");
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error_class(), ErrorClass::denied);
  EXPECT_EQ(outcome.error().request_id, "req-1");
  EXPECT_EQ(test.server.requests().size(), 1U);
  EXPECT_EQ(as_failure(outcome.error(), "look").kind(), FailureKind::refused);
}

TEST(ServiceConnection, what_creates_is_not_sent_again_after_a_lost_answer) {
  for (const auto& reply : {Reply{200, "", true, {}}, Reply{500, error_xml("InternalFailure"), false, {}},
                            Reply{200, "no xml", false, {}}}) {
    ConnectionForTests test(in_turn({reply}));
    const auto outcome = test.client.create(CreateSnapshot{"snap", "shop", {}});
    ASSERT_FALSE(outcome.ok());
    EXPECT_TRUE(outcome.error().lost);
    EXPECT_EQ(test.server.requests().size(), 1U);
  }
}

TEST(ServiceConnection, what_creates_is_not_sent_again_by_the_library_either) {
  ConnectionForTests test(in_turn({{200, no_instances, false, {}, true}, {200, "", true, {}}}));
  ASSERT_TRUE(test.client.describe_instance("shop").ok());
  const auto outcome = test.client.reboot("shop");
  ASSERT_FALSE(outcome.ok());
  EXPECT_TRUE(outcome.error().lost);
  EXPECT_EQ(test.server.requests().size(), 2U);
}

TEST(ServiceConnection, what_creates_is_sent_again_when_it_was_throttled) {
  ConnectionForTests test(in_turn(
      {{400, error_xml("Throttling"), false, {}},
       {200, result_xml("CreateDBSnapshot", "<DBSnapshot><Status>creating</Status></DBSnapshot>"), false, {}}}));
  const auto outcome = test.client.create(CreateSnapshot{"snap", "shop", {}});
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome.value().status, "creating");
}

TEST(ServiceConnection, expired_credentials_are_fetched_anew_once) {
  ConnectionForTests test(in_turn({{403, error_xml("ExpiredToken"), false, {}}, {200, no_instances, false, {}}}));
  EXPECT_TRUE(test.client.describe_instance("shop").ok());
  EXPECT_EQ(test.loads, 2);
  ConnectionForTests still(in_turn({{403, error_xml("ExpiredToken"), false, {}}}));
  EXPECT_EQ(still.client.describe_instance("shop").error_class(), ErrorClass::expired);
  EXPECT_EQ(still.server.requests().size(), 2U);
}

TEST(ServiceConnection, lists_are_read_page_by_page_to_their_end) {
  ConnectionForTests test([](const ReceivedRequest& request) {
    const auto marker = request.field("Marker");
    const auto page = [](const std::string& id, const std::string& next) {
      return Reply{200,
                   result_xml("DescribeDBSnapshots", "<Marker>" + next +
                                                         "</Marker><DBSnapshots><DBSnapshot><DBSnapshotIdentifier>" +
                                                         id + "</DBSnapshotIdentifier></DBSnapshot></DBSnapshots>"),
                   false,
                   {}};
    };
    return marker.empty() ? page("one", "m/1=") : marker == "m/1=" ? page("two", "m2") : page("three", "");
  });
  const auto snapshots = test.client.describe_snapshots_of("shop");
  ASSERT_TRUE(snapshots.ok());
  ASSERT_EQ(snapshots.value().size(), 3U);
  EXPECT_EQ(snapshots.value()[2].identifier, "three");
}

TEST(ServiceConnection, pages_that_lead_nowhere_end) {
  ConnectionForTests test(in_turn({{200, result_xml("DescribeDBSnapshots", "<Marker>same</Marker>"), false, {}}}));
  EXPECT_FALSE(test.client.describe_snapshots_of("shop").ok());
  EXPECT_EQ(test.server.requests().size(), 2U);
}

TEST(ServiceConnection, more_than_twenty_parameters_go_in_several_calls) {
  ConnectionForTests test(in_turn({{200, result_xml("ModifyDBParameterGroup", ""), false, {}}}));
  EXPECT_EQ(test.client.modify_parameters("g", std::vector<ParameterChange>(45, {"a", "b", true})).value(), 45U);
  const auto requests = test.server.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[0].field("Parameters.Parameter.20.ParameterName"), "a");
  EXPECT_EQ(requests[2].field("Parameters.Parameter.6.ParameterName"), "");
}

TEST(ServiceConnection, an_answer_without_end_is_cut_off) {
  ConnectionForTests test(in_turn({{200, std::string((8U << 20U) + 1, 'x'), false, {}}}));
  const auto outcome = test.client.create(CreateSnapshot{"snap", "shop", {}});
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, "no answer");
  EXPECT_THAT(outcome.error().message, HasSubstr("larger than 8 MiB"));
}

TEST(ServiceConnection, a_redirect_is_not_followed) {
  ConnectionForTests test(in_turn({{302, "", false, {"Location: http://127.0.0.1:1/"}}}));
  const auto outcome = test.client.describe_instance("shop");
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, "HTTP 302");
}

TEST(ServiceConnection, a_service_that_is_not_there_is_not_sent_to) {
  ClockForTests time;
  CredentialProvider credentials(
      [](const std::stop_token&) {
        return Credentials{"AK", base::Secret("s"), {}, std::nullopt, ""};
      },
      time.clock());
  HttpClient http;
  std::string gone;
  {
    HttpServerForTests server([](const ReceivedRequest&) { return Reply{}; });
    gone = server.url();
  }
  ServiceConnection connection(Service::rds, {"eu-central-1", gone, {}, {}}, http, credentials, time.clock());
  RdsClient client(connection, {});
  const auto outcome = client.create(CreateSnapshot{"snap", "shop", {}});
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error_class(), ErrorClass::not_sent);
  EXPECT_EQ(time.waits.size(), 7U);
}

TEST(ServiceConnection, a_stop_is_heard_between_attempts) {
  ConnectionForTests test(in_turn({{503, "", false, {}}}));
  test.time.at_wait = [&] { test.stop.request_stop(); };
  try {
    (void)test.client.describe_instance("shop");
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.kind(), FailureKind::interrupted);
  }
  EXPECT_EQ(test.server.requests().size(), 1U);
}

TEST(ServiceConnection, a_stop_is_heard_while_the_service_is_silent) {
  std::promise<void> given_up;
  std::stop_source* stop = nullptr;
  ConnectionForTests test([&](const ReceivedRequest&) {
    stop->request_stop();
    given_up.get_future().wait();
    return Reply{200, no_instances, false, {}};
  });
  stop = &test.stop;
  EXPECT_THROW((void)test.client.describe_instance("shop"), Failure);
  given_up.set_value();
}

TEST(Kms, a_key_is_described_over_json) {
  ConnectionForTests test(
      in_turn({{200,
                R"({"KeyMetadata":{"KeyId":"k","Arn":"arn:aws:kms:eu-central-1:1:key/k","KeyState":"Enabled",
                 "Enabled":true,"KeySpec":"SYMMETRIC_DEFAULT","KeyUsage":"ENCRYPT_DECRYPT","KeyManager":"CUSTOMER"}})",
                false,
                {}},
               {400, R"({"__type":"NotFoundException","message":"x"})", false, {"x-amzn-RequestId: id-9"}},
               {200, R"({"Other":1})", false, {}}}),
      Service::kms);
  const auto key = describe_key(test.connection, "alias/x", {});
  ASSERT_TRUE(key.ok() && key.value());
  EXPECT_EQ(key.value()->state + key.value()->spec, "EnabledSYMMETRIC_DEFAULT");
  const auto request = test.server.requests().at(0);
  EXPECT_EQ(request.body, R"({"KeyId":"alias/x"})");
  EXPECT_EQ(request.header("x-amz-target"), "TrentService.DescribeKey");
  EXPECT_THAT(request.header("authorization"), HasSubstr("/eu-central-1/kms/aws4_request"));
  const auto none = describe_key(test.connection, "gone", {});
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none.value());
  EXPECT_FALSE(describe_key(test.connection, "odd", {}).ok());
}

TEST(Kms, an_arn_names_its_region) {
  EXPECT_EQ(region_of_arn("arn:aws:kms:eu-west-1:1:key/k"), "eu-west-1");
  EXPECT_EQ(region_of_arn("alias/x"), "");
  EXPECT_EQ(region_of_arn("arn:aws"), "");
}

TEST(Sts, the_identity_is_read) {
  ConnectionForTests test(
      in_turn({{200, result_xml("GetCallerIdentity", "<Arn>arn:me</Arn><Account>123</Account>"), false, {}}}),
      Service::sts);
  const auto me = caller_identity(test.connection, {});
  ASSERT_TRUE(me.ok());
  EXPECT_EQ(me.value().account + me.value().arn, "123arn:me");
  EXPECT_EQ(test.server.requests().at(0).field("Version"), "2011-06-15");
}

}  // namespace
}  // namespace reseal::rds

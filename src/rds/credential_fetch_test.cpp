// SPDX-License-Identifier: Apache-2.0
#include "rds/credential_fetch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "rds/clock_for_tests.hpp"
#include "rds/connection_for_tests.hpp"
#include "rds/credential_provider.hpp"
#include "rds/session.hpp"

namespace reseal::rds {
namespace {

using base::Failure;
using base::FailureKind;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

constexpr const char* metadata_keys = R"({"Code":"Success","AccessKeyId":"ASIA1","SecretAccessKey":"canary-s",
  "Token":"canary-t","Expiration":"2026-11-25T06:00:00Z"})";

struct CredentialFetchTest : testing::Test {
  ClockForTests time;
  HttpClient http;
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("reseal-credential-fetch-" + std::to_string(::getpid()));
  CredentialFetchTest() { std::filesystem::create_directories(folder); }
  ~CredentialFetchTest() override { std::filesystem::remove_all(folder); }

  std::string token_file(const std::string& text) {
    std::ofstream(folder / "token") << text;
    return folder / "token";
  }
  Credentials fetch(const CredentialPlan& plan, const std::string& sts_url = "") {
    return CredentialFetch(http, time.clock(), sts_url).fetch(plan, {});
  }
  FailureKind kind_of_failure(const CredentialPlan& plan, const std::string& sts_url = "") {
    try {
      fetch(plan, sts_url);
      ADD_FAILURE() << "no failure";
      return FailureKind::local;
    } catch (const Failure& failure) {
      EXPECT_THAT(failure.what(), Not(HasSubstr("canary")));
      return failure.kind();
    }
  }
};

TEST_F(CredentialFetchTest, the_metadata_service_is_asked_with_a_token) {
  HttpServerForTests server([](const ReceivedRequest& request) -> Reply {
    if (request.method == "PUT" && request.path == "/latest/api/token")
      return {200, request.header("x-aws-ec2-metadata-token-ttl-seconds") == "21600" ? "tok" : "", false, {}};
    if (request.header("x-aws-ec2-metadata-token") != "tok") return {401, "", false, {}};
    if (request.path == "/latest/meta-data/iam/security-credentials/") return {200, "my-role", false, {}};
    if (request.path == "/latest/meta-data/iam/security-credentials/my-role") return {200, metadata_keys, false, {}};
    return {404, "", false, {}};
  });
  const auto got = fetch(InstanceMetadata{server.url()});
  EXPECT_EQ(got.access_key_id, "ASIA1");
  EXPECT_EQ(got.session_token.reveal(), "canary-t");
  EXPECT_EQ(got.origin, "role my-role of this instance");
  EXPECT_EQ(*got.expires, time.now + 6h);
}

TEST_F(CredentialFetchTest, an_instance_without_a_role_or_without_metadata_is_told) {
  HttpServerForTests no_role([](const ReceivedRequest& request) -> Reply {
    return request.method == "PUT" ? Reply{200, "tok", false, {}} : Reply{404, "", false, {}};
  });
  EXPECT_EQ(kind_of_failure(InstanceMetadata{no_role.url()}), FailureKind::refused);
  HttpServerForTests only_version_one([](const ReceivedRequest& request) -> Reply {
    return request.method == "PUT" ? Reply{403, "", false, {}} : Reply{200, "role", false, {}};
  });
  EXPECT_EQ(kind_of_failure(InstanceMetadata{only_version_one.url()}), FailureKind::refused);
  EXPECT_EQ(only_version_one.requests().size(), 1U);
  HttpServerForTests silent([](const ReceivedRequest&) -> Reply { return {200, "", true, {}}; });
  EXPECT_EQ(kind_of_failure(InstanceMetadata{silent.url()}), FailureKind::refused);
  EXPECT_EQ(silent.requests().size(), 3U);
}

TEST_F(CredentialFetchTest, the_agent_of_a_container_gets_the_token_of_now) {
  HttpServerForTests server([](const ReceivedRequest& request) -> Reply {
    return request.header("authorization") == "Bearer 1" ? Reply{200, metadata_keys, false, {}}
                                                         : Reply{401, "", false, {}};
  });
  EXPECT_EQ(fetch(ContainerAgent{server.url() + "x", {}, token_file("Bearer 1\n")}).access_key_id, "ASIA1");
  EXPECT_EQ(fetch(ContainerAgent{server.url() + "x", base::Secret("Bearer 1"), ""}).access_key_id, "ASIA1");
  EXPECT_EQ(kind_of_failure(ContainerAgent{server.url() + "x", base::Secret("canary"), ""}), FailureKind::refused);
  EXPECT_EQ(kind_of_failure(ContainerAgent{server.url() + "x", base::Secret("canary\r\nX: y"), ""}),
            FailureKind::usage);
  EXPECT_EQ(kind_of_failure(ContainerAgent{server.url() + "x", {}, folder / "gone"}), FailureKind::usage);
}

TEST_F(CredentialFetchTest, a_web_identity_is_taken_to_sts_unsigned) {
  HttpServerForTests server([](const ReceivedRequest& request) -> Reply {
    if (request.field("WebIdentityToken") != "canary-jwt") return {400, error_xml("InvalidIdentityToken"), false, {}};
    return {
        200,
        result_xml("AssumeRoleWithWebIdentity",
                   "<Credentials><AccessKeyId>ASIA2</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t"
                   "</SessionToken><Expiration>2026-11-25T01:00:00Z</Expiration></Credentials>"),
        false,
        {}};
  });
  EXPECT_EQ(fetch(WebIdentity{token_file("canary-jwt\n"), "arn:r", "name"}, server.url()).access_key_id, "ASIA2");
  const auto request = server.requests().at(0);
  EXPECT_EQ(request.header("authorization"), "");
  EXPECT_EQ(request.field("Action") + request.field("RoleArn") + request.field("RoleSessionName"),
            "AssumeRoleWithWebIdentityarn:rname");
  EXPECT_EQ(kind_of_failure(WebIdentity{token_file("canary-other"), "arn:r", "n"}, server.url()), FailureKind::source);
  EXPECT_EQ(kind_of_failure(WebIdentity{token_file("a\nb"), "arn:r", "n"}, server.url()), FailureKind::usage);
}

struct Provider : testing::Test {
  ClockForTests time;
  int loads = 0;
  bool broken = false;
  std::optional<std::chrono::minutes> life{60};
  CredentialProvider provider{[this](const std::stop_token&) {
                                ++loads;
                                if (broken) throw Failure(FailureKind::transient, "nobody answers");
                                Credentials made{"AK" + std::to_string(loads), base::Secret("s"), {}, {}, ""};
                                if (life) made.expires = time.now + *life;
                                return made;
                              },
                              time.clock()};
  std::string id() { return provider.current({}).access_key_id; }
};

TEST_F(Provider, keys_are_fetched_again_ahead_of_their_end) {
  EXPECT_EQ(id(), "AK1");
  time.now += 44min;
  EXPECT_EQ(id(), "AK1");
  time.now += 1min;
  EXPECT_EQ(id(), "AK2");
}

TEST_F(Provider, old_keys_serve_while_they_last_and_new_ones_are_not_asked_for_all_the_time) {
  EXPECT_EQ(id(), "AK1");
  time.now += 50min;
  broken = true;
  EXPECT_EQ(id(), "AK1");
  EXPECT_EQ(id(), "AK1");
  EXPECT_EQ(loads, 2);
  time.now += 9min + 30s;
  EXPECT_THROW(id(), Failure);
  broken = false;
  EXPECT_EQ(id(), "AK4");
}

TEST_F(Provider, keys_without_an_end_stay_until_the_service_calls_them_expired) {
  life.reset();
  const auto first = provider.current({});
  time.now += 24h * 365;
  EXPECT_EQ(id(), "AK1");
  provider.expired(first);
  EXPECT_EQ(id(), "AK2");
  provider.expired(first);
  EXPECT_EQ(id(), "AK2");
}

TEST(Session, takes_all_from_the_environment) {
  HttpServerForTests server([](const ReceivedRequest&) {
    return Reply{200, result_xml("GetCallerIdentity", "<Account>1</Account>"), false, {}};
  });
  const EnvironmentForTests environment({{"AWS_ACCESS_KEY_ID", "AK"},
                                         {"AWS_SECRET_ACCESS_KEY", "canary"},
                                         {"AWS_REGION", "eu-west-1"},
                                         {"AWS_ENDPOINT_URL_STS", server.url()}});
  Session session({}, environment.environment());
  EXPECT_EQ(session.region(), "eu-west-1");
  EXPECT_EQ(session.credentials_origin({}), "the environment");
  ASSERT_TRUE(session.sts().query(Form("GetCallerIdentity", "2011-06-15"), Repeat::harmless, {}).ok());
  EXPECT_THAT(server.requests().at(0).header("authorization"), HasSubstr("Credential=AK/"));
  EXPECT_THAT(server.requests().at(0).header("authorization"), HasSubstr("/eu-west-1/sts/aws4_request"));
}

}  // namespace
}  // namespace reseal::rds

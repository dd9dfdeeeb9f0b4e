// SPDX-License-Identifier: Apache-2.0
#include "rds/credential_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "base/failure.hpp"
#include "rds/credential_answers.hpp"
#include "rds/endpoint.hpp"
#include "rds/http_server_for_tests.hpp"

namespace reseal::rds {
namespace {

using base::Failure;
using base::FailureKind;
using testing::HasSubstr;
using testing::Not;

using Variables = std::map<std::string, std::string>;

ProfileFiles files(std::string_view credentials, std::string_view config, const std::string& name = "default") {
  ProfileFiles found;
  found.credentials = base::value_or_fail(parse_profiles(credentials, ProfileSyntax::credentials), "test");
  found.config = base::value_or_fail(parse_profiles(config, ProfileSyntax::config), "test");
  found.credentials_path = "CREDENTIALS";
  found.config_path = "CONFIG";
  found.name = name;
  found.named = name != "default";
  return found;
}

CredentialPlan plan(const Variables& variables, const ProfileFiles& profiles = {}) {
  const EnvironmentForTests environment(variables);
  return plan_credentials(environment.environment(), profiles);
}

std::string refusal(const Variables& variables, const ProfileFiles& profiles = {}) {
  try {
    plan(variables, profiles);
    return "not refused";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.kind(), FailureKind::usage);
    EXPECT_THAT(failure.what(), Not(HasSubstr("canary")));
    return failure.what();
  }
}

std::string origin(const CredentialPlan& chosen) { return std::get<Credentials>(chosen).origin; }

const char* const keys = "[default]\naws_access_key_id=AK1\naws_secret_access_key=canary\n";

TEST(CredentialPlan, sources_are_asked_in_the_order_of_the_sdks) {
  Variables variables = {{"AWS_ACCESS_KEY_ID", "AK"},
                         {"AWS_SECRET_ACCESS_KEY", "canary"},
                         {"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"},
                         {"AWS_ROLE_ARN", "arn:role"},
                         {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c"}};
  const auto both = files(keys, "[default]\naws_access_key_id=AK2\naws_secret_access_key=canary\n");
  EXPECT_EQ(origin(plan(variables, both)), "the environment");
  variables.erase("AWS_ACCESS_KEY_ID");
  EXPECT_EQ(std::get<WebIdentity>(plan(variables, both)).role_arn, "arn:role");
  variables.erase("AWS_WEB_IDENTITY_TOKEN_FILE");
  EXPECT_EQ(origin(plan(variables, both)), "profile default of CREDENTIALS");
  EXPECT_EQ(origin(plan(variables, files("", "[default]\naws_access_key_id=A\naws_secret_access_key=b\n"))),
            "profile default of CONFIG");
  EXPECT_EQ(std::get<ContainerAgent>(plan(variables)).url, "http://169.254.170.2/c");
  variables.erase("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  EXPECT_EQ(std::get<InstanceMetadata>(plan(variables)).url, "http://169.254.169.254/");
}

TEST(CredentialPlan, a_named_profile_that_is_not_there_is_told) {
  EXPECT_THAT(refusal({}, files(keys, "", "prod")), HasSubstr("profile prod, which AWS_PROFILE names, is neither in"));
}

TEST(CredentialPlan, what_is_half_set_is_told_and_not_passed_over) {
  EXPECT_THAT(refusal({{"AWS_ACCESS_KEY_ID", "AK"}}), HasSubstr("AWS_SECRET_ACCESS_KEY is not"));
  EXPECT_THAT(refusal({{"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"}}), HasSubstr("AWS_ROLE_ARN is not"));
  EXPECT_THAT(refusal({}, files("[default]\naws_access_key_id=AK\n", "")), HasSubstr("no aws_secret_access_key"));
  EXPECT_THAT(refusal({}, files("", "[profile p]\nrole_arn=a\n", "p")), HasSubstr("no web_identity_token_file"));
}

TEST(CredentialPlan, a_profile_of_a_kind_that_is_not_supported_is_told_with_the_way_out) {
  EXPECT_THAT(refusal({}, files(keys, "[profile p]\nsso_session=s\n", "p")),
              HasSubstr("aws configure export-credentials --profile p"));
  EXPECT_THAT(refusal({}, files("", "[profile p]\ncredential_process=x\n", "p")), HasSubstr("credential_process"));
  EXPECT_THAT(refusal({}, files(keys, "[profile p]\nrole_arn=a\nsource_profile=default\n", "p")),
              HasSubstr("source_profile"));
}

TEST(CredentialPlan, a_profile_may_name_a_web_identity) {
  const auto chosen = std::get<WebIdentity>(
      plan({}, files("", "[profile p]\nrole_arn=arn:r\nweb_identity_token_file=/t\nrole_session_name=n\n", "p")));
  EXPECT_EQ(chosen.token_file + chosen.role_arn + chosen.session_name, "/tarn:rn");
}

TEST(CredentialPlan, agents_without_tls_are_known_ones_only) {
  const auto url = [](const std::string& text) { return Variables{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", text}}; };
  for (const auto* good : {"http://127.0.0.1:8080/x", "http://localhost/x", "http://169.254.170.23/v1/credentials",
                           "http://[fd00:ec2::23]/v1", "http://[::1]:1/x", "https://example.com/x"})
    EXPECT_EQ(std::get<ContainerAgent>(plan(url(good))).url, good);
  for (const auto* bad : {"http://example.com/x", "http://169.254.169.254/x", "http://127.0.0.1.example.com/x",
                          "http://127.0.0.1@example.com/", "ftp://127.0.0.1/", "nonsense", "http://10.0.0.1/"})
    EXPECT_THAT(refusal(url(bad)), HasSubstr("AWS_CONTAINER_CREDENTIALS_FULL_URI")) << bad;
  EXPECT_THAT(refusal({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@example.com/x"}}),
              HasSubstr("does not begin with /"));
}

TEST(CredentialPlan, the_token_file_of_the_agent_comes_before_the_token) {
  const auto agent = std::get<ContainerAgent>(plan({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c"},
                                                    {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "canary"},
                                                    {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/f"}}));
  EXPECT_EQ(agent.token_file, "/f");
  EXPECT_TRUE(agent.token.empty());
}

TEST(CredentialPlan, the_metadata_service_can_be_switched_off_and_moved) {
  EXPECT_THAT(refusal({{"AWS_EC2_METADATA_DISABLED", "TRUE"}}), HasSubstr("AWS_EC2_METADATA_DISABLED"));
  EXPECT_EQ(std::get<InstanceMetadata>(plan({{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6"}})).url,
            "http://[fd00:ec2::254]/");
  EXPECT_THAT(refusal({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://example.com"}}), HasSubstr("no address"));
}

TEST(Region, comes_from_the_option_the_environment_and_the_profile_in_that_order) {
  const auto profile = files("", "[default]\nregion = eu-west-3\n");
  const auto chosen = [&](const std::string& option, const Variables& variables, const ProfileFiles& from) {
    const EnvironmentForTests environment(variables);
    return choose_region(option, environment.environment(), from);
  };
  const Variables all = {{"AWS_REGION", "eu-west-1"}, {"AWS_DEFAULT_REGION", "eu-west-2"}};
  EXPECT_EQ(chosen("us-east-1", all, profile), "us-east-1");
  EXPECT_EQ(chosen("", all, profile), "eu-west-1");
  EXPECT_EQ(chosen("", {{"AWS_DEFAULT_REGION", "eu-west-2"}}, profile), "eu-west-2");
  EXPECT_EQ(chosen("", {}, profile), "eu-west-3");
  EXPECT_THROW(chosen("", {}, {}), Failure);
}

TEST(Endpoint, is_the_services_own_unless_somebody_says_otherwise) {
  const auto url = [](const std::string& region, const std::string& option, const Variables& variables) {
    const EnvironmentForTests environment(variables);
    try {
      return endpoint_url(Service::rds, region, option, environment.environment());
    } catch (const Failure& failure) {
      return std::string("refused: ") + failure.what();
    }
  };
  EXPECT_EQ(url("eu-central-1", "", {}), "https://rds.eu-central-1.amazonaws.com/");
  EXPECT_EQ(url("cn-north-1", "", {}), "https://rds.cn-north-1.amazonaws.com.cn/");
  const Variables both = {{"AWS_ENDPOINT_URL_RDS", "http://127.0.0.1:1"}, {"AWS_ENDPOINT_URL", "http://127.0.0.1:2"}};
  EXPECT_EQ(url("eu-central-1", "https://own.example.com", both), "https://own.example.com/");
  EXPECT_EQ(url("eu-central-1", "", both), "http://127.0.0.1:1/");
  EXPECT_EQ(url("eu-central-1", "", {{"AWS_ENDPOINT_URL", "http://localhost:2"}}), "http://localhost:2/");
  auto ignored = both;
  ignored["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
  EXPECT_EQ(url("eu-central-1", "", ignored), "https://rds.eu-central-1.amazonaws.com/");
  for (const auto* bad : {"http://example.com", "http://127.0.0.1.example.com", "http://user:canary@127.0.0.1",
                          "file:///etc/passwd", "nonsense", "https://x/?a=b"})
    EXPECT_THAT(url("eu-central-1", bad, {}), testing::AllOf(HasSubstr("refused:"), Not(HasSubstr("canary")))) << bad;
  for (const auto* bad : {"", "evil.com/", "EU-WEST-1", "a b", "x.example.com#", "-a"})
    EXPECT_THAT(url(bad, "", {}), HasSubstr("refused: '")) << bad;
}

TEST(Profiles, sections_comments_and_nested_settings_are_understood) {
  const auto profiles = base::value_or_fail(parse_profiles("# c\n[default]\r\nregion = eu-west-1 ; c\r\n; c\n\n"
                                                           "s3 =\n  max_concurrent_requests = 20\n"
                                                           "[profile  a b]\nkey=v=w#x\n[sso-session y]\nregion=z\n"
                                                           "[profilex]\nq=1\n[profile \"q\"]\nk=1",
                                                           ProfileSyntax::config),
                                            "test");
  ASSERT_EQ(profiles.size(), 3U);
  EXPECT_EQ(profiles.at("default").at("region").reveal(), "eu-west-1");
  EXPECT_FALSE(profiles.at("default").contains("max_concurrent_requests"));
  EXPECT_EQ(profiles.at("a b").at("key").reveal(), "v=w#x");
  EXPECT_EQ(profiles.at("q").at("k").reveal(), "1");
}

TEST(Profiles, a_bad_line_is_named_and_not_shown) {
  EXPECT_EQ(parse_profiles("[default]\ncanary\n", ProfileSyntax::config).error(),
            "line 2 is neither a section nor key = value");
  EXPECT_EQ(parse_profiles("a=b\n", ProfileSyntax::config).error(), "line 1 stands before the first section");
  EXPECT_EQ(parse_profiles("[default\n", ProfileSyntax::config).error(), "line 1 begins a section and does not end it");
}

TEST(Profiles, any_text_is_read_or_refused) {
  std::mt19937 random(3);
  constexpr std::string_view letters = "[]=#; \n\r\tprofile default\"x\0";
  for (int round = 0; round < 5000; ++round) {
    std::string text(random() % 60, ' ');
    for (auto& c : text) c = letters[random() % letters.size()];
    for (const auto syntax : {ProfileSyntax::config, ProfileSyntax::credentials}) {
      const auto parsed = parse_profiles(text, syntax);
      EXPECT_TRUE(parsed.ok() || parsed.error().starts_with("line "));
    }
  }
}

TEST(Profiles, a_credentials_file_for_everyone_is_refused) {
  const auto folder = std::filesystem::temp_directory_path() / ("reseal-profiles-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const auto path = folder / "credentials";
  std::ofstream(path) << keys;
  const EnvironmentForTests environment({{"AWS_SHARED_CREDENTIALS_FILE", path}, {"AWS_CONFIG_FILE", folder / "gone"}});
  ::chmod(path.c_str(), 0644);
  EXPECT_THROW(read_profile_files(environment.environment()), Failure);
  ::chmod(path.c_str(), 0600);
  EXPECT_EQ(read_profile_files(environment.environment()).credentials.size(), 1U);
  std::filesystem::remove_all(folder);
}

TEST(CredentialAnswers, the_time_is_read_exactly) {
  using namespace std::chrono;
  EXPECT_EQ(parse_time("2026-11-25T08:01:02Z").value(), Time(sys_days(2026y / 11 / 25) + 8h + 1min + 2s));
  EXPECT_EQ(parse_time("2026-11-25T08:01:02.123Z").value(), Time(sys_days(2026y / 11 / 25) + 8h + 1min + 2s));
  for (const auto* bad :
       {"", "2026-11-25", "2026-13-25T08:01:02Z", "2026-02-30T08:01:02Z", "2026-11-25T24:01:02Z", "2026-11-25T08:01:02",
        "2026-11-25T08:01:02+01:00", "2026-11-25T08:01:02.Z1Z", "x026-11-25T08:01:02Z"})
    EXPECT_FALSE(parse_time(bad).ok()) << bad;
}

TEST(CredentialAnswers, an_incomplete_answer_is_refused_without_showing_it) {
  for (const auto* body :
       {"", "[]", "{}", R"({"AccessKeyId":"A","SecretAccessKey":"canary","Expiration":"2026-11-25T08:01:02Z"})",
        R"({"AccessKeyId":"A","SecretAccessKey":"canary","Token":"canary","Expiration":"soon"})",
        R"({"AccessKeyId":5,"SecretAccessKey":"canary","Token":"canary","Expiration":"2026-11-25T08:01:02Z"})"}) {
    const auto read = credentials_of_json(body, "the agent");
    EXPECT_FALSE(read.ok()) << body;
    EXPECT_THAT(read.error(), Not(HasSubstr("canary")));
  }
}

}  // namespace
}  // namespace reseal::rds

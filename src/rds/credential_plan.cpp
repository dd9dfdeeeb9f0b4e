// SPDX-License-Identifier: Apache-2.0
#include "rds/credential_plan.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "base/failure.hpp"
#include "rds/endpoint.hpp"

namespace reseal::rds {

using base::Failure;
using base::FailureKind;

namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw Failure(FailureKind::usage, "AWS credentials: " + what + ". Nothing was sent");
}

std::optional<Credentials> from_environment(const Environment& environment) {
  const auto id = environment("AWS_ACCESS_KEY_ID");
  if (!id) return std::nullopt;
  auto secret = environment("AWS_SECRET_ACCESS_KEY");
  if (!secret) refuse("AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not");
  return Credentials{*id, base::Secret(std::move(*secret)),
                     base::Secret(environment("AWS_SESSION_TOKEN").value_or(std::string())), std::nullopt,
                     "the environment"};
}

std::optional<Credentials> keys_of(const Profile* profile, const std::string& name, const std::string& path) {
  if (profile == nullptr || !profile->contains("aws_access_key_id")) return std::nullopt;
  const auto value = [&](const char* key) {
    const auto found = profile->find(key);
    return found == profile->end() ? base::Secret() : found->second;
  };
  if (value("aws_secret_access_key").empty())
    refuse("profile " + name + " of " + path + " has aws_access_key_id and no aws_secret_access_key");
  return Credentials{std::string(value("aws_access_key_id").reveal()), value("aws_secret_access_key"),
                     value("aws_session_token"), std::nullopt, "profile " + name + " of " + path};
}

void refuse_unsupported(const ProfileFiles& files, std::initializer_list<std::string_view> keys) {
  for (const auto key : keys)
    if (files.setting(key))
      refuse("profile " + files.name + " uses " + std::string(key) +
             ", which is not supported here; export its keys first: eval \"$(aws configure export-credentials"
             " --profile " +
             files.name + " --format env)\"");
}

std::optional<WebIdentity> role_of(const ProfileFiles& files) {
  const auto role = files.setting("role_arn");
  if (!role) return std::nullopt;
  refuse_unsupported(files, {"source_profile", "credential_source"});
  const auto token_file = files.setting("web_identity_token_file");
  if (!token_file) refuse("profile " + files.name + " has role_arn and no web_identity_token_file");
  return WebIdentity{*token_file, *role, files.setting("role_session_name").value_or("reseal")};
}

std::optional<WebIdentity> role_of(const Environment& environment) {
  const auto token_file = environment("AWS_WEB_IDENTITY_TOKEN_FILE");
  if (!token_file) return std::nullopt;
  const auto role = environment("AWS_ROLE_ARN");
  if (!role) refuse("AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not");
  return WebIdentity{*token_file, *role, environment("AWS_ROLE_SESSION_NAME").value_or("reseal")};
}

// The agents of ECS and of EKS, besides those on this machine.
bool may_be_plain(std::string_view host) {
  constexpr std::array<std::string_view, 3> agents = {"169.254.170.2", "169.254.170.23", "fd00:ec2::23"};
  return is_this_machine(host) || std::find(agents.begin(), agents.end(), host) != agents.end();
}

std::optional<ContainerAgent> from_container(const Environment& environment) {
  ContainerAgent agent;
  if (const auto relative = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")) {
    if (!relative->starts_with('/')) refuse("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with /");
    agent.url = "http://169.254.170.2" + *relative;
  } else if (const auto full = environment("AWS_CONTAINER_CREDENTIALS_FULL_URI")) {
    const auto host = host_of(*full);
    if (host.empty()) refuse("AWS_CONTAINER_CREDENTIALS_FULL_URI is no http or https URL");
    if (!full->starts_with("https://") && !may_be_plain(host))
      refuse("AWS_CONTAINER_CREDENTIALS_FULL_URI names " + host +
             " without TLS; only this machine and the agents of ECS and EKS may be asked so");
    agent.url = *full;
  } else {
    return std::nullopt;
  }
  if (auto file = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"))
    agent.token_file = std::move(*file);
  else if (auto token = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN"))
    agent.token = base::Secret(std::move(*token));
  return agent;
}

InstanceMetadata from_instance(const Environment& environment) {
  if (environment.flag("AWS_EC2_METADATA_DISABLED"))
    refuse(
        "none are set, and AWS_EC2_METADATA_DISABLED forbids asking the instance; set AWS_PROFILE, or"
        " AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  if (auto url = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT")) {
    const auto host = host_of(*url);
    if (host != "169.254.169.254" && host != "fd00:ec2::254" && !is_this_machine(host))
      refuse("AWS_EC2_METADATA_SERVICE_ENDPOINT is no address of a metadata service");
    return {url->ends_with('/') ? *url : *url + "/"};
  }
  const auto mode = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE").value_or("IPv4");
  return {mode == "IPv6" || mode == "ipv6" ? "http://[fd00:ec2::254]/" : "http://169.254.169.254/"};
}

}  // namespace

CredentialPlan plan_credentials(const Environment& environment, const ProfileFiles& files) {
  if (auto keys = from_environment(environment)) return std::move(*keys);
  if (files.named && files.in_credentials() == nullptr && files.in_config() == nullptr)
    refuse("profile " + files.name + ", which AWS_PROFILE names, is neither in " + files.credentials_path + " nor in " +
           files.config_path);
  if (auto role = role_of(files)) return std::move(*role);
  if (auto role = role_of(environment)) return std::move(*role);
  refuse_unsupported(files, {"sso_session", "sso_start_url"});
  if (auto keys = keys_of(files.in_credentials(), files.name, files.credentials_path)) return std::move(*keys);
  refuse_unsupported(files, {"credential_process"});
  if (auto keys = keys_of(files.in_config(), files.name, files.config_path)) return std::move(*keys);
  if (auto agent = from_container(environment)) return std::move(*agent);
  return from_instance(environment);
}

std::string choose_region(const std::string& option, const Environment& environment, const ProfileFiles& files) {
  if (!option.empty()) return option;
  for (const auto* variable : {"AWS_REGION", "AWS_DEFAULT_REGION"})
    if (auto region = environment(variable)) return *region;
  if (auto region = files.setting("region")) return *region;
  throw Failure(FailureKind::usage,
                "no AWS region is set: give --region, or set AWS_REGION or region in the profile. Nothing was sent");
}

}  // namespace reseal::rds

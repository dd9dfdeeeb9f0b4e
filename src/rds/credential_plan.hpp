// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <variant>

#include "rds/credentials.hpp"
#include "rds/environment.hpp"
#include "rds/profile_files.hpp"

namespace reseal::rds {

/// STS AssumeRoleWithWebIdentity with the token that a file holds now.
struct WebIdentity {
  std::string token_file;
  std::string role_arn;
  std::string session_name;
};

/// An agent on this machine or host that hands out keys (ECS, EKS).
struct ContainerAgent {
  std::string url;
  base::Secret token;      ///< sent as Authorization; may be empty
  std::string token_file;  ///< instead of `token`; read anew each time
};

/// The metadata service of an EC2 instance, version 2.
struct InstanceMetadata {
  std::string url;  ///< "http://169.254.169.254/"
};

/// Where credentials come from. One is chosen and no other is tried, so that a broken setting is told and not passed
/// over for another identity.
using CredentialPlan = std::variant<Credentials, WebIdentity, ContainerAgent, InstanceMetadata>;

/// Chooses as the AWS SDKs do, the first that is set: AWS_ACCESS_KEY_ID; a role of the profile;
/// AWS_WEB_IDENTITY_TOKEN_FILE; the profile's keys, in the credentials file and then in the config file; the
/// container's agent; the instance. No I/O. Throws Failure(usage) when a setting is incomplete, when the profile uses
/// what is not supported here (SSO, credential_process, source_profile), when an agent's address is not allowed, and
/// when nothing is set and the metadata service is switched off.
CredentialPlan plan_credentials(const Environment& environment, const ProfileFiles& files);

/// In this order: `option`, AWS_REGION, AWS_DEFAULT_REGION, `region` of the profile. Throws Failure(usage) when none is
/// set.
std::string choose_region(const std::string& option, const Environment& environment, const ProfileFiles& files);

}  // namespace reseal::rds

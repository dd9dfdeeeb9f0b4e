// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "rds/environment.hpp"

namespace reseal::rds {

/// The settings of one profile. All values are kept as secrets, as some are.
using Profile = std::map<std::string, base::Secret, std::less<>>;
using Profiles = std::map<std::string, Profile, std::less<>>;

/// How a file names its profiles: [NAME], or [default] and [profile NAME] with other kinds of section between.
enum class ProfileSyntax { credentials, config };

/// Reads the text of ~/.aws/credentials or ~/.aws/config: sections, `key = value`, `#` and `;` comments on lines of
/// their own or after white space. Indented lines belong to nested settings of other tools and are passed over. The
/// error names the line and never shows a value.
base::Result<Profiles> parse_profiles(std::string_view text, ProfileSyntax syntax);

/// Both files as they are on this machine, and the profile that is meant.
struct ProfileFiles {
  Profiles credentials;
  Profiles config;
  std::string credentials_path;
  std::string config_path;
  std::string name = "default";
  bool named = false;  ///< AWS_PROFILE asks for it, so that it has to be there

  /// The setting of the profile, the credentials file first.
  std::optional<std::string> setting(std::string_view key) const;
  const Profile* in_credentials() const;
  const Profile* in_config() const;
};

/// Reads the files that AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE and HOME point to; one that is absent is empty.
/// Throws Failure(usage) for a file that cannot be read or parsed, and for a credentials file that everyone may read or
/// write.
ProfileFiles read_profile_files(const Environment& environment);

}  // namespace reseal::rds

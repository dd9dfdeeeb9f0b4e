// SPDX-License-Identifier: Apache-2.0
#include "rds/key_and_identity.hpp"

#include <nlohmann/json.hpp>

namespace reseal::rds {

Outcome<std::optional<KmsKey>> describe_key(ServiceConnection& kms, const std::string& key,
                                            const std::stop_token& stop) {
  const auto answer = kms.call_json("TrentService.DescribeKey", {{"KeyId", key}}, stop);
  if (!answer.ok()) {
    if (answer.error_class() == ErrorClass::not_found) return std::optional<KmsKey>();
    return answer.error();
  }
  const auto metadata = answer.value().find("KeyMetadata");
  if (metadata == answer.value().end() || !metadata->is_object())
    return ServiceError{200, "unreadable answer", "DescribeKey answers without KeyMetadata", {}, true};
  const auto text = [&](const char* name) {
    const auto found = metadata->find(name);
    return found != metadata->end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const auto enabled = metadata->find("Enabled");
  return std::optional<KmsKey>({text("KeyId"), text("Arn"), text("KeyState"),
                                enabled != metadata->end() && enabled->is_boolean() && enabled->get<bool>(),
                                text("KeySpec").empty() ? text("CustomerMasterKeySpec") : text("KeySpec"),
                                text("KeyUsage"), text("KeyManager")});
}

Outcome<CallerIdentity> caller_identity(ServiceConnection& sts, const std::stop_token& stop) {
  const auto answer = sts.query(Form("GetCallerIdentity", "2011-06-15"), Repeat::harmless, stop);
  if (!answer.ok()) return answer.error();
  const auto result = answer.value().result();
  return CallerIdentity{result.text("Account"), result.text("Arn")};
}

std::string region_of_arn(std::string_view arn) {
  if (!arn.starts_with("arn:")) return {};
  for (int i = 0; i < 3; ++i) {
    const auto colon = arn.find(':');
    if (colon == std::string_view::npos) return {};
    arn.remove_prefix(colon + 1);
  }
  return std::string(arn.substr(0, arn.find(':')));
}

}  // namespace reseal::rds

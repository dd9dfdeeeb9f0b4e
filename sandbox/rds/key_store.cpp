// SPDX-License-Identifier: Apache-2.0
#include "sandbox/rds/key_store.hpp"

#include "sandbox/rds/api_error.hpp"

namespace reseal::sandbox::rds {

KeyStore::KeyStore(const Account& account)
    : account_(account),
      keys_{{"00000000-0000-4000-8000-000000000001", "alias/aws/rds", true, true},
            {"00000000-0000-4000-8000-000000000002", "alias/sandbox", true, false},
            {"00000000-0000-4000-8000-000000000003", "alias/sandbox-disabled", false, false}} {}

std::string KeyStore::arn(const std::string& resource) const {
  return "arn:aws:kms:" + account_.region + ":" + account_.id + ":" + resource;
}

const KeyStore::Key* KeyStore::find(const std::string& name) const {
  for (const auto& key : keys_)
    if (name == key.id || name == key.alias || name == arn("key/" + key.id) || name == arn(key.alias)) return &key;
  return nullptr;
}

std::string KeyStore::usable(const std::string& name) const {
  const auto* key = find(name.empty() ? "alias/aws/rds" : name);
  if (key == nullptr || !key->enabled)
    throw ApiError(400, "KMSKeyNotAccessibleFault",
                   "The specified KMS key " + name +
                       " does not exist, is not enabled or you do not have permissions "
                       "to access it.");
  return arn("key/" + key->id);
}

nlohmann::json KeyStore::describe(const std::string& name) const {
  const auto* key = find(name);
  if (key == nullptr) throw ApiError(400, "NotFoundException", "Key '" + name + "' does not exist");
  return {{"KeyMetadata",
           {{"AWSAccountId", account_.id},
            {"KeyId", key->id},
            {"Arn", arn("key/" + key->id)},
            {"CreationDate", 1767225600.0},
            {"Enabled", key->enabled},
            {"Description", "a key of the reseal sandbox"},
            {"KeyUsage", "ENCRYPT_DECRYPT"},
            {"KeyState", key->enabled ? "Enabled" : "Disabled"},
            {"Origin", "AWS_KMS"},
            {"KeyManager", key->managed_by_aws ? "AWS" : "CUSTOMER"},
            {"KeySpec", "SYMMETRIC_DEFAULT"},
            {"CustomerMasterKeySpec", "SYMMETRIC_DEFAULT"},
            {"EncryptionAlgorithms", {"SYMMETRIC_DEFAULT"}},
            {"MultiRegion", false}}}};
}

}  // namespace reseal::sandbox::rds

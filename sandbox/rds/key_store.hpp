// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sandbox/rds/records.hpp"

namespace reseal::sandbox::rds {

/// The KMS keys of the sandbox: names only. What encrypts is a keyring file of each server.
class KeyStore {
 public:
  explicit KeyStore(const Account& account);

  /// The ARN of a key given by id, ARN, alias name or alias ARN; "" means alias/aws/rds. ApiError(
  /// KMSKeyNotAccessibleFault) when there is none or it may not be used.
  std::string usable(const std::string& key) const;
  /// The answer to DescribeKey. ApiError(NotFoundException).
  nlohmann::json describe(const std::string& key) const;

 private:
  struct Key {
    std::string id, alias;
    bool enabled, managed_by_aws;
  };
  const Key* find(const std::string& name) const;
  std::string arn(const std::string& resource) const;

  Account account_;
  std::vector<Key> keys_;
};

}  // namespace reseal::sandbox::rds

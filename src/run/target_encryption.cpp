// SPDX-License-Identifier: Apache-2.0
#include "run/target_encryption.hpp"

#include "attest/attest.hpp"

namespace reseal::run {

std::optional<std::string> not_encrypted(mysql::Session& target, const std::vector<std::string>& schemas) {
  const auto proof = attest::attest(target, schemas, std::nullopt, {});
  for (const auto& item : proof.items)
    if (item.protection == attest::Protection::plain || item.protection == attest::Protection::unknown)
      return item.kind + " " + item.name + ": " + item.seen;
  return std::nullopt;
}

}  // namespace reseal::run

// SPDX-License-Identifier: Apache-2.0
#include "run/identity.hpp"

#include <fmt/format.h>

#include <array>
#include <random>
#include <regex>

#include "follow/table_binding.hpp"
#include "sql/gtid_set.hpp"

namespace reseal::run {

std::string new_run_id() {
  std::random_device random;
  std::array<std::uint8_t, 16> bytes{};
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3F) | 0x80);
  return sql::uuid_text(bytes);
}

std::string schema_fingerprint(const std::vector<sql::Table>& tables) {
  // Only for comparing, so a text that looks like the option inside a comment does no harm.
  static const std::regex counter(" AUTO_INCREMENT=[0-9]+");
  std::uint64_t high = 1;
  std::uint64_t low = 2;
  for (const auto& table : tables) {
    const auto text = table.name.text() + "\n" + std::regex_replace(table.create_statement, counter, "") + "\n";
    high = follow::stable_hash(text, high);
    low = follow::stable_hash(text, low);
  }
  return fmt::format("{:016x}{:016x}", high, low);
}

}  // namespace reseal::run

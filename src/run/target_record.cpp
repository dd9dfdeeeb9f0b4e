// SPDX-License-Identifier: Apache-2.0
#include "run/target_record.hpp"

#include "fence/record_door.hpp"
#include "sql/quote.hpp"

namespace reseal::run {

void TargetRecord::create() {
  target_.execute("CREATE DATABASE IF NOT EXISTS reseal CHARACTER SET utf8mb4 ENCRYPTION='Y'");
  target_.execute(
      "CREATE TABLE IF NOT EXISTS reseal.run (name VARCHAR(64) PRIMARY KEY, value LONGTEXT NOT NULL)"
      " ENCRYPTION='Y' CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
}

bool TargetRecord::exists() {
  return target_.scalar(
             "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA='reseal'"
             " AND TABLE_NAME='run'") != "0";
}

std::optional<std::string> TargetRecord::get(const std::string& name) {
  const auto rows = target_.query("SELECT value FROM reseal.run WHERE name=" + sql::quote_text(name));
  return rows.empty() ? std::nullopt : rows[0][0];
}

void TargetRecord::set(const std::string& name, const std::string& value) { set({{name, value}}); }

void TargetRecord::set(const std::vector<std::pair<std::string, std::string>>& values) {
  std::string rows;
  for (const auto& [name, value] : values)
    rows += (rows.empty() ? "(" : ",(") + sql::quote_text(name) + "," + sql::quote_text(value) + ")";
  const fence::RecordDoor door(target_);
  target_.execute("REPLACE INTO reseal.run VALUES " + rows);
}

std::uint64_t TargetRecord::backed_out_epoch() { return std::stoull(get("backed_out_epoch").value_or("0")); }

void TargetRecord::backed_out(std::uint64_t epoch) { set("backed_out_epoch", std::to_string(epoch)); }

void TargetRecord::erase(const std::string& name) {
  target_.execute("DELETE FROM reseal.run WHERE name=" + sql::quote_text(name));
}

}  // namespace reseal::run

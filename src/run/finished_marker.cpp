// SPDX-License-Identifier: Apache-2.0
#include "run/finished_marker.hpp"

#include "fence/record_door.hpp"
#include "sql/quote.hpp"

namespace reseal::run {

void mark_finished(mysql::Session& source, const std::string& run_id) {
  mysql::without_binlog(source);
  const fence::RecordDoor door(source);
  source.execute("CREATE DATABASE IF NOT EXISTS reseal CHARACTER SET utf8mb4");
  source.execute(
      "CREATE TABLE IF NOT EXISTS reseal.finished (id INT PRIMARY KEY, run_id CHAR(36) NOT NULL,"
      " serves ENUM('target') NOT NULL, finished_at DATETIME(6) NOT NULL) CHARACTER SET ascii");
  source.execute("INSERT INTO reseal.finished VALUES (1," + sql::quote_text(run_id) +
                 ",'target',UTC_TIMESTAMP(6)) ON DUPLICATE KEY UPDATE run_id=VALUES(run_id)");
}

std::string finished_run(mysql::Session& source) {
  if (source.scalar("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA='reseal'"
                    " AND TABLE_NAME='finished'") == "0")
    return "";
  const auto rows = source.query("SELECT run_id FROM reseal.finished");
  return rows.empty() ? "" : rows[0][0].value_or("");
}

}  // namespace reseal::run

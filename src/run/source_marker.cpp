// SPDX-License-Identifier: Apache-2.0
#include "run/source_marker.hpp"

#include "sql/quote.hpp"

namespace reseal::run {

void create_marker_table(mysql::Session& source) {
  source.execute("CREATE DATABASE IF NOT EXISTS reseal CHARACTER SET utf8mb4");
  source.execute(
      "CREATE TABLE IF NOT EXISTS reseal.marker (id INT PRIMARY KEY, token VARCHAR(200) CHARACTER SET ascii NOT NULL,"
      " writes BIGINT NOT NULL)");
}

sql::SourcePosition write_marker(mysql::Session& source, const mysql::ServerFacts& facts, const std::string& token) {
  const auto text = sql::quote_text(token);
  source.execute("INSERT INTO reseal.marker VALUES (1," + text + ",1) ON DUPLICATE KEY UPDATE token=" + text +
                 ", writes=writes+1");
  auto position = mysql::binlog_end(source, facts);
  if (facts.gtid_on) position.gtids = mysql::gtid_executed(source);
  return position;
}

sql::SourcePosition read_bookmark(mysql::Session& source, const mysql::ServerFacts& facts) {
  auto position = mysql::binlog_end(source, facts);
  write_marker(source, facts, "bookmark");
  if (facts.gtid_on) position.gtids = mysql::gtid_executed(source);
  return position;
}

}  // namespace reseal::run

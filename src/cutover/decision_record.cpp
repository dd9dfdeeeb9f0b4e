// SPDX-License-Identifier: Apache-2.0
#include "cutover/decision_record.hpp"

#include "base/failure.hpp"
#include "sql/quote.hpp"

namespace reseal::cutover {
namespace {
constexpr unsigned no_such_table = 1146;     // ER_NO_SUCH_TABLE
constexpr unsigned unknown_database = 1049;  // ER_BAD_DB_ERROR
}  // namespace

void create_decision_table(mysql::Session& target) {
  target.execute(
      "CREATE TABLE IF NOT EXISTS reseal.decision (epoch BIGINT UNSIGNED PRIMARY KEY,"
      " serves ENUM('source','target') NOT NULL, run_id CHAR(36) NOT NULL, source_binlog VARCHAR(400) NOT NULL, "
      "source_gtids LONGTEXT NOT NULL,"
      " target_binlog VARCHAR(400) NOT NULL, target_gtids LONGTEXT NOT NULL, digest VARCHAR(200) NOT NULL,"
      " decided_at DATETIME(6) NOT NULL) ENCRYPTION='Y' CHARACTER SET ascii");
  target.execute(
      "CREATE TABLE IF NOT EXISTS reseal.attempt (epoch BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, run_id CHAR(36) NOT"
      " NULL, begun_at DATETIME(6) NOT NULL) ENCRYPTION='Y' CHARACTER SET ascii");
}

std::uint64_t begin_epoch(mysql::Session& target, const std::string& run_id) {
  target.execute("INSERT INTO reseal.attempt (run_id, begun_at) VALUES (" + sql::quote_text(run_id) +
                 ",UTC_TIMESTAMP(6))");
  return std::stoull(target.scalar("SELECT LAST_INSERT_ID()").value_or("0"));
}

std::optional<DecisionRecord> read_decision(mysql::Session& target) {
  std::vector<mysql::Row> rows;
  try {
    rows = target.query(
        "SELECT run_id, epoch, source_binlog, source_gtids, target_binlog, target_gtids, digest,"
        " decided_at FROM reseal.decision WHERE serves='target'");
  } catch (const base::Failure& failure) {
    if (failure.server_errno() == no_such_table || failure.server_errno() == unknown_database) return std::nullopt;
    throw;
  }
  if (rows.empty()) return std::nullopt;
  const auto& row = rows[0];
  DecisionRecord record;
  record.run_id = row[0].value_or("");
  record.epoch = std::stoull(row[1].value_or("0"));
  record.source.binlog = base::value_or_fail(sql::BinlogPosition::parse(row[2].value_or("")), "reseal.decision");
  record.source.gtids = base::value_or_fail(sql::GtidSet::parse(row[3].value_or("")), "reseal.decision");
  record.target_binlog = row[4].value_or("");
  record.target_gtids = row[5].value_or("");
  record.digest = row[6].value_or("");
  record.decided_utc = row[7].value_or("");
  return record;
}

void write_decision(mysql::Session& target, const DecisionRecord& record) {
  target.execute("INSERT INTO reseal.decision VALUES (" + std::to_string(record.epoch) + ",'target'," +
                 sql::quote_text(record.run_id) + "," + sql::quote_text(record.source.binlog.text()) + "," +
                 sql::quote_text(record.source.gtids.text()) + "," + sql::quote_text(record.target_binlog) + "," +
                 sql::quote_text(record.target_gtids) + "," + sql::quote_text(record.digest) + ",UTC_TIMESTAMP(6))");
}

bool close_epochs(mysql::Session& target, const std::string& run_id) {
  // Waits for a decision that is being committed, and leaves one that is there: one of the two rows gets in.
  target.execute(
      "INSERT INTO reseal.decision SELECT epoch, 'source', " + sql::quote_text(run_id) +
      ", '', '', '', '', '', UTC_TIMESTAMP(6) FROM reseal.attempt ON DUPLICATE KEY UPDATE epoch=decision.epoch");
  return target.scalar("SELECT COUNT(*) FROM reseal.decision WHERE serves='target'") == "0";
}

}  // namespace reseal::cutover

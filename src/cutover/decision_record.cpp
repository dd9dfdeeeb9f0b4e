// SPDX-License-Identifier: Apache-2.0
#include "cutover/decision_record.hpp"

#include <fmt/format.h>

#include "base/failure.hpp"
#include "base/stop_point.hpp"
#include "fence/record_door.hpp"
#include "sql/quote.hpp"

namespace reseal::cutover {
namespace {

using sql::quote_text;

constexpr unsigned no_such_table = 1146;     // ER_NO_SUCH_TABLE
constexpr unsigned unknown_database = 1049;  // ER_BAD_DB_ERROR

std::vector<mysql::Row> rows_if_there(mysql::Session& target, const std::string& query) {
  try {
    return target.query(query);
  } catch (const base::Failure& failure) {
    if (failure.server_errno() == no_such_table || failure.server_errno() == unknown_database) return {};
    throw;
  }
}

Serves serves_named(const mysql::Cell& cell) { return cell == "target" ? Serves::target : Serves::source; }

sql::SourcePosition position(const mysql::Cell& binlog, const mysql::Cell& gtids) {
  return {base::value_or_fail(sql::BinlogPosition::parse(binlog.value_or("")), "reseal.decision"),
          base::value_or_fail(sql::GtidSet::parse(gtids.value_or("")), "reseal.decision")};
}

}  // namespace

Serves other(Serves serves) { return serves == Serves::source ? Serves::target : Serves::source; }
std::string_view name(Serves serves) { return serves == Serves::source ? "source" : "target"; }

void create_decision_tables(mysql::Session& target) {
  target.execute(
      "CREATE TABLE IF NOT EXISTS reseal.attempt (epoch BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,"
      " begun_from ENUM('source','target') NOT NULL, run_id CHAR(36) NOT NULL, begun_at DATETIME(6) NOT NULL)"
      " ENCRYPTION='Y' CHARACTER SET ascii");
  target.execute(
      "CREATE TABLE IF NOT EXISTS reseal.decision (epoch BIGINT UNSIGNED PRIMARY KEY,"
      " serves ENUM('source','target') NOT NULL, outcome ENUM('decided','closed') NOT NULL, run_id CHAR(36) NOT NULL,"
      " source_binlog VARCHAR(400) NOT NULL, source_gtids LONGTEXT NOT NULL, target_binlog VARCHAR(400) NOT NULL,"
      " target_gtids LONGTEXT NOT NULL, digest VARCHAR(200) NOT NULL, decided_at DATETIME(6) NOT NULL)"
      " ENCRYPTION='Y' CHARACTER SET ascii");
}

std::uint64_t begin_attempt(mysql::Session& target, const std::string& run_id, Serves from) {
  target.execute(
      fmt::format("INSERT INTO reseal.attempt (begun_from, run_id, begun_at) VALUES ('{}',{},UTC_TIMESTAMP(6))",
                  name(from), quote_text(run_id)));
  return std::stoull(target.scalar("SELECT LAST_INSERT_ID()").value_or("0"));
}

std::optional<Attempt> latest_attempt(mysql::Session& target) {
  const auto rows = rows_if_there(target, "SELECT epoch, begun_from FROM reseal.attempt ORDER BY epoch DESC LIMIT 1");
  if (rows.empty()) return std::nullopt;
  return Attempt{std::stoull(rows[0][0].value_or("0")), serves_named(rows[0][1])};
}

std::optional<DecisionRecord> latest_decision(mysql::Session& target) {
  const auto rows = rows_if_there(target,
                                  "SELECT run_id, epoch, serves, source_binlog, source_gtids, target_binlog,"
                                  " target_gtids, digest, decided_at FROM reseal.decision WHERE outcome='decided'"
                                  " ORDER BY epoch DESC LIMIT 1");
  if (rows.empty()) return std::nullopt;
  const auto& row = rows[0];
  return DecisionRecord{row[0].value_or(""),      std::stoull(row[1].value_or("0")), serves_named(row[2]),
                        position(row[3], row[4]), position(row[5], row[6]),          row[7].value_or(""),
                        row[8].value_or("")};
}

bool closed(mysql::Session& target, std::uint64_t epoch) {
  return target.scalar(
             fmt::format("SELECT COUNT(*) FROM reseal.decision WHERE outcome='closed' AND epoch={}", epoch)) != "0";
}

void write_decision(mysql::Session& target, const DecisionRecord& record) {
  const fence::RecordDoor door(target);
  base::stop_point("decide-row", base::Edge::before);
  target.execute(
      fmt::format("INSERT INTO reseal.decision VALUES ({},'{}','decided',{},{},{},{},{},{},UTC_TIMESTAMP(6))",
                  record.epoch, name(record.serves), quote_text(record.run_id), quote_text(record.source.binlog.text()),
                  quote_text(record.source.gtids.text()), quote_text(record.target.binlog.text()),
                  quote_text(record.target.gtids.text()), quote_text(record.digest)));
  base::stop_point("decide-row", base::Edge::after);
}

bool close_attempts(mysql::Session& target, const std::string& run_id) {
  const fence::RecordDoor door(target);
  // Waits for a decision that is being committed, and leaves one that is there: one of the two rows gets in.
  target.execute("INSERT INTO reseal.decision SELECT epoch, begun_from, 'closed', " + quote_text(run_id) +
                 ", '', '', '', '', '', UTC_TIMESTAMP(6) FROM reseal.attempt"
                 " ON DUPLICATE KEY UPDATE epoch=reseal.decision.epoch");
  return target.scalar("SELECT outcome FROM reseal.decision ORDER BY epoch DESC LIMIT 1").value_or("closed") ==
         "closed";
}

}  // namespace reseal::cutover

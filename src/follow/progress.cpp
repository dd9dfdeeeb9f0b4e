// SPDX-License-Identifier: Apache-2.0
#include "follow/progress.hpp"

#include <algorithm>

#include "base/failure.hpp"
#include "sql/quote.hpp"

namespace reseal::follow {
namespace {

std::string assignments(const LaneProgress& p) {
  return "batch=" + std::to_string(p.batch) + ", start_binlog=" + sql::quote_text(p.start.binlog.text()) +
         ", start_gtids=" + sql::quote_text(p.start.gtids.text()) +
         ", end_binlog=" + sql::quote_text(p.end.binlog.text()) + ", end_gtids=" + sql::quote_text(p.end.gtids.text()) +
         ", strict=" + (p.strictness == Strictness::strict ? "1" : "0") + ", commit_us=" + std::to_string(p.commit_us);
}

sql::SourcePosition position(const mysql::Cell& binlog, const mysql::Cell& gtids) {
  return {base::value_or_fail(sql::BinlogPosition::parse(binlog.value_or("")), "reseal.lane"),
          base::value_or_fail(sql::GtidSet::parse(gtids.value_or("")), "reseal.lane")};
}

}  // namespace

std::optional<std::uint64_t> lanes_epoch(mysql::Session& target) {
  if (target.scalar(
          "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA='reseal' AND TABLE_NAME='lane'") == "0")
    return std::nullopt;
  const auto epoch = target.scalar("SELECT MIN(epoch) FROM reseal.lane");
  return epoch ? std::optional(std::stoull(*epoch)) : std::nullopt;
}

void begin_lanes(mysql::Session& target, std::size_t lanes, const sql::SourcePosition& start, std::uint64_t epoch,
                 Strictness strictness) {
  // Encrypted where the schema is: on the target, not on a source without a keyring.
  target.execute(
      "CREATE TABLE IF NOT EXISTS reseal.lane (lane INT PRIMARY KEY, epoch BIGINT UNSIGNED NOT NULL,"
      " batch BIGINT UNSIGNED NOT NULL, start_binlog VARCHAR(400) NOT NULL, start_gtids LONGTEXT NOT NULL,"
      " end_binlog VARCHAR(400) NOT NULL, end_gtids LONGTEXT NOT NULL, strict TINYINT NOT NULL,"
      " commit_us BIGINT UNSIGNED NOT NULL) CHARACTER SET ascii");
  target.execute("START TRANSACTION");
  target.execute("DELETE FROM reseal.lane");
  LaneProgress first;
  first.start = first.end = start;
  first.strictness = strictness;
  for (std::size_t lane = 0; lane < lanes; ++lane)
    target.execute("INSERT INTO reseal.lane SET lane=" + std::to_string(lane) + ", epoch=" + std::to_string(epoch) +
                   ", " + assignments(first));
  target.execute("COMMIT");
}

std::vector<LaneProgress> read_lanes(mysql::Session& target) {
  std::vector<LaneProgress> lanes;
  for (const auto& row :
       target.query("SELECT batch, start_binlog, start_gtids, end_binlog, end_gtids, strict, commit_us"
                    " FROM reseal.lane ORDER BY lane")) {
    LaneProgress p;
    p.batch = std::stoull(row[0].value_or("0"));
    p.start = position(row[1], row[2]);
    p.end = position(row[3], row[4]);
    p.strictness = row[5] == "1" ? Strictness::strict : Strictness::idempotent;
    p.commit_us = std::stoull(row[6].value_or("0"));
    lanes.push_back(std::move(p));
  }
  return lanes;
}

void write_lane(mysql::Session& target, std::size_t lane, const LaneProgress& progress) {
  const auto effect =
      target.execute("UPDATE reseal.lane SET " + assignments(progress) + " WHERE lane=" + std::to_string(lane) +
                     " AND batch=" + std::to_string(progress.batch - 1));
  if (effect.affected_rows != 1)
    throw base::Failure(base::FailureKind::transient,
                        "the run's progress on the target was moved by an earlier"
                        " connection; it is read again");
}

Resume resume_from(const std::vector<LaneProgress>& lanes) {
  RESEAL_CHECK(!lanes.empty());
  const auto by_batch = [](const LaneProgress& a, const LaneProgress& b) { return a.batch < b.batch; };
  const auto& least = *std::min_element(lanes.begin(), lanes.end(), by_batch);
  const auto& most = *std::max_element(lanes.begin(), lanes.end(), by_batch);
  if (least.batch == most.batch) return {least, std::nullopt};
  if (most.batch != least.batch + 1)
    throw base::Failure(base::FailureKind::divergence, "the lanes on the target are more than one batch apart");
  HalfDone half{most.start, most.end, most.batch, {}};
  for (const auto& lane : lanes) half.done.push_back(lane.batch == most.batch);
  return {least, half};
}

}  // namespace reseal::follow

// SPDX-License-Identifier: Apache-2.0
// The phases of a run, in order. See run.hpp for what holds between them.
#include <fmt/format.h>

#include <chrono>

#include "base/bounded_queue.hpp"
#include "base/failure.hpp"
#include "base/task_group.hpp"
#include "fence/source_fence.hpp"
#include "follow/batch_writer.hpp"
#include "follow/progress.hpp"
#include "provision/accounts.hpp"
#include "provision/provisioner.hpp"
#include "run/identity.hpp"
#include "run/progress_lines.hpp"
#include "run/run.hpp"
#include "run/source_marker.hpp"
#include "seed/logical_seed.hpp"
#include "verify/verifier.hpp"

namespace reseal::run {

using base::Failure;
using base::FailureKind;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr auto line_every = std::chrono::seconds(10);
constexpr auto follow_patience = std::chrono::hours(24);  // for a position: the follow may be far behind

void report(base::Log& log, const provision::ObjectReport& objects) {
  for (const auto& object : objects.not_created)
    log.warn("not created on the target: " + object.kind + " " + object.name + ": " + object.why);
}

void report(base::Log& log, const provision::AccountReport& accounts) {
  for (const auto& note : accounts.skipped)
    log.warn("account " + note.account.text() + ": " + note.what + " did not come over: " + note.why);
}

std::chrono::seconds since(steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::seconds>(steady_clock::now() - start);
}

std::string seed_line(const seed::SeedProgress& progress, std::uint64_t estimated_rows,
                      steady_clock::time_point start) {
  const auto rows = progress.rows.load();
  const auto seconds = std::max<std::int64_t>(since(start).count(), 1);
  const auto rate = rows / static_cast<std::uint64_t>(seconds);
  auto line = fmt::format("copy    {}/{} tables  {} of about {} rows  {}  {} rows/s", progress.tables_done.load(),
                          progress.tables.load(), grouped(rows), grouped(std::max(estimated_rows, rows)),
                          bytes_text(progress.bytes.load()), grouped(rate));
  if (rate > 0 && estimated_rows > rows)
    line += "  ETA " + duration_text(std::chrono::seconds((estimated_rows - rows) / rate));
  return line;
}

std::string difference_text(const verify::VerifyReport& result) {
  auto what = std::to_string(result.differences.size()) + " rows differ";
  if (!result.differences.empty()) what += ", the first: " + text(result.differences.front());
  if (!result.different_tables.empty()) what += "; different as a whole: " + result.different_tables.front().text();
  if (!result.unjudged.empty())
    what += "; not judged: " + result.unjudged.front().table.text() + ": " + result.unjudged.front().reason;
  return what;
}

}  // namespace

void Run::note_identity() {
  note("provisioning", "begun");
  note("run_id", id_);
  note("way", std::string(name(way_)));
  note("source", options_.source.text());
  note("target", options_.target.text());
  note("source_version", source_facts_.version);
  note("target_version", target_facts_.version);
}

void Run::provision(std::stop_token stop) {
  tables_ = mysql::read_tables(*source_, schemas_);
  if (clones()) {
    clone(std::move(stop));
    tidy_clone();
  }
  record_on_target();
  if (!clones()) provision_objects();
  cutover::create_decision_tables(*target_);
  create_marker_table(*target_);
  // The bookmark comes last: everything the copy will miss is in the log after it.
  if (parts(way_).follow != FollowKind::applier || follow::lanes_epoch(*target_)) return reach(Phase::provisioned);
  const auto bookmark = read_bookmark(*source_, source_facts_);
  follow::begin_lanes(*target_, options_.lanes, bookmark, 0, follow::Strictness::idempotent);
  log_.info("bookmark: the log is kept and read from " + bookmark.text());
  reach(Phase::provisioned);
}

void Run::record_on_target() {
  TargetRecord record(*target_);
  record.create();
  record.set({{"run_id", id_},
              {"source_uuid", source_facts_.uuid},
              {"target_uuid", target_facts_.uuid},
              {"fingerprint", schema_fingerprint(tables_)}});
  note("provisioning", "known to the target");
}

void Run::provision_objects() {
  log_.info("provision: schema, accounts, views and routines on the target");
  fence::close_standby(*target_);
  create_marker_table(*source_);
  provision::Provisioner provisioner(log_);
  provisioner.create_databases_and_tables(*source_, *target_, schemas_, tables_);
  const provision::AccountOptions accounts;
  report(log_, provision::create_accounts(*source_, *target_, accounts));
  provision::grant_privileges(*source_, *target_, accounts);
  report(log_, provisioner.create_views_and_routines(*source_, *target_, schemas_));
  report(log_, provision::grant_privileges(*source_, *target_, accounts));
}

void Run::copy(std::stop_token stop) { clones() ? encrypt(std::move(stop)) : copy_rows(std::move(stop)); }

void Run::copy_rows(std::stop_token stop) {
  seed::SeedOptions options;
  options.workers = options_.workers;
  options.bytes_per_chunk = options_.bytes_per_chunk;
  options.limits = options_.limits;
  seed::SeedProgress progress;
  std::uint64_t estimated = 0;
  for (const auto& table : tables_) estimated += table.estimated_rows;
  const auto start = steady_clock::now();
  {
    const Ticker lines(line_every, [&] {
      const auto line = seed_line(progress, estimated, start);
      log_.info(line);
      note("progress", line);
    });
    seed::LogicalSeed(options_.source, options_.target, tables_, options, progress, log_).run(stop);
    log_.info(fmt::format("copy done: {} rows in {}; building plain indexes", grouped(progress.rows.load()),
                          duration_text(since(start))));
    provision::Provisioner provisioner(log_);
    base::TaskGroup group(stop);
    base::BoundedQueue<const sql::Table*> queue(tables_.size() + 1);
    for (const auto& table : tables_) queue.push(&table, 1, {});
    queue.close();
    for (unsigned worker = 0; worker < options_.workers; ++worker)
      group.start([&](std::stop_token token) {
        mysql::Session session(options_.target, mysql::Side::target);
        mysql::without_binlog(session);
        while (const auto table = queue.pop(token)) provisioner.add_plain_indexes(session, **table);
      });
    group.join();
  }
  if (stop.stop_requested()) throw Failure(FailureKind::interrupted, "stopped; start again to go on");
  reconnect();
  if (copied_under_fence()) return reach(Phase::seeded);
  // From this marker on, the copy holds nothing that the log does not bring: the follow turns strict there.
  const auto token = id_ + ":seed-end";
  TargetRecord(*target_).set("seed_end_token", token);
  write_marker(*source_, source_facts_, token);
  reach(Phase::seeded);
}

void Run::prepare_standby() {
  const auto side = cutover::other(serves_);
  mysql::Session session(endpoint(side), mysql::Side::target);
  mysql::without_binlog(session);
  fence::close_standby(session);
  provision::Provisioner provisioner(log_);
  provisioner.drop_triggers(session, schemas_);
  provisioner.drop_events(session, schemas_);
  const auto decision = cutover::latest_decision(*target_);
  if (!decision) return;  // the first follow begins at the bookmark
  if (follow::lanes_epoch(session) == decision->epoch) return;
  const auto& start = serves_ == cutover::Serves::source ? decision->source : decision->target;
  follow::begin_lanes(session, options_.lanes, start, decision->epoch, follow::Strictness::strict);
}

void Run::start_follow() {
  prepare_standby();
  changed_.clear();
  resume_follow();
}

void Run::resume_follow() {
  follow::FollowScope scope;
  scope.tables = &tables_;
  scope.by_gtid = facts(serves_).gtid_on;
  scope.strict_marker = TargetRecord(*target_).get("seed_end_token").value_or("");
  scope.exact_from = seed::exact_positions(*target_);
  // A replica's server id must be its own; ours is derived from the run, in the upper half where people seldom choose.
  const auto server_id = static_cast<std::uint32_t>(follow::stable_hash(id_) | 0x80000000U);
  auto sinks = replicates() ? replication() : follow::applying_to(endpoint(cutover::other(serves_)));
  live_ =
      std::make_unique<LiveFollow>(endpoint(serves_), std::move(sinks), std::move(scope), server_id, changed_, log_);
}

void Run::tell_follow(steady_clock::time_point since_start) {
  const auto status = live_->status();
  const auto seconds = static_cast<std::uint64_t>(std::max<std::int64_t>(since(since_start).count(), 1));
  const auto line = fmt::format("follow  {}  {} changes applied  {} changes/s  {} behind", status.applied.binlog.text(),
                                grouped(status.changes), grouped(status.changes / seconds),
                                status.lag ? fmt::format("{} ms", status.lag->count()) : "not known how far");
  log_.info(line);
  note("progress", line);
}

void Run::catch_up(std::stop_token stop) {
  const auto start = steady_clock::now();
  if (replicates()) {
    log_.info("follow: the target's own replication catches up");
    const Ticker lines(line_every, [&] { tell_follow(start); });
    wait_followed(std::move(stop));
    return reach(Phase::caught_up);
  }
  log_.info("follow: catching up with what was written during the copy");
  {
    const Ticker lines(line_every, [&] { tell_follow(start); });
    live_->wait_until_strict(stop);
  }
  log_.info("the copy's overlap is applied");
  // Nothing is applied while they are built: an online build may take a row that is on its way for a duplicate.
  stop_follow();
  build_keys();
  start_follow();
}

void Run::build_keys() {
  if (clones()) return reach(Phase::caught_up);
  log_.info("building unique indexes and foreign keys");
  mysql::Session session(options_.target, mysql::Side::target);
  mysql::without_binlog(session);
  provision::Provisioner(log_).add_unique_indexes_and_foreign_keys(session, tables_);
  reconnect();
  reach(Phase::caught_up);
}

void Run::wait_followed(std::stop_token stop) {
  if (copied_under_fence()) return;
  mysql::Session session(endpoint(serves_), mysql::Side::source);
  live().wait_until(write_marker(session, facts(serves_), id_ + ":look"), std::move(stop), follow_patience);
}

verify::VerifyReport Run::verify(std::stop_token stop) {
  log_.info(std::string("verify: comparing every row on both servers") +
            (copied_under_fence() ? "" : " while traffic goes on"));
  verify::Options options;
  options.threads = options_.workers;
  verify::Verifier verifier([this] { return mysql::Session(endpoint(serves_), mysql::Side::source); },
                            [this] { return mysql::Session(endpoint(other(serves_)), mysql::Side::target); }, options);
  // Rows that change from here on are compared again at the switch.
  changed_.clear();
  wait_followed(stop);
  const auto result = verifier.compare(
      tables_, [this](std::stop_token token) { wait_followed(token); }, stop);
  reconnect();
  note("digest", result.digest);
  note("verified_rows", std::to_string(result.rows));
  bool unjudged = false;
  for (const auto& part : result.unjudged) {
    // A table without a key, or a row that is written at every look, cannot be judged while it moves. That is neither
    // equal nor different: the switch compares the row, or the whole table.
    if (part.why == verify::Unjudged::Why::not_comparable) {
      unjudged = true;
      continue;
    }
    if (part.rows.empty()) {
      log_.warn("verify: " + text(part) + "; the switch compares the whole table");
      changed_.add_whole(part.table);
    } else {
      log_.info("verify: " + text(part) + "; the switch compares them");
      changed_.put_back(part.table, part.rows);
    }
  }
  if (!result.differences.empty() || !result.different_tables.empty() || unjudged) {
    const auto what = difference_text(result);
    poison("verify: " + what);
    throw Failure(FailureKind::divergence, "source and target differ: " + what + ". The " +
                                               std::string(cutover::name(serves_)) +
                                               " serves and was not changed; the run cannot be armed until"
                                               " a comparison is clean");
  }
  if (const auto why = poisoned(); why && why->rfind("verify: ", 0) == 0) lift_poison("a full comparison was clean");
  if (serves_ == cutover::Serves::target) note("way_back_broken", "");
  log_.info(fmt::format("verify: {} tables, {} rows, 0 differences in {}", result.tables, grouped(result.rows),
                        duration_text(std::chrono::duration_cast<std::chrono::seconds>(result.duration))));
  verified_here_ = true;
  if (serves_ == cutover::Serves::source && phase_ < Phase::verified) reach(Phase::verified);
  return result;
}

}  // namespace reseal::run

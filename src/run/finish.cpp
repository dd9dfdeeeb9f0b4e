// SPDX-License-Identifier: Apache-2.0
#include "run/finish.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/failure.hpp"
#include "fence/record_door.hpp"
#include "fence/source_fence.hpp"
#include "follow/channel_account.hpp"
#include "run/finished_marker.hpp"
#include "run/proxies.hpp"
#include "run/switch_over.hpp"
#include "run/target_encryption.hpp"

namespace reseal::run {

using base::Failure;
using base::FailureKind;
using cutover::Serves;

namespace {

constexpr auto fence_patience = std::chrono::seconds(10);
constexpr const char* clearing_note = "clearing_away";  // in the journal, for `status`

[[noreturn]] void cannot_finish(const std::string& why) {
  throw Failure(FailureKind::refused, "the run cannot be finished: " + why + ". Nothing was changed");
}

/// Those of our tables (`names` as a quoted list) that the server has, as a list for DROP TABLE.
std::string own_tables(mysql::Session& server, const std::string& names) {
  std::string list;
  for (const auto& row : server.query("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA='reseal'"
                                      " AND TABLE_NAME IN (" +
                                      names + ") ORDER BY TABLE_NAME"))
    list += (list.empty() ? "reseal." : ", reseal.") + row[0].value_or("");
  return list;
}

bool persisted_fence(mysql::Session& source) {
  return source.scalar(
             "SELECT COUNT(*) FROM performance_schema.persisted_variables"
             " WHERE VARIABLE_NAME='super_read_only' AND VARIABLE_VALUE='ON'") != "0";
}

}  // namespace

std::size_t FinishReport::left() const {
  return static_cast<std::size_t>(
      std::count_if(items.begin(), items.end(), [](const auto& item) { return !item.done; }));
}

Finish::Finish(Run& run) : run_(run) {}

void Finish::check() {
  // Once the way back is given up there is only forward.
  if (run_.phase() == Phase::finished) return;
  if (SwitchOver(run_, {}).unfinished())
    cannot_finish("a switch was cut off. Run `reseal start` (or `cutover`, `rollback`), which ends it or backs it out");
  if (run_.serves() != Serves::target || run_.phase() != Phase::switched)
    cannot_finish("the source serves (the run is in phase " + std::string(name(run_.phase())) +
                  "). `reseal cutover` leads to the target");
  Proxies(run_.options().proxies, run_.log()).require(Serves::target);
  if (const auto plain = not_encrypted(run_.target(), run_.schemas()))
    cannot_finish("the target is not encrypted: " + *plain);
  const auto written = run_.written_on_source();
  if (written.none()) return;
  source_writes_ = written.text();
  if (!run_.options().accept_source_writes)
    cannot_finish("others have written on the source, past its fence: " + source_writes_ +
                  ". The target does not have it. Bring what is wanted over by hand, then give --accept-source-writes");
}

Finish::Step Finish::end_the_way_back() {
  return {{"the way back is given up: no rollback from here on", run_.options().target.text() + ", reseal.run",
           "the target serves by the decision record, and no switch is under way", ""},
          [this] { return run_.phase() == Phase::finished; },
          [this] { run_.reach(Phase::finished); }};
}

Finish::Step Finish::tell_the_source() {
  return {{"the old source is told that the target serves for good", run_.options().source.text() + ", reseal.finished",
           "a proxy that finds no record on the target reads it, and never serves the old source", ""},
          [this] { return finished_run(run_.source()) == run_.id(); },
          [this] { mark_finished(run_.source(), run_.id()); }};
}

Finish::Step Finish::clear_the_source() {
  const auto tables = [this] { return own_tables(run_.source(), "'lane','marker'"); };
  const auto list = tables();
  return {{"our tables go" + (list.empty() ? "" : ": " + list), run_.options().source.text(),
           "they say how far the source followed, and it follows no more",
           "SET GLOBAL super_read_only=OFF; SET SESSION sql_log_bin=0; DROP TABLE IF EXISTS reseal.lane, reseal.marker;"
           " SET GLOBAL super_read_only=ON"},
          [tables] { return tables().empty(); },
          [this] {
            mysql::without_binlog(run_.source());
            const fence::RecordDoor door(run_.source());
            run_.source().execute("DROP TABLE IF EXISTS reseal.lane, reseal.marker");
          }};
}

Finish::Step Finish::fence_the_source() {
  return {{"the fence of the source stays for good, for accounts with CONNECTION_ADMIN or SUPER too",
           run_.options().source.text() + ", super_read_only, persisted", "nobody has to write there any more",
           "SET PERSIST super_read_only=ON"},
          [this] { return fence::SourceFence(run_.source()).up() && persisted_fence(run_.source()); },
          [this] { fence::SourceFence(run_.source()).raise(fence_patience); }};
}

Finish::Step Finish::clear_the_target() {
  const auto tables = [this] { return own_tables(run_.target(), "'chunk','exact','lane','marker'"); };
  const auto list = tables();
  return {
      {"our tables go" + (list.empty() ? "" : ": " + list), run_.options().target.text(),
       "they say how the copy and the follow went, and both are over; the record of who serves stays",
       "SET SESSION sql_log_bin=0; DROP TABLE IF EXISTS reseal.chunk, reseal.exact, reseal.lane, reseal.marker"},
      [tables] { return tables().empty(); },
      [this] { run_.target().execute("DROP TABLE IF EXISTS reseal.chunk, reseal.exact, reseal.lane, reseal.marker"); }};
}

Finish::Step Finish::drop_the_follow_account() {
  const auto account = std::string("'") + follow::follow_account + "'@'%'";
  const auto gone = [](mysql::Session& server) {
    return server.scalar(std::string("SELECT COUNT(*) FROM mysql.user WHERE user='") + follow::follow_account + "'") ==
           "0";
  };
  return {{"the account with which the target replicated goes: " + account,
           run_.options().source.text() + ", " + run_.options().target.text(), "nothing replicates any more",
           "SET SESSION sql_log_bin=0; DROP USER IF EXISTS " + account + ", on the source with super_read_only OFF"},
          [this, gone] { return gone(run_.source()) && gone(run_.target()); },
          [this] {
            follow::drop_follow_account(run_.target());
            mysql::without_binlog(run_.source());
            const fence::RecordDoor door(run_.source());
            follow::drop_follow_account(run_.source());
          }};
}

/// The first is the point of no return: were something cleared away before it, a rollback could begin without it.
std::vector<Finish::Step> Finish::steps() {
  std::vector<Step> steps = {end_the_way_back(), tell_the_source(), clear_the_source()};
  if (parts(run_.way()).follow == FollowKind::replication) steps.push_back(drop_the_follow_account());
  steps.push_back(fence_the_source());
  steps.push_back(clear_the_target());
  return steps;
}

FinishReport Finish::look() {
  check();
  FinishReport report;
  for (auto& step : steps()) {
    step.item.done = step.is_done();
    report.items.push_back(std::move(step.item));
  }
  report.remains = remains();
  report.clear = in_clear_text();
  report.source_writes = source_writes_;
  return report;
}

FinishReport Finish::execute() {
  check();
  FinishReport report;
  report.executed = true;
  if (!source_writes_.empty()) run_.record("source-written", "accepted: " + source_writes_);
  for (auto& step : steps()) {
    try {
      if (!step.is_done()) {
        run_.note(clearing_note, "begun");
        step.act();
      }
      step.item.done = step.is_done();
      if (!step.item.done) step.item.failed = "the server took it and does not show it";
    } catch (const Failure& failure) {
      if (failure.kind() == FailureKind::transient || run_.phase() != Phase::finished) throw;
      step.item.failed = failure.what();
    }
    report.items.push_back(std::move(step.item));
  }
  const auto left = report.left();
  run_.note(clearing_note, left == 0 ? "all done" : fmt::format("left {} things for a person", left));
  run_.record("finish", left == 0 ? "all done" : fmt::format("{} things left", left));
  report.remains = remains();
  report.clear = in_clear_text();
  report.source_writes = source_writes_;
  return report;
}

void Finish::drop_record() {
  const auto refuse = [](const std::string& why) {
    throw Failure(FailureKind::refused, "the record of who serves cannot be dropped: " + why + ". Nothing was changed");
  };
  if (run_.phase() != Phase::finished)
    refuse("the run is not finished (phase " + std::string(name(run_.phase())) +
           "), and proxies go by the record. Run `reseal finish --execute` first");
  for (const auto& step : steps())
    if (!step.is_done())
      refuse("not done yet: " + step.item.what + ". Run `reseal finish --execute` without --drop-record first");
  auto& target = run_.target();
  const auto foreign = target.scalar(
      "SELECT MIN(TABLE_NAME) FROM information_schema.TABLES WHERE TABLE_SCHEMA='reseal'"
      " AND TABLE_NAME NOT IN ('attempt','decision','run')");
  if (foreign) refuse("the schema reseal on the target holds a table that is not ours: " + *foreign);
  // In this order. Without attempts a proxy asks the source, which says that the target serves. An attempt without its
  // decision would be one that is under way. By the last table the run is known when this is done again.
  target.execute("DROP TABLE IF EXISTS reseal.attempt");
  target.execute("DROP TABLE IF EXISTS reseal.decision");
  target.execute("DROP DATABASE reseal");
  run_.note(record_dropped_note, "yes");
  run_.record("finish", "the record of who serves was dropped");
}

std::vector<Remainder> Finish::remains() {
  const auto& source = run_.options().source;
  const auto& target = run_.options().target;
  const auto account = [](mysql::Session& session) { return session.scalar("SELECT CURRENT_USER()").value_or("?"); };
  std::vector<Remainder> list = {
      {"the record of who serves on the target (reseal.run, reseal.attempt, reseal.decision): a proxy that starts with"
       " both servers reads it",
       "on " + target.text() + ", once no proxy is started with both: reseal finish --execute --drop-record"},
      {"reseal.finished on the source", "it goes with the source"},
      {"the fence of the source, also after a restart",
       "leave it. To use that server for something else: drop the data, then SET GLOBAL super_read_only=OFF; SET GLOBAL"
       " read_only=OFF; RESET PERSIST IF EXISTS super_read_only; RESET PERSIST IF EXISTS read_only"},
      {"the accounts that you made for reseal (it makes none itself): " + account(run_.source()) + " on " +
           source.text() + ", " + account(run_.target()) + " on " + target.text(),
       "DROP USER, on the target once no proxy uses it"},
      {"the state folder " + run_.options().state_folder.string() +
           ": no rows and no passwords; `reseal status` reads it",
       "rm -r, when you no longer need the report"},
      {"the option files with the passwords of both accounts", "delete them"}};
  for (const auto& socket : run_.options().proxies)
    list.push_back({"the proxy on " + socket + ": it serves the target and may stay",
                    "point its clients at " + target.text() +
                        " and stop it by SIGTERM; or start it again with"
                        " --source naming that server, and without --target"});
  return list;
}

std::vector<Remainder> Finish::in_clear_text() {
  auto& source = run_.source();
  const auto& at = run_.options().source.text();
  const auto value = [&](const char* expression) {
    return source.scalar(std::string("SELECT ") + expression).value_or("?");
  };
  std::uint64_t bytes = 0;
  const auto logs = source.query("SHOW BINARY LOGS");
  for (const auto& row : logs) bytes += std::stoull(row[1].value_or("0"));
  const auto replicas = value("COUNT(*) FROM performance_schema.threads WHERE PROCESSLIST_COMMAND LIKE 'Binlog Dump%'");
  std::vector<Remainder> list = {
      {"the data folder of the old source, with redo and undo logs: " + value("@@datadir") + " on " + at,
       "stop the server and destroy the volume; deleting files leaves their blocks on most disks"},
      {fmt::format("its binary logs: {} files, {} bytes, {}.*", logs.size(), bytes, value("@@log_bin_basename")),
       "they hold every row that was written; destroy them with the server"},
      {"its temporary files and logs of statements: " + value("@@tmpdir") + ", " + value("@@general_log_file") + ", " +
           value("@@slow_query_log_file"),
       "the same"},
      {replicas + " replicas or other readers of its log are connected now; those that are not cannot be seen",
       "each replica holds the same data"},
      {"backups, dumps, snapshots of volumes, and copies of binary logs: reseal cannot see any of them",
       "ask whoever makes them, and destroy or encrypt them"}};
  if (parts(run_.way()).seed == SeedKind::clone)
    list.push_back(
        {"the blocks of the target's disk on which its plain copy lay before it was encrypted, and its files"
         " #ib_*.dblwr, which may hold pages of its first start",
         "stop that server cleanly, remove those files and start it; the blocks go with the volume"});
  return list;
}

}  // namespace reseal::run

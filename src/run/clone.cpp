// SPDX-License-Identifier: Apache-2.0
// The physical copy of a run, and the replication that follows it.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "base/failure.hpp"
#include "base/stop_point.hpp"
#include "fence/record_door.hpp"
#include "follow/channel_account.hpp"
#include "follow/channel_rules.hpp"
#include "follow/channel_sink.hpp"
#include "follow/native_channel.hpp"
#include "run/hooks.hpp"
#include "run/progress_lines.hpp"
#include "run/run.hpp"
#include "run/source_marker.hpp"
#include "seed/clone_rules.hpp"
#include "seed/clone_seed.hpp"
#include "seed/encrypt_in_place.hpp"
#include "seed/logical_seed.hpp"
#include "sql/quote.hpp"

namespace reseal::run {

using base::Failure;
using base::FailureKind;

namespace {
constexpr auto line_every = std::chrono::seconds(10);
constexpr auto hook_timeout = std::chrono::minutes(5);
constexpr unsigned restart_tries = 240;
constexpr auto ask_again_after = std::chrono::milliseconds(500);
// In the journal.
constexpr const char* clone_note = "clone";             // "begun", "done", or empty
constexpr const char* account_note = "target_account";  // ours on the target, as it was before the clone; no secret
constexpr const char* binlog_note = "clone_binlog";     // where the source's log stood in what was cloned
constexpr const char* gtids_note = "clone_gtids";
constexpr const char* scheduler_note = "target_event_scheduler";
constexpr const char* doublewrite_note = "target_doublewrite";

seed::CloneOptions clone_options(Run& run) {
  seed::CloneOptions options;
  options.marker = run.id() + ":clone";
  // In a session of its own: an earlier process's clone is settled before this one has any.
  options.write_on_donor = [&run](const std::function<void()>& write) {
    mysql::Session session(run.options().source, mysql::Side::source);
    const fence::RecordDoor door(session);
    write();
  };
  options.start_again = [&run] {
    const auto& target = run.options().target;
    const nlohmann::json message = {{"event", "restart"},
                                    {"run", run.id()},
                                    {"host", target.host},
                                    {"port", target.port},
                                    {"socket", target.socket}};
    const auto result = run_hook(run.options().hooks, "restart", message.dump(), hook_timeout, run.log());
    if (result == HookResult::succeeded) return;
    run.log().warn("start the target's server " + target.text() + " now: the clone has ended it, " +
                   (result == HookResult::absent ? "and there is no hook reseal-on-restart that does"
                                                 : "and the hook reseal-on-restart has failed"));
  };
  return options;
}

}  // namespace

bool Run::clone_stands() { return fact(clone_note) == "done"; }

/// What takes writes on the source, before it may be fenced: the plugin, and what tells our clone from any other.
void Run::prepare_clone() {
  for (auto* server : {&*source_, &*target_})
    if (seed::ensure_clone_plugin(*server))
      log_.info("installed the clone plugin on " + server->endpoint().text() + "; it stays there");
  log_as_serving();
  create_marker_table(*source_);
  write_marker(*source_, source_facts_, id_ + ":clone");
}

/// A process that was killed in the clone has left a target on which our account is not known, or none of it.
void Run::settle_clone() {
  if (fact(clone_note) != "begun") return;
  seed::CloneProgress progress;
  const auto options = clone_options(*this);
  seed::CloneSeed seed(options_.source, options_.target, options, progress, log_);
  for (unsigned tries = 0;; ++tries) {
    try {
      if (seed.cloned()) take_over_clone(seed);
      return;
    } catch (const Failure& failure) {
      if (failure.kind() != FailureKind::transient || tries == restart_tries) throw;
      // A server that the clone has ended waits to be started.
      if (tries == 0) options.start_again();
      std::this_thread::sleep_for(ask_again_after);
    }
  }
}

void Run::take_over_clone(seed::CloneSeed& seed) {
  const auto account = base::value_or_fail(seed::KeptAccount::parse(fact(account_note).value_or("")), "the journal");
  seed.put_back(account);
  base::stop_point("clone-account", base::Edge::after);
  const auto position = seed.position();
  note(binlog_note, position.binlog.text());
  note(gtids_note, position.gtids.text());
  note(clone_note, "done");
  log_.info("clone: the target is the source as of " + position.text());
}

void Run::clone(std::stop_token stop) {
  if (clone_stands()) return;
  seed::CloneProgress progress;
  seed::CloneSeed seed(options_.source, options_.target, clone_options(*this), progress, log_);
  if (fact(clone_note) != "begun") {
    note(account_note, seed.account_to_keep().text());
    note(scheduler_note, target_->scalar("SELECT @@GLOBAL.event_scheduler").value_or("ON"));
    note(clone_note, "begun");
  }
  base::stop_point("clone-note", base::Edge::after);
  log_.info("clone: the target's server copies the source's files");
  {
    const auto start = std::chrono::steady_clock::now();
    const Ticker lines(line_every, [&] {
      const auto line = copy_line("clone", progress.bytes_done, progress.bytes, start);
      log_.info(line);
      note("progress", line);
    });
    seed.clone(stop);
  }
  base::stop_point("clone-done", base::Edge::after);
  take_over_clone(seed);
  reconnect();
}

/// What the clone brought that must not act on a standby, and what was set on the target for its time.
void Run::tidy_clone() {
  target_facts_ = mysql::server_facts(*target_);
  // The source's own rows in our schema, from an earlier move, say nothing of this one.
  target_->execute(
      "DROP TABLE IF EXISTS reseal.run, reseal.attempt, reseal.decision, reseal.chunk, reseal.exact, reseal.lane,"
      " reseal.finished");
  prepare_standby();
  target_->execute("RESET PERSIST IF EXISTS skip_replica_start");
  target_->execute("RESET PERSIST IF EXISTS event_scheduler");
  const auto scheduler = fact(scheduler_note).value_or("ON");
  if (scheduler == "ON" || scheduler == "OFF") target_->execute("SET GLOBAL event_scheduler=" + scheduler);
  seed::create_progress_tables(*target_);
}

void Run::encrypt(std::stop_token stop) {
  log_.info("encrypting what was cloned, in place");
  // Pages that are flushed before they are encrypted would stay in the doublewrite files. Should the machine crash
  // meanwhile, the target may have to be cloned anew.
  if (target_->scalar("SELECT @@GLOBAL.innodb_doublewrite") == "ON") {
    note(doublewrite_note, "ON");
    target_->execute("SET GLOBAL innodb_doublewrite=DETECT_ONLY");
  }
  seed::EncryptProgress progress;
  {
    const Ticker lines(line_every, [&] {
      const auto line = fmt::format("encrypt {}/{} tables and tablespaces", progress.done.load(), progress.all.load());
      log_.info(line);
      note("progress", line);
    });
    // In a session of its own, whose settings it changes.
    mysql::Session session(options_.target, mysql::Side::target);
    seed::encrypt_in_place(session, progress, stop);
    const auto plain = seed::not_encrypted_tablespaces(session);
    if (!plain.empty())
      throw Failure(FailureKind::target, "the tablespace " + plain.front() +
                                             " of the target is still in the clear after all was encrypted; the source"
                                             " was not changed. Encrypt it there, and start again");
  }
  if (fact(doublewrite_note) == "ON") target_->execute("SET GLOBAL innodb_doublewrite=ON");
  reach(Phase::seeded);
}

/// The clone is dropped with all that it brought; the target is nobody's then, and may be cloned to again.
void Run::discard_clone() {
  note("provisioning", "begun");
  for (const auto& schema : mysql::user_schemas(*target_)) target_->execute("DROP DATABASE " + sql::quote_name(schema));
  target_->execute("DROP DATABASE IF EXISTS reseal");
  note(clone_note, "");
  note("phase", std::string(name(Phase::fresh)));
  phase_ = Phase::fresh;
}

bool Run::replicates() {
  return parts(way_).follow == FollowKind::replication && (phase_ < Phase::provisioned || switched_epoch() == 0);
}

/// Ahead of the copy, which would be in vain.
void Run::require_replicable() {
  const auto channel = follow::ChannelDialect::of(*target_).channel();
  follow::require_faithful_replication(*target_, channel, source_facts_.gtid_on);
}

follow::SinkMaker Run::replication() {
  follow::ChannelSource source;
  source.host = options_.source.host;
  source.port = options_.source.port;
  source.by_gtid = source_facts_.gtid_on;
  source.password = follow::make_follow_account(*source_);
  const sql::SourcePosition start = {
      base::value_or_fail(sql::BinlogPosition::parse(fact(binlog_note).value_or("")), "the journal"),
      base::value_or_fail(sql::GtidSet::parse(fact(gtids_note).value_or("")), "the journal")};
  follow::NativeChannel channel(options_.target);
  channel.configure(source, start);
  channel.start();
  // One for all the time in which changed rows are collected.
  if (!replication_) replication_ = follow::waiting_for_channel(options_.target, source.by_gtid, log_);
  return replication_;
}

void Run::stop_replication() {
  if (replicates()) follow::NativeChannel(options_.target).stop();
}

void Run::remove_replication() {
  if (parts(way_).follow == FollowKind::replication) follow::NativeChannel(options_.target).remove();
}

}  // namespace reseal::run

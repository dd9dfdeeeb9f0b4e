// SPDX-License-Identifier: Apache-2.0
#include "run/run.hpp"

#include <fmt/format.h>

#include "base/failure.hpp"
#include "check/check.hpp"
#include "fence/source_fence.hpp"
#include "run/finish.hpp"
#include "run/identity.hpp"
#include "run/own_sessions.hpp"
#include "seed/clone_rules.hpp"
#include "seed/logical_seed.hpp"
#include "sql/quote.hpp"
#include "verify/verifier.hpp"

namespace reseal::run {

using base::Failure;
using base::FailureKind;

namespace {
constexpr auto control_timeout = std::chrono::seconds(60);
constexpr const char* found_by_comparison = "verify: ";  // such a poison is lifted by a clean comparison

[[noreturn]] void refuse_finished(const std::string& id) {
  throw Failure(FailureKind::refused,
                "run " + id +
                    " is finished: the target serves, and the source is not kept equal any more. There is"
                    " nothing to follow, compare or switch; nothing was changed. `reseal status` shows the"
                    " run, `reseal attest` what is encrypted, `reseal finish` what is left to clear away");
}
}  // namespace

Run::Run(RunOptions options, base::Log& log)
    : options_(std::move(options)), log_(log), journal_(options_.state_folder) {
  choose_way();
  id_ = fact("run_id").value_or(new_run_id());
  // Before anything is connected: the source may be gone by now.
  const bool to_finish = options_.purpose == Purpose::finish;
  if (!to_finish && fact("phase") == name(Phase::finished)) refuse_finished(id_);
  if (fact(record_dropped_note) == "yes")
    throw Failure(FailureKind::refused, "run " + id_ +
                                            " is finished, and the record of who serves was dropped: nothing is left"
                                            " to do, and nothing was changed");
  const auto process = new_run_id();
  for (auto* endpoint : {&options_.source, &options_.target}) {
    endpoint->run = id_;
    endpoint->process = process;
  }
  settle_clone();
  reconnect();
  // A killed process may have left statements running: its sessions are ended before anything is read, so that nothing
  // of it can still take effect afterwards.
  end_other_sessions();
  identify();
  if (!to_finish && phase_ == Phase::finished) refuse_finished(id_);
}

Run::~Run() = default;

void Run::choose_way() {
  const auto noted = fact("way");
  // Runs of before there were others note none.
  const auto known = noted ? way_named(*noted) : fact("run_id") ? std::optional(Way::stream) : std::nullopt;
  if (noted && !known)
    throw Failure(FailureKind::refused, "the run in " + options_.state_folder.string() + " is of the way " + *noted +
                                            ", which this reseal does not know; nothing was changed");
  if (known && options_.way && *known != *options_.way)
    throw Failure(FailureKind::refused,
                  fmt::format("the run in {} is of the way {}, not {}; nothing was changed. Leave --way out to go on"
                              " with it, or name a new state folder and an empty target",
                              options_.state_folder.string(), name(*known), name(*options_.way)));
  way_ = known.value_or(options_.way.value_or(Way::stream));
}

void Run::reconnect() {
  const auto open_anew = [](std::optional<mysql::Session>& session, const mysql::Endpoint& endpoint, mysql::Side side,
                            std::string& connection_id) {
    // The lost one stays until there is another: whoever asks it meanwhile is told that it is lost.
    session = mysql::Session(endpoint, side, control_timeout);
    if (!connection_id.empty()) end_lost_session(*session, endpoint.process, connection_id);
    connection_id = session->scalar("SELECT CONNECTION_ID()").value_or("");
  };
  open_anew(source_, options_.source, mysql::Side::source, source_connection_);
  open_anew(target_, options_.target, mysql::Side::target, target_connection_);
  mysql::without_binlog(*target_);
  log_as_serving();
  take_target_lock();
}

/// What we do on a side that serves no more is not in its log: whatever is there was written by somebody else, which
/// StandbyLog relies on.
void Run::log_as_serving() {
  const std::string wanted = serves_ == cutover::Serves::source ? "1" : "0";
  if (source_->scalar("SELECT @@SESSION.sql_log_bin") == wanted) return;  // setting it takes a privilege
  source_->execute("SET SESSION sql_log_bin=" + wanted);
}

/// The lock goes with its session, however this process ends; and when that session is lost, another may have it.
void Run::take_target_lock() {
  try {
    if (target_lock_ && target_lock_->scalar("SELECT IS_USED_LOCK('reseal.run')=CONNECTION_ID()") == "1") return;
  } catch (const Failure& failure) {
    if (failure.kind() != FailureKind::transient) throw;
  }
  // On a connection that broke without a word the server would keep the lock for hours.
  if (!lock_connection_.empty()) end_lost_session(*target_, options_.target.process, lock_connection_);
  target_lock_ = mysql::Session(options_.target, mysql::Side::target);
  lock_connection_ = target_lock_->scalar("SELECT CONNECTION_ID()").value_or("");
  if (target_lock_->scalar("SELECT GET_LOCK('reseal.run', 3)") != "1")
    throw Failure(FailureKind::running, "another reseal works on the target " + options_.target.text() +
                                            "; nothing was changed. Wait for it, or stop it first");
}

std::optional<std::string> Run::fact(const std::string& name) {
  const std::lock_guard lock(journal_mutex_);
  return journal_.fact(name);
}

void Run::note(const std::string& name, const std::string& value) {
  const std::lock_guard lock(journal_mutex_);
  journal_.set_fact(name, value);
}

void Run::record(const std::string& event, const std::string& detail) {
  const std::lock_guard lock(journal_mutex_);
  journal_.record(event, detail);
}

void Run::reach(Phase phase) {
  TargetRecord(*target_).set("phase", std::string(name(phase)));
  note("phase", std::string(name(phase)));
  record("phase", std::string(name(phase)));
  phase_ = phase;
}

void Run::poison(const std::string& why) {
  record("poison", why);
  note("poison", why);
  TargetRecord(*target_).set("poison", why);
}

std::optional<std::string> Run::poisoned() {
  if (phase_ > Phase::fresh)
    if (auto why = TargetRecord(*target_).get("poison")) return why;
  // A target that was away could not be told.
  auto why = fact("poison").value_or("");
  return why.empty() ? std::nullopt : std::optional(std::move(why));
}

/// A poison that a comparison set is no reason not to compare again.
void Run::throw_if_poisoned(bool to_compare) {
  const auto why = poisoned();
  if (!why || (to_compare && why->rfind(found_by_comparison, 0) == 0)) return;
  const bool source = serves_ == cutover::Serves::source;
  throw Failure(FailureKind::divergence,
                "this run is poisoned: " + *why + ". It cannot be armed. The " + std::string(name(serves_)) +
                    " serves and was not changed. " +
                    (source ? "A clean `reseal verify` lifts a poison that a comparison set; after any other, start a"
                              " new run on an empty target"
                            : "There is no way back to the source; `reseal finish` ends it in order"));
}

void Run::end_other_sessions() {
  for (auto* session : {&*source_, &*target_}) run::end_other_sessions(*session, id_, options_.source.process);
}

void Run::identify() {
  source_facts_ = mysql::server_facts(*source_);
  target_facts_ = mysql::server_facts(*target_);
  if (source_facts_.uuid == target_facts_.uuid)
    throw Failure(FailureKind::refused, "source and target are the same server (" + source_facts_.uuid +
                                            "); nothing was changed. Name the encrypted server as the target");
  schemas_ = options_.schemas.empty() ? mysql::user_schemas(*source_) : options_.schemas;
  TargetRecord record(*target_);
  const auto known = fact("run_id");
  if (!known && !record.exists()) return;
  adopt_or_refuse(record);
}

void Run::adopt_or_refuse(TargetRecord& record) {
  const auto refuse = [](const std::string& what) {
    throw Failure(FailureKind::refused, what + "; nothing was changed");
  };
  const auto known = fact("run_id");
  const auto on_target = record.exists() ? record.get("run_id") : std::nullopt;
  // Killed between the making of the record and its first, complete writing: the target is nobody's yet.
  if (!on_target && (!known || fact("provisioning") == "begun")) return;
  if (!on_target) refuse("the target does not know this run: it was emptied or replaced. Use a new state folder");
  if (!known)
    refuse("the target belongs to run " + *on_target + ", and the state folder " + options_.state_folder.string() +
           " does not hold it. Use that run's state folder, or an empty target");
  if (*known != *on_target)
    refuse("the state folder holds run " + *known + " and the target belongs to run " + *on_target);
  if (record.get("source_uuid") != source_facts_.uuid)
    refuse("this run began on another source server (" + record.get("source_uuid").value_or("?") + ", now " +
           source_facts_.uuid + ")");
  if (record.get("target_uuid") != target_facts_.uuid) refuse("this run began on another target server");
  phase_ = phase_named(record.get("phase").value_or("fresh")).value_or(Phase::fresh);
  // Killed after the target knew and before the state folder did.
  if (fact("phase") != name(phase_)) note("phase", std::string(name(phase_)));
  if (const auto decision = cutover::latest_decision(*target_)) serves_ = decision->serves;
  log_as_serving();
  tables_ = mysql::read_tables(*source_, schemas_);
  const auto fingerprint = record.get("fingerprint");
  if (fingerprint && *fingerprint != schema_fingerprint(tables_))
    refuse(
        "the source's schema is not the one this run began with: tables were added, dropped or altered. Cancel the"
        " run and start again");
}

void Run::check_preconditions() {
  check::CheckRequest request;
  request.source = options_.source;
  request.target = options_.target;
  request.schemas = schemas_;
  request.run_id = id_;
  request.allow_replica_source = options_.allow_replica_source;
  request.follows_log = !parts(way_).fences_first();
  const auto findings = check::check_all(request);
  for (const auto& finding : findings)
    if (finding.severity == check::Severity::warning) log_.warn(finding.code + ": " + finding.what);
  if (check::ready(findings)) return;
  std::string text;
  for (const auto& finding : findings)
    if (finding.severity == check::Severity::blocker)
      text += "\n  " + finding.code + " (" + finding.subject + "): " + finding.what + ". " + finding.why +
              (finding.mend.empty() ? "" : "\n    mend: " + finding.mend);
  throw Failure(FailureKind::refused, "the servers are not ready; nothing was changed:" + text);
}

void Run::advance(Until until, std::stop_token stop) {
  if (phase_ >= Phase::switched) return;
  if (phase_ == Phase::fresh) {
    // Under the fence of its copy all of this has been looked at, right before it.
    if (!clone_stands() && !copied_under_fence()) {
      check_preconditions();
      if (clones()) seed::require_clonable(*source_, *target_);
      if (replicates()) require_replicable();
    }
    note_identity();
    if (clones() && !clone_stands() && !copied_under_fence()) prepare_clone();
    if (until == Until::checked) return;
    provision(stop);
  }
  // A copy that is to be made anew may differ; a run that is to be compared may too.
  throw_if_poisoned(until == Until::caught_up || until <= Until::provisioned);
  fence::close_standby(*target_);
  if (until <= Until::provisioned) return;
  const bool follows = !fences_first();
  RESEAL_CHECK(follows || copied_under_fence());
  try {
    if (phase_ < Phase::seeded) copy(stop);
    if (until == Until::seeded) return;
    if (follows && !live_) start_follow();
    if (phase_ < Phase::caught_up) follows ? catch_up(stop) : build_keys();
    if (follows) live_->check();
    if (until == Until::caught_up) return;
    // What changed since the comparison is known to this process only: after a restart it compares again.
    if (!verified_here_) verify(stop);
  } catch (const Failure& failure) {
    if (failure.kind() == FailureKind::divergence && !poisoned()) {
      reconnect();
      poison(failure.what());
    }
    throw;
  }
}

void Run::switched(cutover::Serves now, std::uint64_t epoch) {
  stop_follow();
  serves_ = now;
  source_log_.reset();
  log_as_serving();
  note("way_back_broken", "");
  if (fact(fenced_for_copy_note) == "yes") note(fenced_for_copy_note, "no");
  // The target's record can be written only once its fence lets our account in.
  if (now == cutover::Serves::source) prepare_standby();
  const auto phase = now == cutover::Serves::target ? Phase::switched : Phase::caught_up;
  TargetRecord(*target_).set({{"phase", std::string(name(phase))}, {"switched_epoch", std::to_string(epoch)}});
  reach(phase);
}

bool Run::fences_first() {
  if (!parts(way_).fences_first()) return false;
  return phase_ == Phase::fresh || switched_epoch() == 0;
}

void Run::discard_copy() {
  verified_here_ = false;
  if (phase_ > Phase::fresh) reach(clones() ? Phase::fresh : Phase::provisioned);
  if (!clones()) seed::discard_copy(*target_, tables_);
  if (const auto why = poisoned(); why && why->rfind(found_by_comparison, 0) == 0) lift_poison("its copy is discarded");
  if (clones()) discard_clone();
}

void Run::lift_poison(const std::string& why) {
  if (phase_ > Phase::fresh) TargetRecord(*target_).erase("poison");
  record("poison-lifted", why);
  note("poison", "");
}

std::uint64_t Run::switched_epoch() { return std::stoull(TargetRecord(*target_).get("switched_epoch").value_or("0")); }

const mysql::Endpoint& Run::endpoint(cutover::Serves side) const {
  return side == cutover::Serves::source ? options_.source : options_.target;
}

const mysql::ServerFacts& Run::facts(cutover::Serves side) const {
  return side == cutover::Serves::source ? source_facts_ : target_facts_;
}

LiveFollow& Run::live() {
  RESEAL_CHECK(live_ != nullptr);
  return *live_;
}

std::string Run::digest() { return fact("digest").value_or(""); }

}  // namespace reseal::run

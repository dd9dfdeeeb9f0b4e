// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "cutover/decision_record.hpp"
#include "follow/batch_sink.hpp"
#include "follow/changed_keys.hpp"
#include "journal/journal.hpp"
#include "mysql/schema_reader.hpp"
#include "run/live_follow.hpp"
#include "run/options.hpp"
#include "run/phase.hpp"
#include "run/standby_log.hpp"
#include "run/target_record.hpp"
#include "seed/clone_seed.hpp"
#include "verify/report.hpp"

namespace reseal::run {

/// In the journal, durable before the source is fenced for a copy; "no" when that fence is down, or a decision's.
inline constexpr const char* fenced_for_copy_note = "fenced_for_copy";

/// One run, opened by this process: its journal and locks are held, source, target and schema are
/// the ones it began with. Each phase can be killed at any point and run again; `advance` does what is still to do.
/// Throws Failure; its kind decides the exit code.
class Run {
 public:
  /// Takes the state folder's lock and the target's, and compares identities. Throws Failure(running) when another
  /// process has the run, Failure(refused) when source, target or schema are not the run's, and when the run is
  /// finished and is not opened to be finished.
  Run(RunOptions options, base::Log& log);
  ~Run();

  /// Brings the run up to `until` while the source serves. A phase that is done is not done again.
  void advance(Until until, std::stop_token stop);
  /// The way back, while the target serves: the source follows it, from the position of the decision on.
  void follow_back();
  /// The same, and all rows are compared. Throws Failure(refused) when others have written on the source past the fence
  /// and that is not accepted.
  void make_ready_for_rollback(std::stop_token stop);
  /// Lets the follow run until `stop`. While the target serves, looks now and then whether others write on the source,
  /// and says so. Throws the follow's failure; in that direction the run is marked first: the way back is broken.
  void hold(std::stop_token stop);
  /// While the target serves: what others have written on the source since the last look; the first one begins at the
  /// switch.
  StandbyWrites written_on_source();
  /// The side that serves no more is made a standby: it refuses the writes of others, has no triggers and events, and
  /// its lanes begin where the decision says. Can be done again.
  void prepare_standby();
  /// Whether every row was compared in this process, and what changed since then is known.
  bool armed() { return verified_here_ && (live_ != nullptr || copied_under_fence()); }
  Way way() const { return way_; }
  /// The source is fenced before the copy (see FencedCopy), and nothing is followed. Only up to the first switch: after
  /// it each side follows the other.
  bool fences_first();
  /// The same, and the fence has stood since before the copy.
  bool copied_under_fence() { return fences_first() && fact(fenced_for_copy_note) == "yes"; }
  /// What was copied goes from the target, and the run is back where the copy begins. Lifts a poison that a comparison
  /// set.
  void discard_copy();
  /// What was compared is so no more: the source takes writes again.
  void forget_comparison() { verified_here_ = false; }
  /// The epoch of the last switch that is over; 0 before the first.
  std::uint64_t switched_epoch();
  /// A switch is over: `now` serves, and the run's phase says so. Durable when it returns.
  void switched(cutover::Serves now, std::uint64_t epoch);
  /// A full comparison while the follow runs. Clears or sets the poison. Throws Failure(divergence) on differences.
  verify::VerifyReport verify(std::stop_token stop);

  Phase phase() const { return phase_; }
  const RunOptions& options() const { return options_; }
  const std::string& id() const { return id_; }
  const std::vector<sql::Table>& tables() const { return tables_; }
  const std::vector<std::string>& schemas() const { return schemas_; }
  const mysql::ServerFacts& source_facts() const { return source_facts_; }
  mysql::Session& source() { return *source_; }
  mysql::Session& target() { return *target_; }
  /// Who serves, by the last decision that this process knows of.
  cutover::Serves serves() const { return serves_; }
  mysql::Session& session(cutover::Serves side) { return side == cutover::Serves::source ? *source_ : *target_; }
  mysql::Session& serving() { return session(serves_); }
  mysql::Session& standby() { return session(cutover::other(serves_)); }
  const mysql::Endpoint& endpoint(cutover::Serves side) const;
  const mysql::ServerFacts& facts(cutover::Serves side) const;
  /// Returns when the follow has applied everything that the serving side had committed when this was called.
  void wait_followed(std::stop_token stop);
  /// Running from `caught_up` on.
  LiveFollow& live();
  /// The target's own replication stands still; at the switch, so that nothing is applied past its position. Does
  /// nothing where our applier follows.
  void stop_replication();
  /// The target knows no more of the source it replicated from. Once it serves.
  void remove_replication();
  /// Ends the follow, with everything it has committed in place.
  void stop_follow() { live_.reset(); }
  /// Goes on where it was stopped in this process; what changed until then is still known.
  void resume_follow();
  follow::ChangedKeys& changed_keys() { return changed_; }
  base::Log& log() { return log_; }
  std::optional<std::string> fact(const std::string& name);
  void note(const std::string& name, const std::string& value);  ///< durable when it returns
  void record(const std::string& event, const std::string& detail);
  void reach(Phase phase);
  /// Marks the run unfit for the switch, in the journal and on the target. One of the two is enough.
  void poison(const std::string& why);
  std::optional<std::string> poisoned();
  /// Opens the control sessions anew after one was lost. What the lost ones had sent has ended when it returns, and the
  /// target's lock is ours. Throws Failure(running) when another process has it by now.
  void reconnect();
  /// Ends the sessions that other processes of this run, proxies among them, have on both servers.
  void end_other_sessions();
  /// Digest of the last full comparison.
  std::string digest();

 private:
  void take_target_lock();
  void identify();
  void adopt_or_refuse(TargetRecord& record);
  void choose_way();
  void check_preconditions();
  void note_identity();
  void provision(std::stop_token stop);
  void record_on_target();
  void provision_objects();
  bool clones() const { return parts(way_).seed == SeedKind::clone; }
  bool clone_stands();
  void prepare_clone();
  void settle_clone();
  void take_over_clone(seed::CloneSeed& seed);
  void clone(std::stop_token stop);
  void tidy_clone();
  void encrypt(std::stop_token stop);
  void discard_clone();
  bool replicates();
  void require_replicable();
  follow::SinkMaker replication();
  void copy(std::stop_token stop);
  void copy_rows(std::stop_token stop);
  void start_follow();
  void catch_up(std::stop_token stop);
  void tell_follow(std::chrono::steady_clock::time_point since_start);
  void build_keys();
  void throw_if_poisoned(bool to_compare);
  void lift_poison(const std::string& why);
  void log_as_serving();
  void refuse_written_source();
  void watch_source();
  void way_back_failed(const base::Failure& failure);

  RunOptions options_;
  base::Log& log_;
  std::mutex journal_mutex_;
  journal::Journal journal_;
  std::optional<mysql::Session> source_;
  std::optional<mysql::Session> target_;
  std::optional<mysql::Session> target_lock_;
  std::string source_connection_;  ///< the server's number for it
  std::string target_connection_;
  std::string lock_connection_;
  mysql::ServerFacts source_facts_;
  mysql::ServerFacts target_facts_;
  std::vector<std::string> schemas_;
  std::vector<sql::Table> tables_;
  std::string id_;
  Phase phase_ = Phase::fresh;
  Way way_ = Way::stream;
  bool verified_here_ = false;
  cutover::Serves serves_ = cutover::Serves::source;
  std::optional<StandbyLog> source_log_;  ///< while the target serves
  follow::ChangedKeys changed_;
  follow::SinkMaker replication_;  ///< empty until the target replicates for this process
  std::unique_ptr<LiveFollow> live_;
};

}  // namespace reseal::run

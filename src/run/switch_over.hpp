// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cutover/machine.hpp"
#include "fence/source_fence.hpp"
#include "provision/stored_object.hpp"
#include "run/proxies.hpp"
#include "run/run.hpp"

namespace reseal::run {

/// What a switch did.
struct SwitchReport {
  bool switched = false;  ///< it went through; else who served before goes on
  cutover::Serves serves = cutover::Serves::source;
  std::chrono::milliseconds stall{0};  ///< from hold or fence to the open side, and the release of the proxies
  std::chrono::milliseconds downtime{
      0};  ///< in which no side took writes; longer than the stall when the copy is in it
  std::vector<std::pair<std::string, std::chrono::milliseconds>> steps;
  std::string given_up_because;  ///< when it did not
  std::string person_needed;     ///< when it did, and something is left for a person
};

/// Notes in the journal, durable before what they tell of is done.
inline constexpr const char* fence_note = "fence_may_stand";
inline constexpr const char* triggers_note = "triggers_may_exist";

/// Carries out cutover::next_step's steps on the servers of a run: from the side that serves to its standby, be that
/// the target (cutover) or the source (rollback). Made for one switch, in one thread.
class SwitchOver {
 public:
  SwitchOver(Run& run, SwitchOptions options);

  /// Guardrails, then the switch. Throws Failure(refused) before anything is done when the run is not ready. An earlier
  /// switch that was killed is finished or backed out first, by what the decision record says.
  SwitchReport execute(std::stop_token stop);

  /// Whether an earlier switch was cut off, and `recover` has something to do.
  bool unfinished();
  /// After a restart: finishes a switch that was decided, backs out one that was not; nothing when none was begun.
  SwitchReport recover();

 private:
  void guardrails(std::stop_token stop);
  void wait_for_the_lag(std::stop_token stop);
  void drive();
  void take(cutover::Step step);
  void carry_out(cutover::Step step);
  void record_outcome();
  void record_switched();
  void close_attempt();
  void announce();
  void hold();
  void release();
  void note_stall();
  void raise_fence();
  void end_open_writes();
  void drain();
  void compare_changes();
  void create_triggers();
  void decide();
  void ask_decision();
  void open_standby();
  void enable_events();
  void switch_hook();
  void drop_triggers();
  void lower_fence();
  void step_failed(cutover::Step step, const base::Failure& failure);
  void ask_anew(std::string_view step, const base::Failure& failure, std::chrono::milliseconds wait);
  std::chrono::milliseconds left() const;
  mysql::Session& from() { return run_.session(from_); }
  mysql::Session& to() { return run_.session(cutover::other(from_)); }

  Run& run_;
  SwitchOptions options_;
  cutover::Facts facts_;
  SwitchReport report_;
  Proxies proxies_;
  cutover::Serves from_;
  std::uint64_t epoch_ = 0;
  sql::SourcePosition final_;
  std::vector<provision::StoredObject> triggers_;
  std::vector<provision::StoredObject> events_;
  std::chrono::steady_clock::time_point began_{};
  std::chrono::steady_clock::time_point stalled_since_{};
  unsigned backing_out_tries_ = 0;
};

/// Does what is left to do until the run is ready for the switch to the target, in the order of its way, and switches.
/// Throws what Run::advance, FencedCopy and SwitchOver::execute throw; then the source serves, and takes writes unless
/// the failure says otherwise.
SwitchReport cut_over(Run& run, SwitchOptions options, std::stop_token stop);

}  // namespace reseal::run

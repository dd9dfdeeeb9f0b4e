// SPDX-License-Identifier: Apache-2.0
#include "run/switch_over.hpp"

#include <fmt/format.h>

#include <thread>

#include "base/failure.hpp"
#include "base/stop_point.hpp"
#include "provision/object_compare.hpp"
#include "provision/provisioner.hpp"
#include "run/changed_rows.hpp"
#include "run/fenced_copy.hpp"
#include "run/progress_lines.hpp"
#include "run/target_encryption.hpp"
#include "run/target_record.hpp"

namespace reseal::run {

using base::Edge;
using base::Failure;
using base::FailureKind;
using base::stop_point;
using cutover::Decision;
using cutover::Step;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr auto ask_again_after = milliseconds(500);
constexpr unsigned backing_out_limit = 60;

[[noreturn]] void not_ready(const std::string& why) {
  throw Failure(FailureKind::refused, "not ready to switch: " + why + ". Nothing was changed");
}

}  // namespace

SwitchOver::SwitchOver(Run& run, SwitchOptions options)
    : run_(run), options_(options), proxies_(run.options().proxies, run.log()), from_(run.serves()) {
  report_.serves = from_;
}

milliseconds SwitchOver::left() const {
  return std::max(milliseconds(0), duration_cast<milliseconds>(began_ + options_.timeout - steady_clock::now()));
}

bool SwitchOver::unfinished() {
  const auto attempt = cutover::latest_attempt(run_.target());
  if (!attempt) return false;
  const auto decision = cutover::latest_decision(run_.target());
  if (decision && decision->epoch == attempt->epoch) return run_.switched_epoch() != attempt->epoch;
  return !cutover::closed(run_.target(), attempt->epoch) || run_.fact(fence_note) == "yes" ||
         run_.fact(triggers_note) == "yes";
}

SwitchReport SwitchOver::recover() {
  if (!unfinished()) return report_;
  const auto attempt = cutover::latest_attempt(run_.target());
  RESEAL_CHECK(attempt.has_value());
  const auto decision = cutover::latest_decision(run_.target());
  const bool decided = decision && decision->epoch == attempt->epoch;
  epoch_ = attempt->epoch;
  from_ = attempt->from;
  facts_.fence_may_stand = run_.fact(fence_note) == "yes";
  facts_.triggers_may_exist = run_.fact(triggers_note) == "yes";
  // Without a record the attempt's decision may still be on its way: the machine closes its epoch first.
  facts_.decision = decided ? Decision::made : Decision::unknown;
  run_.log().warn(decided ? "an earlier switch was decided and not finished; finishing it"
                          : "an earlier switch was not decided; backing it out");
  facts_.failed = !decided;
  facts_.proxies_may_hold = !proxies_.none();
  report_.given_up_because = decided ? "" : "an earlier attempt was interrupted before its decision";
  if (decided) events_ = provision::read_objects(from(), provision::ObjectKind::event, run_.schemas());
  began_ = steady_clock::now();
  drive();
  return report_;
}

SwitchReport SwitchOver::execute(std::stop_token stop) {
  guardrails(stop);
  proxies_.prepare(from_, cutover::other(from_));
  narrow_changed_rows(run_, stop);
  // Those that are behind now are not in the time in which clients wait. They are looked at again under the fence.
  provision::align_auto_increment(from(), to(), run_.tables());
  triggers_ = provision::read_objects(from(), provision::ObjectKind::trigger, run_.schemas());
  events_ = provision::read_objects(from(), provision::ObjectKind::event, run_.schemas());
  proxies_.look_ahead(cutover::other(from_));
  run_.record("switch", "begun");
  began_ = steady_clock::now();
  facts_ = cutover::Facts();
  facts_.held = proxies_.none();
  facts_.fence_may_stand = run_.copied_under_fence();
  report_ = SwitchReport();
  report_.serves = from_;
  drive();
  return report_;
}

void SwitchOver::guardrails(std::stop_token stop) {
  if (run_.poisoned()) not_ready("the run is poisoned: " + *run_.poisoned());
  if (!run_.armed()) not_ready("the run is in phase " + std::string(name(run_.phase())));
  fence::SourceFence fence(from());
  if (fence.prepared_xa() != 0)
    not_ready("the " + std::string(name(from_)) + " holds prepared XA transactions (XA RECOVER shows them)");
  const auto differences =
      provision::compare_objects(from(), to(), run_.schemas(), provision::CompareTime::before_switch, {});
  for (const auto& difference : differences)
    run_.log().warn("schema: " + difference.kind + " " + difference.name + ": " + difference.what);
  if (!differences.empty())
    not_ready(differences.front().kind + " " + differences.front().name + ": " + differences.front().what +
              (differences.size() > 1 ? fmt::format(" (and {} more)", differences.size() - 1) : ""));
  if (from_ == cutover::Serves::source) {
    if (const auto plain = not_encrypted(run_.target(), run_.schemas()))
      not_ready("the target is not encrypted: " + *plain);
  }
  if (run_.changed_keys().snapshot().too_many) run_.verify(stop);
  if (!run_.copied_under_fence()) wait_for_the_lag(stop);
}

void SwitchOver::wait_for_the_lag(std::stop_token stop) {
  const auto wait_until = steady_clock::now() + options_.wait_ready;
  while (true) {
    run_.live().check();
    const auto status = run_.live().status();
    if (status.lag && *status.lag <= options_.max_lag) break;
    if (stop.stop_requested()) throw Failure(FailureKind::interrupted, "stopped before the switch");
    if (steady_clock::now() > wait_until)
      not_ready(status.lag
                    ? fmt::format("the lag is {} ms, the limit {} ms", status.lag->count(), options_.max_lag.count())
                    : "the follow hears nothing from the " + std::string(name(from_)));
    std::this_thread::sleep_for(milliseconds(50));
  }
}

void SwitchOver::drive() {
  while (true) {
    const auto step = cutover::next_step(facts_);
    if (step == Step::finished || step == Step::given_up) break;
    if (facts_.decision == Decision::none && !facts_.failed && left() == milliseconds(0)) {
      facts_.failed = true;
      report_.given_up_because =
          fmt::format("the limit of {} ms passed before {}", options_.timeout.count(), name(step));
      continue;
    }
    const auto start = steady_clock::now();
    try {
      take(step);
    } catch (const Failure& failure) {
      step_failed(step, failure);
    }
    const auto took = duration_cast<milliseconds>(steady_clock::now() - start);
    report_.steps.emplace_back(std::string(name(step)), took);
  }
  stop_point("record", Edge::before);
  record_outcome();
  stop_point("record", Edge::after);
}

void SwitchOver::record_outcome() {
  report_.switched = facts_.decision == Decision::made;
  if (report_.switched) {
    report_.serves = cutover::other(from_);
    record_switched();
  } else if (epoch_ != 0) {
    close_attempt();
  }
  run_.record("switch", report_.switched
                            ? fmt::format("{} serves, stall {} ms", name(report_.serves), report_.stall.count())
                            : "given up: " + report_.given_up_because);
}

void SwitchOver::take(Step step) {
  stop_point(name(step), Edge::before);
  carry_out(step);
  stop_point(name(step), Edge::after);
}

void SwitchOver::record_switched() {
  while (true) {
    try {
      return run_.switched(report_.serves, epoch_);
    } catch (const Failure& failure) {
      run_.log().warn(std::string("switch: record: ") + failure.what());
      ask_anew("record", failure, ask_again_after);
    }
  }
}

/// Says that nothing comes of the attempt any more, and that its fence is lowered: a proxy that starts would give it
/// time to end, and lower a fence that is not ours. The proxy does without when the target is away.
void SwitchOver::close_attempt() {
  try {
    if (cutover::close_attempts(run_.target(), run_.id())) TargetRecord(run_.target()).backed_out(epoch_);
  } catch (const Failure& failure) {
    run_.log().warn(std::string("switch: the attempt could not be closed: ") + failure.what());
  }
}

/// What a failed step means: before the decision the switch backs out; after it, or while backing out, it is tried
/// again on new connections, since the servers may have carried the step out.
void SwitchOver::step_failed(Step step, const Failure& failure) {
  run_.log().warn("switch: " + std::string(name(step)) + ": " + failure.what());
  run_.record("switch-step-failed", std::string(name(step)) + ": " + failure.what());
  const bool backing_out = facts_.failed;
  if (step == Step::decide) {
    facts_.decision = Decision::unknown;
    return;
  }
  if (facts_.decision == Decision::none && !backing_out) {
    facts_.failed = true;
    report_.given_up_because = std::string(name(step)) + ": " + failure.what();
    if (failure.kind() == FailureKind::divergence) run_.poison(std::string("at the switch: ") + failure.what());
  }
  const bool for_good = backing_out || facts_.decision != Decision::none;
  ask_anew(name(step), failure, for_good ? ask_again_after : milliseconds(0));
}

/// Opens the sessions anew after `wait`, for another try of the step. Throws when there have been too many.
void SwitchOver::ask_anew(std::string_view step, const Failure& failure, milliseconds wait) {
  if (++backing_out_tries_ > backing_out_limit)
    throw Failure(facts_.decision == Decision::made ? FailureKind::needs_operator : FailureKind::transient,
                  "the switch stands at " + std::string(step) + " and the server does not answer: " + failure.what() +
                      ". Run reseal again when it does: it goes on from here");
  std::this_thread::sleep_for(wait);
  try {
    run_.reconnect();
  } catch (const Failure& lost) {
    run_.log().warn(std::string("switch: ") + lost.what());
  }
}

SwitchReport cut_over(Run& run, SwitchOptions options, std::stop_token stop) {
  SwitchOver switch_over(run, options);
  if (!run.fences_first()) {
    run.advance(Until::armed, stop);
    return switch_over.execute(stop);
  }
  FencedCopy copy(run, options);
  copy.execute(stop);
  try {
    return switch_over.execute(stop);
  } catch (const Failure&) {
    // Refused before its first step, it has left the fence of the copy as it was.
    if (copy.unfinished() && !switch_over.unfinished()) copy.back_out();
    throw;
  }
}

}  // namespace reseal::run

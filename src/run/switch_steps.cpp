// SPDX-License-Identifier: Apache-2.0
// What each step of a switch does.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/failure.hpp"
#include "base/stop_point.hpp"
#include "provision/object_compare.hpp"
#include "provision/provisioner.hpp"
#include "run/changed_rows.hpp"
#include "run/fenced_copy.hpp"
#include "run/hooks.hpp"
#include "run/switch_over.hpp"

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

constexpr auto hook_timeout = milliseconds(30'000);
// The tool stops trying to decide at its own time-out, well before a proxy asks who serves.
constexpr auto lease_margin = milliseconds(5'000);

}  // namespace

void SwitchOver::carry_out(Step step) {
  switch (step) {
    case Step::announce:
      return announce();
    case Step::hold:
      return hold();
    case Step::release:
      return release();
    case Step::raise_fence:
      return raise_fence();
    case Step::end_open_writes:
      return end_open_writes();
    case Step::read_position:
      final_ = fence::SourceFence(from()).final_position();
      facts_.position_read = true;
      return;
    case Step::drain:
      return drain();
    case Step::align_counters:
      provision::align_auto_increment(from(), to(), run_.tables());
      facts_.counters_aligned = true;
      return;
    case Step::compare_changes:
      return compare_changes();
    case Step::create_triggers:
      return create_triggers();
    case Step::decide:
      return decide();
    case Step::ask_decision:
      return ask_decision();
    case Step::open_standby:
      return open_standby();
    case Step::enable_events:
      return enable_events();
    case Step::run_hook:
      return switch_hook();
    case Step::drop_triggers:
      return drop_triggers();
    case Step::lower_fence:
      return lower_fence();
    case Step::resume_follow:
      run_.resume_follow();
      facts_.follow_stopped = false;
      return;
    case Step::finished:
    case Step::given_up:
      return;
  }
}

void SwitchOver::announce() {
  epoch_ = cutover::begin_attempt(run_.target(), run_.id(), from_);
  stop_point("announce-row", Edge::after);
  // Nothing that an earlier process or a proxy has sent under an earlier epoch may be carried out under this one.
  run_.end_other_sessions();
  facts_.announced = true;
}

void SwitchOver::hold() {
  note_stall();
  facts_.proxies_may_hold = true;
  proxies_.hold(epoch_, options_.timeout + lease_margin, std::min(options_.drain, left()));
  proxies_.restore(epoch_, cutover::other(from_));
  facts_.held = true;
}

void SwitchOver::release() {
  const bool made = facts_.decision == Decision::made;
  proxies_.release(epoch_, made ? cutover::other(from_) : from_);
  facts_.proxies_may_hold = false;
  report_.stall = duration_cast<milliseconds>(steady_clock::now() - stalled_since_);
}

/// Clients wait from the first step that keeps them from writing.
void SwitchOver::note_stall() {
  if (stalled_since_ == steady_clock::time_point()) stalled_since_ = steady_clock::now();
}

void SwitchOver::raise_fence() {
  note_stall();
  run_.note(fence_note, "yes");
  stop_point("fence-note", Edge::after);
  facts_.fence_may_stand = true;
  const auto patience = std::max(std::chrono::seconds(1), duration_cast<std::chrono::seconds>(left() / 2));
  fence::SourceFence(from()).raise(patience);
  facts_.fenced = true;
}

void SwitchOver::end_open_writes() {
  fence::SourceFence(from()).end_open_writes(options_.drain, left(), run_.log());
  facts_.writes_ended = true;
}

void SwitchOver::drain() {
  if (run_.copied_under_fence()) {
    // Nothing is followed: what was copied and compared is what the source holds as long as nothing was written.
    if (moved_since_copy(run_, final_))
      throw Failure(FailureKind::given_up, "the source's log has moved since it was fenced for the copy");
    facts_.drained = true;
    return;
  }
  run_.live().wait_until(final_, {}, left());
  // Should the fence fall now, nothing may be applied: triggers are about to exist.
  facts_.follow_stopped = true;
  run_.stop_follow();
  run_.stop_replication();
  facts_.drained = true;
}

void SwitchOver::compare_changes() {
  compare_changed_rows(run_);
  facts_.changes_equal = true;
}

void SwitchOver::create_triggers() {
  run_.note(triggers_note, "yes");
  stop_point("triggers-note", Edge::after);
  facts_.triggers_may_exist = true;
  for (const auto* objects : {&triggers_, &events_}) {
    const auto made = provision::create_objects(to(), *objects, provision::Retry::once);
    if (!made.not_created.empty())
      throw Failure(FailureKind::target, made.not_created.front().kind + " " + made.not_created.front().name +
                                             " could not be created on the new side: " + made.not_created.front().why);
  }
  facts_.triggers_created = true;
}

void SwitchOver::decide() {
  // The last look before the point of no return: still fenced, still the same position.
  const auto now = fence::SourceFence(from()).final_position();
  if (!(now.binlog == final_.binlog) || !(now.gtids == final_.gtids)) {
    facts_.failed = true;
    report_.given_up_because = "the log moved after its final position was read";
    return;
  }
  cutover::DecisionRecord record;
  record.run_id = run_.id();
  record.epoch = epoch_;
  record.serves = cutover::other(from_);
  // Where the feed in the other direction will begin: nobody has written on this side yet.
  auto start = mysql::binlog_end(to(), run_.facts(record.serves));
  if (run_.facts(record.serves).gtid_on) start.gtids = mysql::gtid_executed(to());
  // What others have written on the source before that place, neither side would bring over.
  if (from_ == cutover::Serves::target) {
    if (const auto written = run_.written_on_source(); !written.none()) {
      facts_.failed = true;
      report_.given_up_because = "others wrote on the source, past its fence: " + written.text();
      return;
    }
  }
  record.source = from_ == cutover::Serves::source ? final_ : start;
  record.target = from_ == cutover::Serves::source ? start : final_;
  record.digest = run_.digest();
  cutover::write_decision(run_.target(), record);
  facts_.decision = Decision::made;
}

void SwitchOver::ask_decision() {
  if (!cutover::close_attempts(run_.target(), run_.id())) {
    facts_.decision = Decision::made;
    return;
  }
  facts_.decision = Decision::none;
  facts_.failed = true;
  if (report_.given_up_because.empty()) report_.given_up_because = "the decision could not be written";
}

void SwitchOver::open_standby() {
  run_.stop_follow();  // a switch that is finished after a restart has one running
  if (from_ == cutover::Serves::source) run_.remove_replication();
  fence::open_standby(to());
  if (!fence::standby_open(to())) throw Failure(FailureKind::target, "the new side still refuses writes");
  facts_.standby_open = true;
  if (stalled_since_ != steady_clock::time_point())
    report_.stall = duration_cast<milliseconds>(steady_clock::now() - stalled_since_);
  report_.downtime = report_.stall;
  if (run_.fences_first()) report_.downtime = downtime_so_far(run_).value_or(report_.stall);
}

void SwitchOver::enable_events() {
  try {
    provision::Provisioner(run_.log()).enable_events(to(), events_);
  } catch (const Failure& failure) {
    if (failure.kind() == FailureKind::transient) throw;
    report_.person_needed = std::string("events could not be enabled: ") + failure.what();
  }
  facts_.events_enabled = true;
}

void SwitchOver::switch_hook() {
  const auto serves = cutover::other(from_);
  const auto& endpoint = run_.endpoint(serves);
  const nlohmann::json message = {{"event", "switch"},     {"run", run_.id()},      {"serves", name(serves)},
                                  {"host", endpoint.host}, {"port", endpoint.port}, {"socket", endpoint.socket}};
  if (run_hook(run_.options().hooks, "switch", message.dump(), hook_timeout, run_.log()) == HookResult::failed)
    report_.person_needed =
        "the switch hook failed: point the application at the " + std::string(name(serves)) + " by hand";
  facts_.hook_done = true;
}

void SwitchOver::drop_triggers() {
  provision::Provisioner provisioner(run_.log());
  provisioner.drop_triggers(to(), run_.schemas());
  provisioner.drop_events(to(), run_.schemas());
  stop_point("drop-triggers-note", Edge::before);
  run_.note(triggers_note, "no");
  facts_.triggers_may_exist = false;
}

void SwitchOver::lower_fence() {
  fence::SourceFence fence(from());
  fence.lower();
  if (fence.up()) throw Failure(FailureKind::source, "the " + std::string(name(from_)) + " still refuses writes");
  stop_point("lower-fence-note", Edge::before);
  run_.note(fence_note, "no");
  if (run_.copied_under_fence()) {
    run_.note(fenced_for_copy_note, "no");
    run_.forget_comparison();
  }
  facts_.fence_may_stand = false;
  facts_.fenced = false;
}

}  // namespace reseal::run

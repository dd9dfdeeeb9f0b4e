// SPDX-License-Identifier: Apache-2.0
#include "run/fenced_copy.hpp"

#include <fmt/format.h>

#include <thread>

#include "base/failure.hpp"
#include "base/stop_point.hpp"
#include "fence/source_fence.hpp"
#include "run/own_sessions.hpp"
#include "run/target_encryption.hpp"

namespace reseal::run {

using base::Edge;
using base::Failure;
using base::FailureKind;
using base::stop_point;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::system_clock;

namespace {

constexpr const char* position_note = "copy_position";      // of the source's log, under the fence
constexpr const char* downtime_note = "downtime_began_ms";  // since 1970, UTC
constexpr unsigned back_out_tries = 60;
constexpr auto ask_again_after = milliseconds(500);

std::int64_t now_ms() { return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count(); }

/// What says that nothing was logged in between. A restart begins a new file, which says nothing by itself: with GTIDs
/// the file does not count.
std::string mark(Run& run, const sql::SourcePosition& position) {
  return run.source_facts().gtid_on ? position.gtids.text() : position.binlog.text();
}

}  // namespace

/// A clone takes the whole target, so that nothing can be made there ahead of it.
Until ahead_of_fence(Way way) { return parts(way).seed == SeedKind::clone ? Until::checked : Until::provisioned; }

bool moved_since_copy(Run& run, const sql::SourcePosition& now) { return run.fact(position_note) != mark(run, now); }

std::optional<milliseconds> downtime_so_far(Run& run) {
  const auto began = run.fact(downtime_note).value_or("");
  if (began.empty()) return std::nullopt;
  return milliseconds(std::max<std::int64_t>(0, now_ms() - std::stoll(began)));
}

/// What would end the copy anyway, before anybody has to wait.
void FencedCopy::look_ahead() {
  const auto refuse = [](const std::string& why) {
    throw Failure(FailureKind::refused, "not ready to copy: " + why + ". Nothing was changed");
  };
  if (fence::SourceFence(run_.source()).prepared_xa() != 0)
    refuse("the source holds prepared XA transactions (XA RECOVER shows them)");
  // A clone comes plain, and is encrypted then.
  if (parts(run_.way()).seed == SeedKind::clone) return;
  if (const auto plain = not_encrypted(run_.target(), run_.schemas())) refuse("the target is not encrypted: " + *plain);
}

void FencedCopy::fence() {
  if (!unfinished()) run_.note(downtime_note, std::to_string(now_ms()));
  run_.note(fenced_for_copy_note, "yes");
  stop_point("copy-fence-note", Edge::after);
  fence::SourceFence fence(run_.source());
  const auto patience = std::max(std::chrono::seconds(1), duration_cast<std::chrono::seconds>(options_.timeout / 2));
  fence.raise(patience);
  fence.end_open_writes(options_.drain, std::max(milliseconds(0), options_.timeout - patience), run_.log());
  const auto position = fence.final_position();
  stop_point("copy-fence", Edge::after);
  run_.log().info("fence: the source takes no writes from here on; its log stands at " + position.text());
  if (run_.phase() > Phase::provisioned || run_.fact(position_note)) {
    if (!moved_since_copy(run_, position) && !run_.poisoned()) {
      run_.log().info("the source's log has not moved since the copy began: it is gone on with");
      return;
    }
    run_.log().info("what was copied earlier is not what the source holds now: the copy begins anew");
    run_.note(position_note, "");
    run_.discard_copy();
    stop_point("copy-discarded", Edge::after);
  }
  run_.note(position_note, mark(run_, position));
}

void FencedCopy::execute(std::stop_token stop) {
  run_.advance(ahead_of_fence(run_.way()), stop);
  look_ahead();
  try {
    fence();
    run_.advance(Until::armed, std::move(stop));
  } catch (const Failure& failure) {
    run_.record("copy-failed", failure.what());
    back_out();
    throw failure.within("the copy under the fence was given up, the source takes writes again");
  }
}

/// A target that is away, as a clone may leave it, is no reason to keep the source fenced.
void FencedCopy::renew_sessions() {
  try {
    run_.reconnect();
  } catch (const Failure& failure) {
    if (failure.kind() != FailureKind::transient) throw;
    run_.log().warn(failure.what());
  }
}

void FencedCopy::back_out() {
  run_.forget_comparison();
  for (unsigned tries = 0;; ++tries) {
    try {
      renew_sessions();
      // What an earlier process has sent could raise it again.
      end_other_sessions(run_.source(), run_.id(), run_.options().source.process);
      fence::SourceFence fence(run_.source());
      fence.lower();
      if (fence.up()) throw Failure(FailureKind::source, "the source still refuses writes");
      break;
    } catch (const Failure& failure) {
      if (tries == back_out_tries)
        throw Failure(FailureKind::needs_operator,
                      std::string("the source may still refuse writes, and does not let the fence be lowered: ") +
                          failure.what() + ". Run `reseal start` when it answers: it lowers the fence");
      run_.log().warn(std::string("lowering the fence: ") + failure.what());
      std::this_thread::sleep_for(ask_again_after);
    }
  }
  stop_point("copy-fence-lowered", Edge::after);
  run_.note(fenced_for_copy_note, "no");
  run_.record("copy-fence", "lowered: the source takes writes again");
  run_.log().info("the source takes writes again");
}

}  // namespace reseal::run

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "run/run.hpp"

namespace reseal::run {

/// In the journal, once the record of who serves was dropped.
inline constexpr const char* record_dropped_note = "record_dropped";

/// One thing that `finish` does. What is done is read from the servers each time, so a finish that was killed anywhere
/// goes on when it is run again.
struct FinishItem {
  std::string what;
  std::string where;    ///< server and place
  std::string why;      ///< why it is safe now
  std::string by_hand;  ///< the statements that do it by hand; empty when there are none
  bool done = false;
  std::string failed;  ///< why it could not be done
};

/// What `finish` leaves on purpose, or cannot reach.
struct Remainder {
  std::string what;
  std::string by_hand;
};

struct FinishReport {
  bool executed = false;
  std::vector<FinishItem> items;
  std::vector<Remainder> remains;  ///< of the run
  std::vector<Remainder> clear;    ///< where the data still lie in clear text
  std::string source_writes;       ///< of others, past the source's fence; empty when none were seen

  std::size_t left() const;  ///< items that are not done
};

/// Ends a run whose target serves: the way back is given up for good, and what the move left on both servers is cleared
/// away. What proxies read to learn who serves stays. Made for one finish, in one thread.
class Finish {
 public:
  explicit Finish(Run& run);
  /// What would be done; changes nothing. Throws Failure(refused) when the run cannot be finished: the source serves, a
  /// switch was cut off, a proxy serves the source, the target is not encrypted, others have written on the source.
  FinishReport look();
  /// Does what is not done yet. An item that a server refuses is left, with its reason, and the others are done. Throws
  /// Failure(transient) when a server is away: run it again.
  FinishReport execute();
  /// Drops the record of who serves on the target, which proxies read when they start with both servers; from then on
  /// they have to ask the source. The run cannot be opened any more. Throws Failure(refused), with nothing changed,
  /// when not everything that `execute` does is done. Killed within, it can be run again.
  void drop_record();

 private:
  struct Step {
    FinishItem item;
    std::function<bool()> is_done;
    std::function<void()> act;
  };
  void check();
  std::vector<Step> steps();
  Step end_the_way_back();
  Step tell_the_source();
  Step clear_the_source();
  Step fence_the_source();
  Step clear_the_target();
  Step drop_the_follow_account();
  std::vector<Remainder> remains();
  std::vector<Remainder> in_clear_text();

  Run& run_;
  std::string source_writes_;
};

std::string render_text(const FinishReport& report);
std::string render_json(const FinishReport& report, const std::string& run_id);

}  // namespace reseal::run

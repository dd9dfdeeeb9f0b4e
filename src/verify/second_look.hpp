// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "mysql/session.hpp"
#include "sql/table.hpp"
#include "verify/report.hpp"
#include "verify/row_hash.hpp"

namespace reseal::verify {

/// Blocks until the follow has applied everything that the source had committed when this was called. Throws Failure
/// when that cannot come, and returns early when stopped.
using WaitUntilFollowed = std::function<void(std::stop_token)>;

struct LookOptions {
  unsigned looks = 5;          ///< before a suspect is called unsettled
  unsigned rounds = 4;         ///< readings of both sides within one look
  unsigned confirmations = 2;  ///< still looks in a row that make a difference
  std::size_t keys_per_query = 500;
};

/// A row that was not the same on both sides when it was first read.
struct Suspect {
  const sql::Table* table = nullptr;
  std::string key;  ///< as encode_key gives it
};

struct Verdicts {
  std::vector<Difference> differences;
  std::vector<Suspect> unsettled;
};

/// What one suspect showed over the looks. Pure: the machine behind `settle`, fed with readings in the order in which
/// they were made. A reading is the row's hash, or nothing for a row that was not there.
///
/// What may be concluded. One look is
///     S0, wait until the follow has passed what was committed at S0, then T1, S1, T2, S2, … (rounds)
/// with S readings of the source row and T readings of the target row. Take the target to be right, that is, at every
/// moment after the wait it holds a version that the source row had at or after S0.
///
///  - Equal, when a T equals an S of the same look. The row held on the target is a version that the source had no
///    earlier than S0, which is all that a look at a moving row can show. An S of an *earlier* look proves nothing: a
///    lost update leaves exactly such a version behind.
///  - Different, when over one look all S are the same version v, all T are the same version w, and v is not w, and the
///    next look shows v and w again (`confirmations`). If the source row did not change between S0 and the last S, the
///    only version at or after S0 is v, so a right target cannot show w: the conclusion is exact. The one way to be
///    misled is a row that went from v to w and back to v between two S (values that return: a flag that flips). Then w
///    must have been on the target at every T, and v on the source at every S, in each of `rounds` × `confirmations`
///    alternating readings, while the row kept changing. This is why one pair of equal S is not enough, and why
///    rounds and looks are not merely repeated on failure.
///  - Otherwise the row is moving: look again. A row that never settles is reported as unsettled, never as equal.
class SuspectMachine final {
 public:
  using Reading = std::optional<RowHash>;
  explicit SuspectMachine(unsigned confirmations) : confirmations_(confirmations) {}

  enum class State { open, equal, different };
  State state() const { return state_; }

  /// S0: the reading of the source before the wait.
  void begin_look(const Reading& source);
  void read_target(const Reading& target);
  void read_source(const Reading& source);
  void end_look();

  /// Only for a different one.
  Difference::Kind kind() const;

 private:
  void compare(const std::vector<Reading>& readings, const Reading& with);
  bool still() const;

  unsigned confirmations_;
  State state_ = State::open;
  std::vector<Reading> source_;  ///< of this look; each version once
  std::vector<Reading> target_;
  std::optional<std::pair<Reading, Reading>> still_pair_;  ///< of the looks before this one
  unsigned still_looks_ = 0;
};

/// Looks at the suspects again until each is judged. Returns early with an incomplete answer when stopped: the caller
/// must not use it then.
Verdicts settle(mysql::Session& source, mysql::Session& target, const std::vector<Suspect>& suspects,
                const WaitUntilFollowed& wait_until_followed, const LookOptions& options, std::stop_token stop);

}  // namespace reseal::verify

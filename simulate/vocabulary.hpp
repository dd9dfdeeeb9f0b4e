// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bitset>
#include <cstdint>
#include <string_view>

namespace reseal::simulate {

using Millis = std::uint32_t;  ///< virtual time since the run's beginning
constexpr Millis never = ~Millis{0};

enum class Side : std::uint8_t { source, target };
constexpr Side other(Side side) { return side == Side::source ? Side::target : Side::source; }
constexpr std::string_view name(Side side) { return side == Side::source ? "source" : "target"; }

/// The clients' rows, each by the number of the operation that wrote it.
constexpr unsigned most_operations = 128;
using Rows = std::bitset<most_operations>;

/// Who takes turns. A follow is a thread of its tool, a settler one of its proxy.
enum Actor : std::uint8_t {
  tool_0,
  tool_1,
  follow_0,
  follow_1,
  settler_0,
  settler_1,
  client_0,
  client_1,
  rogue,
  operator_,
  actors
};
std::string_view name(Actor actor);

/// What a server or a proxy is asked for, statement by statement, and what a tool does by itself.
enum class Order : std::uint8_t {
  connect,
  // Sessions and the lock of tools.
  get_lock,
  check_lock,
  end_lost,
  end_others,
  // The record, on the target.
  begin_attempt,
  read_attempt,
  read_decision,
  read_closed,
  read_switched,
  read_backed_out,
  write_decision,
  write_closed,
  read_outcome,
  set_switched,
  set_backed_out,
  door_look,
  door_open,
  door_close,
  // The fence.
  raise,
  look_fence,
  look_open,
  super_off,
  read_only_off,
  persist_read_only,
  forget_super,
  forget_read_only,
  open_writers,
  end_writers,
  position,
  // The standby.
  create_triggers,
  drop_triggers,
  read_rows,
  touch,
  lanes_epoch,
  begin_lanes,
  read_lanes,
  apply,
  // Clients.
  write,
  commit,
  // The proxies' control sockets.
  proxy_status,
  proxy_hold,
  proxy_move,
  proxy_release,
  // By the tool itself.
  note_fence,
  note_triggers,
  await_follow,
  stop_follow,
  start_follow,
  hook
};
std::string_view name(Order order);

enum class Error : std::uint8_t { none, lost, refused, read_only, duplicate, lock_taken, timed_out };

struct Answer {
  Error error = Error::none;
  std::uint32_t value = 0;
  std::uint32_t more = 0;
  Rows rows{};
  bool ok() const { return error == Error::none; }
};

/// What is checked. The first break ends a run.
enum class Property : std::uint8_t {
  none,
  two_writers,        ///< both servers take clients' writes
  commit_elsewhere,   ///< a client's commit on the side that does not serve by the record
  decided_once,       ///< an epoch's row was written twice, or for an attempt that is not the latest
  position_unfenced,  ///< the log went on after its last position had been read
  opened_elsewhere,   ///< the side that does not serve was opened: a fence lowered after the decision, or before it
  unequal_at_flip,    ///< the decision, and the standby does not hold the log up to the position
  applied_twice,      ///< a write was applied again
  applied_elsewhere,  ///< the follow wrote on a side that serves, or where triggers fire
  unread_ack,         ///< a transaction does not find a write that was acknowledged before
  settled_again,      ///< a proxy acts on an attempt that was known to be over when it asked
  told_wrongly,       ///< a proxy lets sessions go on where nothing is taken
  quiet_was_not,      ///< a proxy said that no transaction is left, and the fence hit one
  differs,            ///< the tool's own comparison found rows that differ
  ack_lost,           ///< at the end
  illegal_end,        ///< at the end neither of the two legal states
  held_forever,       ///< at the end a client is not served, or the tool does not come to an end
  count
};
std::string_view name(Property property);

/// Mistakes that can be planted, to see that the properties find them. A number, so that a seed and a mistake name a
/// run.
enum class Mistake : std::uint8_t {
  none,
  position_first,
  open_writers,
  drain_skipped,
  not_frozen,
  no_second_look,
  open_early,
  release_early,
  unknown_is_none,
  unknown_is_made,
  asked_not_closed,
  decided_blindly_again,
  decision_overwritten,
  closing_overwrites,
  unanswered_left,
  others_not_ended,
  folder_not_locked,
  door_shut_blindly,
  fence_not_noted,
  triggers_left,
  lease_guesses_source,
  lease_guesses_target,
  lease_leaves_tool,
  lease_sees_half_a_fence,
  start_unread,
  settles_stale_attempt,
  settler_unnamed,
  over_too_early,
  over_to_the_tool_too_early,
  over_unread,
  no_lease,
  hold_does_not_wait,
  fence_not_persisted,
  standby_not_persisted,
  standby_gap,
  progress_apart,
  progress_unguarded,
  feed_begins_late,
  count
};
std::string_view name(Mistake mistake);
/// Several things must go wrong in one run before it shows: found once in thousands of runs.
bool shows_seldom(Mistake mistake);

}  // namespace reseal::simulate

// SPDX-License-Identifier: Apache-2.0
#include "simulate/vocabulary.hpp"

#include <array>

namespace reseal::simulate {
namespace {

using namespace std::string_view_literals;

constexpr std::array<std::string_view, actors> actor_names = {
    "tool 0",   "tool 1",   "follow 0", "follow 1", "proxy 0's settler", "proxy 1's settler",
    "client 0", "client 1", "rogue",    "operator"};

constexpr std::array order_names = {
    "connect"sv,         "get-lock"sv,         "check-lock"sv,    "end-lost"sv,      "end-others"sv,
    "begin-attempt"sv,   "read-attempt"sv,     "read-decision"sv, "read-closed"sv,   "read-switched"sv,
    "read-backed-out"sv, "write-decision"sv,   "write-closed"sv,  "read-outcome"sv,  "set-switched"sv,
    "set-backed-out"sv,  "door-look"sv,        "door-open"sv,     "door-close"sv,    "raise"sv,
    "look-fence"sv,      "look-open"sv,        "super-off"sv,     "read-only-off"sv, "persist-read-only"sv,
    "forget-super"sv,    "forget-read-only"sv, "open-writers"sv,  "end-writers"sv,   "position"sv,
    "create-triggers"sv, "drop-triggers"sv,    "read-rows"sv,     "touch"sv,         "lanes-epoch"sv,
    "begin-lanes"sv,     "read-lanes"sv,       "apply"sv,         "write"sv,         "commit"sv,
    "proxy-status"sv,    "proxy-hold"sv,       "proxy-move"sv,    "proxy-release"sv, "note-fence"sv,
    "note-triggers"sv,   "await-follow"sv,     "stop-follow"sv,   "start-follow"sv,  "hook"sv};
static_assert(order_names.size() == static_cast<std::size_t>(Order::hook) + 1);

constexpr std::array property_names = {"none"sv,
                                       "two-writers"sv,
                                       "commit-elsewhere"sv,
                                       "decided-once"sv,
                                       "position-unfenced"sv,
                                       "opened-elsewhere"sv,
                                       "unequal-at-flip"sv,
                                       "applied-twice"sv,
                                       "applied-elsewhere"sv,
                                       "unread-ack"sv,
                                       "settled-again"sv,
                                       "told-wrongly"sv,
                                       "quiet-was-not"sv,
                                       "differs"sv,
                                       "ack-lost"sv,
                                       "illegal-end"sv,
                                       "held-forever"sv};
static_assert(property_names.size() == static_cast<std::size_t>(Property::count));

constexpr std::array mistake_names = {"none"sv,
                                      "position-first"sv,
                                      "open-writers"sv,
                                      "drain-skipped"sv,
                                      "not-frozen"sv,
                                      "no-second-look"sv,
                                      "open-early"sv,
                                      "release-early"sv,
                                      "unknown-is-none"sv,
                                      "unknown-is-made"sv,
                                      "asked-not-closed"sv,
                                      "decided-blindly-again"sv,
                                      "decision-overwritten"sv,
                                      "closing-overwrites"sv,
                                      "unanswered-left"sv,
                                      "others-not-ended"sv,
                                      "folder-not-locked"sv,
                                      "door-shut-blindly"sv,
                                      "fence-not-noted"sv,
                                      "triggers-left"sv,
                                      "lease-guesses-source"sv,
                                      "lease-guesses-target"sv,
                                      "lease-leaves-tool"sv,
                                      "lease-sees-half-a-fence"sv,
                                      "start-unread"sv,
                                      "settles-stale-attempt"sv,
                                      "settler-unnamed"sv,
                                      "over-too-early"sv,
                                      "over-to-the-tool-too-early"sv,
                                      "over-unread"sv,
                                      "no-lease"sv,
                                      "hold-does-not-wait"sv,
                                      "fence-not-persisted"sv,
                                      "standby-not-persisted"sv,
                                      "standby-gap"sv,
                                      "progress-apart"sv,
                                      "progress-unguarded"sv,
                                      "feed-begins-late"sv};
static_assert(mistake_names.size() == static_cast<std::size_t>(Mistake::count));

}  // namespace

std::string_view name(Actor actor) { return actor < actors ? actor_names[actor] : "?"; }
std::string_view name(Order order) { return order_names[static_cast<std::size_t>(order)]; }
std::string_view name(Property property) { return property_names[static_cast<std::size_t>(property)]; }
std::string_view name(Mistake mistake) { return mistake_names[static_cast<std::size_t>(mistake)]; }

bool shows_seldom(Mistake mistake) {
  switch (mistake) {
    case Mistake::asked_not_closed:
    case Mistake::decided_blindly_again:
    case Mistake::decision_overwritten:
    case Mistake::unknown_is_none:
    case Mistake::unanswered_left:
    case Mistake::others_not_ended:
    case Mistake::folder_not_locked:
    case Mistake::door_shut_blindly:
    case Mistake::lease_leaves_tool:
    case Mistake::settles_stale_attempt:
    case Mistake::settler_unnamed:
    case Mistake::progress_unguarded:
      return true;
    default:
      return false;
  }
}

}  // namespace reseal::simulate

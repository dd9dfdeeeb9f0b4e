// SPDX-License-Identifier: Apache-2.0
#include "cutover/machine.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace reseal::cutover {
namespace {

/// Two servers, a follow and a proxy that do what a step says, as far as the rules of the switch can see them.
struct World {
  bool source_writable = true;
  bool target_writable = false;
  bool decided = false;
  bool open_writes = true;
  bool triggers = false;
  bool position_after_writes = false;
  bool follows = true;
  bool held = false;
  bool sessions_on_target = false;

  bool two_writers() const { return source_writable && target_writable; }
};

void act(Step step, World& world, Facts& facts) {
  switch (step) {
    case Step::announce:
      facts.announced = true;
      break;
    case Step::hold:
      facts.proxies_may_hold = true;
      world.held = true;
      facts.held = true;
      break;
    case Step::release:
      EXPECT_TRUE(world.decided ? world.target_writable : world.source_writable);
      world.held = false;
      world.sessions_on_target = world.decided;
      facts.proxies_may_hold = false;
      break;
    case Step::resume_follow:
      EXPECT_FALSE(world.triggers);
      world.follows = true;
      facts.follow_stopped = false;
      break;
    case Step::raise_fence:
      EXPECT_TRUE(world.held);
      facts.fence_may_stand = true;
      world.source_writable = false;
      facts.fenced = true;
      break;
    case Step::end_open_writes:
      world.open_writes = false;
      facts.writes_ended = true;
      break;
    case Step::read_position:
      world.position_after_writes = !world.source_writable && !world.open_writes;
      facts.position_read = true;
      break;
    case Step::drain:
      facts.follow_stopped = true;
      world.follows = false;
      facts.drained = true;
      break;
    case Step::align_counters:
      facts.counters_aligned = true;
      break;
    case Step::compare_changes:
      facts.changes_equal = true;
      break;
    case Step::create_triggers:
      EXPECT_FALSE(world.follows);
      facts.triggers_may_exist = true;
      world.triggers = true;
      facts.triggers_created = true;
      break;
    case Step::decide:
      world.decided = true;
      facts.decision = Decision::made;
      break;
    case Step::open_standby:
      world.target_writable = true;
      facts.standby_open = true;
      break;
    case Step::enable_events:
      facts.events_enabled = true;
      break;
    case Step::run_hook:
      facts.hook_done = true;
      break;
    case Step::drop_triggers:
      world.triggers = false;
      facts.triggers_may_exist = false;
      break;
    case Step::lower_fence:
      world.source_writable = true;
      facts.fence_may_stand = false;
      facts.fenced = false;
      break;
    case Step::ask_decision:
      facts.decision = world.decided ? Decision::made : Decision::none;
      break;
    case Step::finished:
    case Step::given_up:
      break;
  }
}

/// What a restarted tool knows: durable notes and what it reads from the servers.
Facts after_restart(const World& world, const Facts& before) {
  Facts facts;
  facts.decision = world.decided ? Decision::made : Decision::unknown;
  facts.standby_open = world.target_writable;
  facts.fence_may_stand = before.fence_may_stand;
  facts.triggers_may_exist = world.triggers;
  facts.failed = !world.decided;
  facts.proxies_may_hold = true;
  return facts;
}

struct End {
  World world;
  Step last;
};

/// Runs to the end; `disturb` may fail or kill at each step, before or after it acts.
End run(const std::function<void(int count, bool acted, World&, Facts&)>& disturb) {
  World world;
  Facts facts;
  for (int count = 0; count < 60; ++count) {
    const auto step = next_step(facts);
    if (step == Step::finished || step == Step::given_up) return {world, step};
    disturb(count, false, world, facts);
    if (next_step(facts) != step) continue;
    act(step, world, facts);
    disturb(count, true, world, facts);
    EXPECT_FALSE(world.two_writers());
    EXPECT_TRUE(!world.target_writable || world.decided);
    EXPECT_TRUE(!world.decided || world.position_after_writes);
  }
  ADD_FAILURE() << "the switch does not end";
  return {world, Step::given_up};
}

void expect_legal(const End& end) {
  if (end.world.decided) {
    EXPECT_EQ(end.last, Step::finished);
    EXPECT_TRUE(end.world.target_writable);
    EXPECT_FALSE(end.world.source_writable);
    EXPECT_TRUE(end.world.sessions_on_target);
  } else {
    EXPECT_EQ(end.last, Step::given_up);
    EXPECT_TRUE(end.world.source_writable);
    EXPECT_FALSE(end.world.target_writable);
    EXPECT_FALSE(end.world.triggers);
    EXPECT_FALSE(end.world.sessions_on_target);
  }
  EXPECT_FALSE(end.world.held);
}

TEST(machine, goes_forward_to_the_target) {
  const auto end = run([](int, bool, World&, Facts&) {});
  EXPECT_EQ(end.last, Step::finished);
  expect_legal(end);
}

TEST(machine, a_failure_at_any_step_ends_in_one_of_the_two_legal_states) {
  for (int at = 0; at < 16; ++at)
    for (const bool acted : {false, true})
      expect_legal(run([&](int count, bool after, World&, Facts& facts) {
        if (count == at && after == acted) facts.failed = true;
      }));
}

TEST(machine, a_kill_at_any_two_steps_ends_in_one_of_the_two_legal_states) {
  for (int first = 0; first < 22; ++first)
    for (int second = 0; second < 22; ++second)
      for (const bool acted : {false, true})
        expect_legal(run([&](int count, bool after, World& world, Facts& facts) {
          if ((count != first && count != second) || after != acted) return;
          facts = after_restart(world, facts);
          world.follows = false;
        }));
}

TEST(machine, an_unanswered_decision_is_asked_for_and_never_guessed) {
  for (const bool arrived : {false, true}) {
    Facts facts;
    facts.decision = Decision::unknown;
    facts.failed = true;
    facts.fence_may_stand = true;
    EXPECT_EQ(next_step(facts), Step::ask_decision);
    facts.decision = arrived ? Decision::made : Decision::none;
    EXPECT_EQ(next_step(facts), arrived ? Step::open_standby : Step::lower_fence);
  }
}

}  // namespace
}  // namespace reseal::cutover

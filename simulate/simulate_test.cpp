// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "simulate/campaign.hpp"

namespace reseal::simulate {
namespace {

TEST(simulate, a_seed_names_a_run) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto lines = trace(seed, Mistake::none);
    EXPECT_GT(lines.size(), 1000U);
    EXPECT_EQ(lines, trace(seed, Mistake::none));
    EXPECT_NE(lines, trace(seed + 1, Mistake::none));
  }
}

TEST(simulate, findings_do_not_depend_on_the_threads) {
  const auto one = simulate(1, 600, Mistake::fence_not_persisted, 1);
  const auto three = simulate(1, 600, Mistake::fence_not_persisted, 3);
  ASSERT_TRUE(one.first && three.first);
  EXPECT_EQ(one.broken, three.broken);
  EXPECT_EQ(one.by, three.by);
  EXPECT_EQ(one.first->seed, three.first->seed);
  EXPECT_EQ(one.first->why, three.first->why);
  EXPECT_EQ(one.coverage.events, three.coverage.events);
  EXPECT_EQ(one.coverage.killed_at, three.coverage.killed_at);
}

TEST(simulate, a_found_mistake_is_found_again_by_its_seed) {
  const auto found = simulate(1, 600, Mistake::lease_guesses_target, 2);
  ASSERT_TRUE(found.first);
  const auto again = simulate(found.first->seed, 1, Mistake::lease_guesses_target, 1);
  ASSERT_TRUE(again.first);
  EXPECT_EQ(again.first->property, found.first->property);
  EXPECT_NE(trace(found.first->seed, Mistake::lease_guesses_target).find("BROKEN"), std::string::npos);
}

}  // namespace
}  // namespace reseal::simulate

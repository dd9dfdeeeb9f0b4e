// SPDX-License-Identifier: Apache-2.0
#include "verify/second_look.hpp"

#include <gtest/gtest.h>

#include <random>

namespace reseal::verify {
namespace {

using State = SuspectMachine::State;
using Reading = SuspectMachine::Reading;

Reading version(std::uint8_t number) {
  RowHash hash{};
  hash[0] = number;
  return hash;
}
const Reading absent;

/// One look of two rounds.
void look(SuspectMachine& machine, Reading s0, Reading t1, Reading s1, Reading t2, Reading s2) {
  machine.begin_look(s0);
  machine.read_target(t1);
  machine.read_source(s1);
  machine.read_target(t2);
  machine.read_source(s2);
  machine.end_look();
}

TEST(SuspectMachine, a_row_that_arrived_meanwhile_is_equal) {
  SuspectMachine machine(2);
  machine.begin_look(version(1));
  machine.read_target(version(1));
  EXPECT_EQ(machine.state(), State::equal);
}

TEST(SuspectMachine, one_still_look_is_not_enough) {
  SuspectMachine machine(2);
  look(machine, version(1), version(2), version(1), version(2), version(1));
  EXPECT_EQ(machine.state(), State::open);
  look(machine, version(1), version(2), version(1), version(2), version(1));
  EXPECT_EQ(machine.state(), State::different);
  EXPECT_EQ(machine.kind(), Difference::Kind::differs);
}

TEST(SuspectMachine, says_on_which_side_a_row_is_missing) {
  SuspectMachine missing(1);
  look(missing, version(1), absent, version(1), absent, version(1));
  EXPECT_EQ(missing.kind(), Difference::Kind::only_on_source);
  SuspectMachine extra(1);
  look(extra, absent, version(1), absent, version(1), absent);
  EXPECT_EQ(extra.kind(), Difference::Kind::only_on_target);
}

TEST(SuspectMachine, a_row_that_is_gone_on_both_sides_is_equal) {
  SuspectMachine machine(2);
  machine.begin_look(absent);
  machine.read_target(absent);
  EXPECT_EQ(machine.state(), State::equal);
}

TEST(SuspectMachine, a_source_that_changes_within_a_look_is_no_difference) {
  SuspectMachine machine(1);
  look(machine, version(1), version(9), version(2), version(9), version(3));
  EXPECT_EQ(machine.state(), State::open);
}

TEST(SuspectMachine, a_source_that_changes_between_looks_starts_again) {
  SuspectMachine machine(2);
  look(machine, version(1), version(9), version(1), version(9), version(1));
  look(machine, version(2), version(9), version(2), version(9), version(2));
  EXPECT_EQ(machine.state(), State::open);
  look(machine, version(2), version(9), version(2), version(9), version(2));
  EXPECT_EQ(machine.state(), State::different);
}

TEST(SuspectMachine, a_version_of_an_earlier_look_on_the_target_is_not_equal) {
  // The update 1 → 2 was lost: the target keeps 1, which an earlier look saw on the source.
  SuspectMachine machine(2);
  look(machine, version(1), version(8), version(1), version(8), version(1));
  look(machine, version(2), version(1), version(2), version(1), version(2));
  EXPECT_EQ(machine.state(), State::open);
  look(machine, version(2), version(1), version(2), version(1), version(2));
  EXPECT_EQ(machine.state(), State::different);
}

TEST(SuspectMachine, a_hot_row_is_equal_once_the_target_shows_a_version_of_the_same_look) {
  SuspectMachine machine(2);
  machine.begin_look(version(1));
  machine.read_target(version(3));
  machine.read_source(version(4));
  machine.read_target(version(4));
  EXPECT_EQ(machine.state(), State::equal);
}

// A right target replays the source's versions with a delay that shrinks below the wait's position. Whatever the row
// does (versions that return included), it must hardly ever be called different, and a frozen target always must.
TEST(SuspectMachine, random_histories_never_condemn_a_right_target) {
  std::mt19937 random(1);
  int condemned = 0;
  for (int history = 0; history < 20000; ++history) {
    std::vector<std::uint8_t> versions(200);
    const auto stay = random() % 8;
    for (std::size_t i = 1; i < versions.size(); ++i)
      versions[i] = random() % (stay + 1) == 0 ? static_cast<std::uint8_t>(random() % 4) : versions[i - 1];
    SuspectMachine machine(2);
    std::size_t now = 0;
    for (int one_look = 0; one_look < 3 && machine.state() == State::open; ++one_look) {
      machine.begin_look(version(versions[now]));
      auto applied = now;
      now += random() % 10;
      for (int round = 0; round < 4; ++round) {
        applied += random() % (now - applied + 1);
        machine.read_target(version(versions[applied]));
        now += random() % 5;
        machine.read_source(version(versions[now]));
      }
      machine.end_look();
    }
    condemned += machine.state() == State::different ? 1 : 0;
  }
  EXPECT_EQ(condemned, 0);
}

}  // namespace
}  // namespace reseal::verify

// SPDX-License-Identifier: Apache-2.0
#include "rds/waiting.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "base/failure.hpp"
#include "rds/clock_for_tests.hpp"

namespace reseal::rds {
namespace {

using base::FailureKind;
using testing::ElementsAre;
using testing::HasSubstr;

std::optional<DbInstance> instance(const std::string& status) {
  DbInstance found;
  found.status = status;
  found.address = "host";
  return found;
}

std::optional<DbSnapshot> snapshot(const std::string& status, int percent = 0) {
  DbSnapshot found;
  found.status = status;
  found.percent_progress = percent;
  return found;
}

struct Waiting : testing::Test {
  ClockForTests time;
  WaitOptions options;
  std::stop_source stop;
  std::deque<std::optional<DbInstance>> looks;

  /// The kind of the failure, or nothing when the state was reached.
  std::optional<FailureKind> wait() {
    try {
      wait_until(
          "the instance x",
          [this] {
            const auto now = looks.front();
            if (looks.size() > 1) looks.pop_front();
            return judge_available(now);
          },
          options, time.clock(), stop.get_token());
      return std::nullopt;
    } catch (const base::Failure& failure) {
      text = failure.what();
      return failure.kind();
    }
  }
  std::string text;
};

TEST_F(Waiting, what_was_just_made_may_be_unseen_at_first) {
  looks = {std::nullopt, instance("creating"), instance("backing-up"), instance("available")};
  EXPECT_EQ(wait(), std::nullopt);
  EXPECT_EQ(time.waits.size(), 3U);
}

TEST_F(Waiting, what_vanishes_has_failed) {
  looks = {instance("creating"), std::nullopt};
  EXPECT_EQ(wait(), FailureKind::source);
  EXPECT_THAT(text, HasSubstr("the instance x is not there"));
}

TEST_F(Waiting, a_dead_end_ends_it_at_once) {
  for (const auto* status : {"failed", "incompatible-parameters", "restore-error", "deleting", "storage-full",
                             "inaccessible-encryption-credentials", "insufficient-capacity"}) {
    looks = {instance("creating"), instance(status)};
    EXPECT_EQ(wait(), FailureKind::source) << status;
  }
}

TEST_F(Waiting, available_has_to_last) {
  options.stable_looks = 3;
  looks = {instance("available"), instance("modifying"), instance("available"), instance("available"),
           instance("available")};
  EXPECT_EQ(wait(), std::nullopt);
  EXPECT_EQ(time.waits.size(), 4U);
}

TEST_F(Waiting, the_deadline_leaves_it_to_another_run) {
  options.longest = std::chrono::minutes(30);
  looks = {instance("creating")};
  EXPECT_EQ(wait(), FailureKind::transient);
  EXPECT_THAT(text, HasSubstr("still creating after 30 min"));
  EXPECT_EQ(time.waits.size(), 120U);
}

TEST_F(Waiting, a_stop_is_heard) {
  looks = {instance("creating")};
  time.at_wait = [this] {
    if (time.waits.size() == 2) stop.request_stop();
  };
  EXPECT_EQ(wait(), FailureKind::interrupted);
  EXPECT_EQ(time.waits.size(), 2U);
}

TEST_F(Waiting, each_change_is_told_once) {
  std::vector<std::string> told;
  options.tell = [&](const std::string& line) { told.push_back(line); };
  looks = {instance("creating"), instance("creating"), instance("available")};
  EXPECT_EQ(wait(), std::nullopt);
  EXPECT_THAT(told, ElementsAre("the instance x: creating", "the instance x: available"));
}

TEST(Judge, an_instance_without_an_endpoint_is_not_available_yet) {
  auto bare = instance("available");
  bare->address.clear();
  EXPECT_EQ(judge_available(bare).kind, Verdict::Kind::not_yet);
}

TEST(Judge, a_snapshot_shows_its_progress) {
  EXPECT_EQ(judge_available(snapshot("creating", 40)).seen, "creating, 40 %");
  EXPECT_EQ(judge_available(snapshot("creating", 100)).kind, Verdict::Kind::not_yet);
  EXPECT_EQ(judge_available(snapshot("available", 100)).kind, Verdict::Kind::reached);
  EXPECT_EQ(judge_available(snapshot("failed")).kind, Verdict::Kind::failed);
}

TEST(Judge, a_deletion_that_nobody_carries_out_has_failed) {
  EXPECT_EQ(judge_deleted(std::optional<DbInstance>()).kind, Verdict::Kind::reached);
  EXPECT_EQ(judge_deleted(instance("deleting")).kind, Verdict::Kind::not_yet);
  EXPECT_EQ(judge_deleted(instance("available")).kind, Verdict::Kind::failed);
  EXPECT_EQ(judge_deleted(snapshot("deleted")).kind, Verdict::Kind::reached);
  EXPECT_EQ(judge_deleted(snapshot("available")).kind, Verdict::Kind::failed);
}

}  // namespace
}  // namespace reseal::rds

// SPDX-License-Identifier: Apache-2.0
// A follower beside the target's own replication: it must know every changed key and where the target is.
#include <optional>
#include <set>
#include <thread>

#include "follow/channel_fixture_for_tests.hpp"
#include "follow/channel_sink.hpp"
#include "follow/follower.hpp"

namespace reseal::follow {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr auto patience = 120s;

/// A follower in a thread; its failure, if any, is kept.
class Following {
 public:
  Following(mysql::Endpoint source, SinkMaker sinks, FollowScope scope, ChangedKeys& changed, base::Log& log)
      : follower_(std::move(source), std::move(sinks), std::move(scope), 900'100, changed, log),
        thread_([this](std::stop_token stop) {
          try {
            follower_.run(stop);
          } catch (const Failure& failure) {
            const std::lock_guard lock(mutex_);
            failure_ = failure;
            failed_.notify_all();
          }
        }) {}

  void expect_reaches(const sql::SourcePosition& position) {
    EXPECT_TRUE(follower_.wait_until(position, {}, patience)) << position.text();
  }
  Failure failure() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(failed_.wait_for(lock, patience, [this] { return failure_.has_value(); }));
    return failure_.value_or(Failure(FailureKind::local, "it did not fail"));
  }
  FollowStatus status() const { return follower_.status(); }

 private:
  Follower follower_;
  std::mutex mutex_;
  std::condition_variable failed_;
  std::optional<Failure> failure_;
  std::jthread thread_;
};

class ChannelFollow : public ChannelServers {
 protected:
  void SetUp() override {
    ChannelServers::SetUp();
    auto session = source_server().connect(Side::source);
    tables_ = mysql::read_tables(session, {"app"});
    sinks_ = waiting_for_channel(target_server().endpoint(), by_gtid(), log_);
    NativeChannel channel(target_server().endpoint());
    channel.configure(from_, start_);
    channel.start();
  }

  /// Returns once it has begun: what the channel does before a first sink looks is not its business.
  std::unique_ptr<Following> follow(std::size_t batch_bytes = 8 << 20) {
    FollowScope scope;
    scope.tables = &tables_;
    scope.by_gtid = by_gtid();
    scope.batch_bytes = batch_bytes;
    auto following = std::make_unique<Following>(source_server().endpoint(), sinks_, scope, changed_, log_);
    following->expect_reaches(end_of_source());
    return following;
  }

  std::set<int> changed_ids() {
    std::set<int> ids;
    for (const auto& [table, keys] : changed_.snapshot().keys)
      for (const auto& key : keys) ids.insert(std::stoi(key.at(0)));
    return ids;
  }
  /// One transaction a row.
  void insert(int from, int to) {
    auto session = source_server().connect(Side::source);
    for (int id = from; id < to; ++id) session.execute("INSERT INTO app.t VALUES (" + std::to_string(id) + ", 'new')");
  }
  static std::set<int> range(int from, int to) {
    std::set<int> ids;
    for (int id = from; id < to; ++id) ids.insert(id);
    return ids;
  }
  /// Until a sink has asked the target again and again: it waits for a batch.
  void expect_sink_looks() {
    auto session = target_server().connect(Side::target);
    const auto looks = [&] {
      return std::stoull(*session.query("SHOW GLOBAL STATUS LIKE 'Com_show_replica_status'").at(0).at(1));
    };
    const auto first = looks();
    for (int look = 0; look < 1200; ++look) {
      if (looks() > first + 3) return;
      std::this_thread::sleep_for(100ms);
    }
    ADD_FAILURE() << "nobody waits for the target";
  }
  /// Until the channel itself has executed all that the source holds.
  void wait_for_channel() {
    const auto end = end_of_source();
    NativeChannel channel(target_server().endpoint());
    for (int look = 0; look < 1200; ++look) {
      const auto executed = channel.status().executed;
      if (by_gtid() ? executed.gtids.contains(end.gtids) : executed.binlog >= end.binlog) return;
      std::this_thread::sleep_for(100ms);
    }
    ADD_FAILURE() << "the channel did not get to the source's end";
  }

  base::Log log_{base::Log::Level::quiet};
  std::vector<sql::Table> tables_;
  ChangedKeys changed_;
  SinkMaker sinks_;
};

TEST_P(ChannelFollow, rows_come_by_the_channel_and_the_changed_keys_are_known) {
  auto following = follow();
  EXPECT_TRUE(changed_ids().empty());
  on_source("UPDATE app.t SET v='x' WHERE id IN (1,2)");
  on_source("DELETE FROM app.t WHERE id=3");
  on_source("INSERT INTO app.t VALUES (20,'20')");
  on_source("UPDATE app.t SET id=40 WHERE id=4");
  following->expect_reaches(end_of_source());
  expect_same_rows();
  EXPECT_EQ(changed_ids(), (std::set<int>{1, 2, 3, 4, 20, 40}));
  EXPECT_EQ(following->status().strictness, Strictness::strict);
  EXPECT_TRUE(following->status().lag.has_value());
}

TEST_P(ChannelFollow, a_key_is_told_only_once_the_target_has_the_row) {
  auto following = follow();
  auto holder = target_server().connect(Side::target);
  holder.execute("START TRANSACTION");
  holder.execute("SELECT * FROM app.t WHERE id=1 FOR UPDATE");
  on_source("UPDATE app.t SET v='late' WHERE id=1");
  expect_sink_looks();
  EXPECT_TRUE(changed_ids().empty());
  for (int look = 0; look < 1200 && following->status().lag; ++look) std::this_thread::sleep_for(100ms);
  EXPECT_FALSE(following->status().lag.has_value()) << "a target that waits is no lag of a second ago";
  holder.execute("ROLLBACK");
  following->expect_reaches(end_of_source());
  EXPECT_EQ(changed_ids(), (std::set<int>{1}));
  expect_same_rows();
}

TEST_P(ChannelFollow, goes_on_when_the_target_is_killed) {
  auto following = follow();
  insert(100, 200);
  target_server().kill_hard();
  insert(200, 300);
  target_server().start_again();
  insert(300, 310);
  following->expect_reaches(end_of_source());
  expect_same_rows();
  EXPECT_EQ(changed_ids(), range(100, 310));
}

TEST_P(ChannelFollow, goes_on_when_the_source_is_killed) {
  auto following = follow();
  insert(100, 200);
  source_server().kill_hard();
  source_server().start_again();
  insert(200, 300);
  following->expect_reaches(end_of_source());
  expect_same_rows();
  EXPECT_EQ(changed_ids(), range(100, 300));
}

TEST_P(ChannelFollow, keys_of_what_the_channel_did_between_two_followers_are_not_left_out) {
  follow();
  on_source("UPDATE app.t SET v='between' WHERE id=7");
  wait_for_channel();
  auto following = follow();
  EXPECT_EQ(changed_ids(), (std::set<int>{7}));
}

TEST_P(ChannelFollow, a_channel_that_somebody_stopped_is_started) {
  NativeChannel(target_server().endpoint()).stop();
  auto following = follow();
  insert(100, 110);
  following->expect_reaches(end_of_source());
  NativeChannel(target_server().endpoint()).stop();
  insert(110, 120);
  following->expect_reaches(end_of_source());
  expect_same_rows();
  EXPECT_EQ(changed_ids(), range(100, 120));
}

TEST_P(ChannelFollow, a_row_that_went_behind_its_back_is_a_divergence_without_row_values) {
  auto following = follow();
  on_target("DELETE FROM app.t WHERE id=2");
  on_source("UPDATE app.t SET v='canary-5821' WHERE id=2");
  const auto failure = following->failure();
  EXPECT_EQ(failure.kind(), FailureKind::divergence) << failure.what();
  EXPECT_EQ(failure.server_errno(), 1032U);
  EXPECT_THAT(failure.what(), HasSubstr("1032"));
  EXPECT_THAT(failure.what(), HasSubstr("replication_applier_status_by_worker"));
  EXPECT_THAT(failure.what(), Not(HasSubstr("canary")));
  EXPECT_TRUE(changed_ids().empty());
}

TEST_P(ChannelFollow, a_transaction_larger_than_the_memory_bound_is_waited_for_whole_and_all_its_keys_are_told) {
  auto following = follow(32 << 10);
  auto session = source_server().connect(Side::source);
  session.execute("SET SESSION cte_max_recursion_depth=100000");
  session.execute("START TRANSACTION");
  session.execute(
      "INSERT INTO app.t WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i+1 FROM n WHERE i<5999)"
      " SELECT i, REPEAT('x', 90) FROM n");
  session.execute("UPDATE app.t SET v='last' WHERE id=1");
  session.execute("COMMIT");
  following->expect_reaches(end_of_source());
  expect_same_rows();
  auto expected = range(1000, 6000);
  expected.insert(1);
  EXPECT_EQ(changed_ids(), expected);
}

TEST_P(ChannelFollow, a_schema_change_stops_the_follow_and_the_channel_with_it) {
  auto following = follow();
  on_source("ALTER TABLE app.t ADD w INT");
  const auto failure = following->failure();
  EXPECT_EQ(failure.kind(), FailureKind::unsupported) << failure.what();
  const auto status = NativeChannel(target_server().endpoint()).status();
  EXPECT_EQ(status.receiver, ChannelStatus::Receiver::stands);
  EXPECT_FALSE(status.applier_runs);
}

TEST_P(ChannelFollow, an_account_that_cannot_log_in_is_the_sources_failure) {
  NativeChannel channel(target_server().endpoint());
  from_.password = base::Secret("canary-wrong-password");
  auto following = follow();
  channel.configure(from_, start_);
  channel.start();
  insert(100, 101);
  const auto failure = following->failure();
  EXPECT_EQ(failure.kind(), FailureKind::source) << failure.what();
  EXPECT_EQ(failure.server_errno(), 1045U);
  EXPECT_THAT(failure.what(), Not(HasSubstr("canary")));
}

INSTANTIATE_TEST_SUITE_P(, ChannelFollow, ::testing::Bool(), gtid_or_place);

}  // namespace
}  // namespace reseal::follow

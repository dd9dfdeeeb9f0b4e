// SPDX-License-Identifier: Apache-2.0
// What a proxy that starts makes of an attempt to switch that is over: nothing, whatever has become of the servers
// since.
#include "run/proxied_pair_fixture_for_tests.hpp"
#include "run/target_record.hpp"

namespace reseal::run {
namespace {

class SettleAttempt : public ProxiedPair {
 protected:
  void SetUp() override {
    for (const auto side : {Serves::source, Serves::target}) {
      auto session = connect(side);
      for (const auto* statement : {"CREATE DATABASE app", "CREATE TABLE app.t (v INT)",
                                    "CREATE USER anna IDENTIFIED BY 'secret'", "GRANT ALL ON app.* TO anna"})
        session.execute(statement);
    }
    TargetRecord(record_).create();
    TargetRecord(record_).set("run_id", run_id);
    cutover::create_decision_tables(record_);
  }
  /// A session of the run, as a tool has them.
  static mysql::Session of_the_run(Serves side) {
    auto endpoint = server(side).endpoint();
    endpoint.run = run_id;
    endpoint.process = "tool";
    return mysql::Session(endpoint, mysql::Side::source);
  }
  /// A tool begins to switch, raises the fence, and dies. Its epoch.
  std::uint64_t die_under_the_fence(Serves from) {
    const auto epoch = cutover::begin_attempt(record_, run_id, from);
    auto session = of_the_run(from);
    fence::SourceFence(session).raise(5s);
    return epoch;
  }
  static void by_hand(Serves side, const char* statement) { connect(side).execute(statement); }
  static bool closed_by_hand(Serves side) { return connect(side).scalar("SELECT @@GLOBAL.read_only") == "1"; }
  std::uint64_t known_to_be_over() { return TargetRecord(record_).backed_out_epoch(); }

  static constexpr const char* run_id = "11111111-2222-3333-4444-555555555555";
  mysql::Session record_ = connect(Serves::target);
};

TEST_F(SettleAttempt, a_proxy_that_starts_again_leaves_alone_what_somebody_closed_by_hand_since) {
  for (const auto serves : {Serves::source, Serves::target}) {
    const auto epoch = die_under_the_fence(serves);
    EXPECT_EQ(settle(), serves);
    EXPECT_FALSE(closed_by_hand(serves)) << "the fence of the attempt was not lowered";
    EXPECT_EQ(known_to_be_over(), epoch);
    for (const auto* fence : {"SET GLOBAL read_only=1", "SET PERSIST super_read_only=1"}) {
      auto working = of_the_run(serves);
      by_hand(serves, fence);
      EXPECT_EQ(settle(), serves);
      EXPECT_TRUE(closed_by_hand(serves)) << fence;
      EXPECT_EQ(working.scalar("SELECT 1"), "1") << "a session of the run was ended for nothing";
      fence::SourceFence(working).lower();
    }
  }
}

TEST_F(SettleAttempt, clients_of_that_proxy_are_told_what_the_server_says) {
  die_under_the_fence(Serves::source);
  start_proxy();
  EXPECT_TRUE(Client(anna()).run("INSERT INTO app.t VALUES (1)"));
  by_hand(Serves::source, "SET GLOBAL read_only=1");
  start_proxy();
  Client client(anna());
  EXPECT_FALSE(client.run("INSERT INTO app.t VALUES (2)"));
  EXPECT_EQ(client.error(), 1290U) << client.error_text();
  by_hand(Serves::source, "SET GLOBAL read_only=0");
  EXPECT_TRUE(client.run("INSERT INTO app.t VALUES (3)")) << client.error_text();
}

TEST_F(SettleAttempt, the_next_attempt_is_settled_whatever_became_of_the_one_before) {
  die_under_the_fence(Serves::source);
  EXPECT_EQ(settle(), Serves::source);
  const auto next = die_under_the_fence(Serves::source);
  EXPECT_EQ(settle(), Serves::source);
  EXPECT_FALSE(closed_by_hand(Serves::source));
  EXPECT_EQ(known_to_be_over(), next);
}

// As after a crash between the two, or when the record was made by an earlier version.
TEST_F(SettleAttempt, one_that_is_closed_and_not_known_to_be_over_is_settled_once_more) {
  const auto epoch = die_under_the_fence(Serves::source);
  EXPECT_TRUE(cutover::close_attempts(record_, run_id));
  EXPECT_EQ(settle(), Serves::source);
  EXPECT_FALSE(closed_by_hand(Serves::source));
  EXPECT_EQ(known_to_be_over(), epoch);
}

TEST_F(SettleAttempt, one_whose_fence_cannot_be_lowered_is_not_known_to_be_over) {
  for (const auto* statement :
       {"CREATE USER powerless IDENTIFIED BY 'secret'", "GRANT SELECT ON performance_schema.* TO powerless",
        "GRANT CONNECTION_ADMIN ON *.* TO powerless"})
    by_hand(Serves::source, statement);
  die_under_the_fence(Serves::source);
  auto source = server(Serves::source).endpoint();
  source.user = "powerless";
  source.password = base::Secret("secret");
  try {
    settle_attempt(source, server(Serves::target).endpoint(), 0ms);
    FAIL() << "it lowered the fence without the right to";
  } catch (const Failure& failure) {
    EXPECT_THAT(failure.what(), testing::HasSubstr("SYSTEM_VARIABLES_ADMIN"));
  }
  EXPECT_EQ(known_to_be_over(), 0U);
  EXPECT_TRUE(closed_by_hand(Serves::source));
  EXPECT_EQ(settle(), Serves::source);
  EXPECT_FALSE(closed_by_hand(Serves::source));
  by_hand(Serves::source, "DROP USER powerless");
}

}  // namespace
}  // namespace reseal::run

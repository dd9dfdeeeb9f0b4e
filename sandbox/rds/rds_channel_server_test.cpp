// SPDX-License-Identifier: Apache-2.0
// The target's own replication by the procedures of RDS, by the master user: on a plain server that has them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <thread>

#include "base/failure.hpp"
#include "follow/channel_account.hpp"
#include "follow/channel_sink.hpp"
#include "follow/follower.hpp"
#include "follow/native_channel.hpp"
#include "mysql/schema_reader.hpp"
#include "sandbox/rds/instance_server.hpp"
#include "sandbox/rds/procedures.hpp"
#include "sandbox/test_server.hpp"

namespace reseal::sandbox::rds {
namespace {

using namespace std::chrono_literals;
using base::Failure;
using base::FailureKind;
using follow::ChannelStatus;
using follow::NativeChannel;
using mysql::Side;
using testing::HasSubstr;
using testing::Not;

constexpr auto patience = 120s;

class RdsChannel : public ::testing::TestWithParam<bool> {
 protected:
  bool by_gtid() const { return GetParam(); }

  static ServerOptions options(bool gtid) {
    ServerOptions options;
    options.gtid = gtid;
    options.buffer_pool_mib = 32;
    options.extra = {"--partial-revokes=ON", "--replicate-ignore-table=mysql.rds_history"};
    return options;
  }

  void SetUp() override {
    auto target = target_.connect(Side::target);
    mysql::without_binlog(target);
    target.execute("CREATE USER rdsadmin@localhost IDENTIFIED BY RANDOM PASSWORD");
    target.execute("GRANT ALL PRIVILEGES ON *.* TO rdsadmin@localhost WITH GRANT OPTION");
    // With GTID the names of the series 8.4, without those of 8.0.
    for (const auto& statement : procedure_statements(by_gtid() ? ProcedureNames::source : ProcedureNames::master))
      target.execute(statement);
    reset_master_user(target, {"admin", base::Secret("Master-user-1")});
    master_ = target_.endpoint();
    master_.user = "admin";
    master_.password = base::Secret("Master-user-1");

    for (const auto* statement : {"CREATE DATABASE app", "CREATE TABLE app.t (id INT PRIMARY KEY, v INT)",
                                  "INSERT INTO app.t VALUES (1,1),(2,2),(3,3)"}) {
      source_.connect(Side::source).execute(statement);
      target.execute(statement);
    }
    auto source = source_.connect(Side::source);
    from_.host = "127.0.0.1";
    from_.port = source_.port();
    from_.by_gtid = by_gtid();
    from_.password = follow::make_follow_account(source);
    start_ = end_of_source();
    if (by_gtid()) {
      target.execute("RESET BINARY LOGS AND GTIDS");
      target.execute("SET GLOBAL gtid_purged='" + start_.gtids.text() + "'");
    }
  }

  sql::SourcePosition end_of_source() {
    auto session = source_.connect(Side::source);
    auto end = mysql::binlog_end(session, mysql::server_facts(session));
    if (by_gtid()) end.gtids = mysql::gtid_executed(session);
    return end;
  }
  Failure configure_failure() {
    try {
      NativeChannel(master_).configure(from_, start_);
    } catch (const Failure& failure) {
      return failure;
    }
    ADD_FAILURE() << "nothing failed";
    return {FailureKind::local, ""};
  }

  TestServer source_{options(GetParam())};
  TestServer target_{options(GetParam())};
  mysql::Endpoint master_;
  follow::ChannelSource from_;
  sql::SourcePosition start_;
};

TEST_P(RdsChannel, the_master_user_configures_follows_stops_and_removes_by_procedures) {
  NativeChannel channel(master_);
  EXPECT_EQ(channel.dialect().channel(), "");
  EXPECT_FALSE(channel.status().exists);
  channel.remove();
  channel.configure(from_, start_);
  channel.start();

  auto session = source_.connect(Side::source);
  const auto tables = mysql::read_tables(session, {"app"});
  follow::FollowScope scope;
  scope.tables = &tables;
  scope.by_gtid = by_gtid();
  follow::ChangedKeys changed;
  base::Log log(base::Log::Level::quiet);
  {
    follow::Follower follower(source_.endpoint(), follow::waiting_for_channel(master_, by_gtid(), log), scope, 900'200,
                              changed, log);
    const std::jthread thread([&](std::stop_token stop) { follower.run(stop); });
    EXPECT_TRUE(follower.wait_until(end_of_source(), {}, patience));  // it has begun
    session.execute("UPDATE app.t SET v=20 WHERE id=2");
    session.execute("INSERT INTO app.t VALUES (4,4)");
    EXPECT_TRUE(follower.wait_until(end_of_source(), {}, patience));
  }
  EXPECT_EQ(changed.snapshot().keys.at({"app", "t"}), (std::set<sql::KeyValues>{{"2"}, {"4"}}));
  EXPECT_EQ(target_.connect(Side::target).query("SELECT * FROM app.t ORDER BY id"),
            session.query("SELECT * FROM app.t ORDER BY id"));

  channel.stop();
  auto status = channel.status();
  EXPECT_EQ(status.receiver, ChannelStatus::Receiver::stands);
  EXPECT_FALSE(status.applier_runs);
  EXPECT_EQ(status.auto_position, by_gtid());
  // Again, with a new password, from the place it has.
  from_.password = follow::make_follow_account(session);
  channel.configure(from_, start_);
  if (!by_gtid()) {
    EXPECT_EQ(channel.status().executed.binlog, status.executed.binlog);
  }
  channel.remove();
  EXPECT_FALSE(channel.status().exists);
}

TEST_P(RdsChannel, a_replication_that_is_not_ours_and_a_wish_for_checked_certificates_are_refused) {
  from_.tls = mysql::TlsMode::verify_identity;
  auto failure = configure_failure();
  EXPECT_EQ(failure.kind(), FailureKind::refused);
  EXPECT_THAT(failure.what(), HasSubstr("never checks the source's certificate"));
  from_.tls = mysql::TlsMode::required;
  target_.connect(Side::target).execute("CHANGE REPLICATION SOURCE TO SOURCE_HOST='elsewhere'");
  failure = configure_failure();
  EXPECT_EQ(failure.kind(), FailureKind::refused);
  EXPECT_THAT(failure.what(), HasSubstr("elsewhere:3306"));
  EXPECT_THAT(failure.what(), Not(HasSubstr(std::string(from_.password.reveal()))));
}

INSTANTIATE_TEST_SUITE_P(, RdsChannel, ::testing::Bool(),
                         [](const auto& setting) { return std::string(setting.param ? "by_gtid" : "by_place"); });

}  // namespace
}  // namespace reseal::sandbox::rds

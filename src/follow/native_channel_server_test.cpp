// SPDX-License-Identifier: Apache-2.0
#include <functional>
#include <thread>

#include "follow/channel_fixture_for_tests.hpp"

namespace reseal::follow {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class Channel : public ChannelServers {
 protected:
  NativeChannel channel() { return NativeChannel(target_server().endpoint()); }

  void expect_refused(const std::function<void()>& work, const std::string& why) {
    const auto failure = failure_of(work, {std::string(from_.password.reveal())});
    EXPECT_EQ(failure.kind(), FailureKind::refused) << failure.what();
    EXPECT_THAT(failure.what(), HasSubstr(why));
  }
  void expect_configure_refused(const std::string& why) {
    expect_refused([&] { channel().configure(from_, start_); }, why);
    EXPECT_FALSE(channel().status().exists);
  }
  /// `statement` on the target for as long as this lives, then `undo`.
  struct Meanwhile {
    Meanwhile(mysql::Session session, const std::string& statement, std::string undo)
        : session_(std::move(session)), undo_(std::move(undo)) {
      session_.execute(statement);
    }
    ~Meanwhile() {
      try {
        session_.execute(undo_);
      } catch (const Failure& failure) {
        ADD_FAILURE() << failure.what();
      }
    }
    Meanwhile(const Meanwhile&) = delete;
    Meanwhile& operator=(const Meanwhile&) = delete;
    mysql::Session session_;
    std::string undo_;
  };
  Meanwhile on_target_meanwhile(const std::string& statement, std::string undo) {
    return {target_server().connect(Side::target), statement, std::move(undo)};
  }
  void expect_gets_everything() {
    const auto end = end_of_source();
    auto one = channel();
    for (int look = 0; look < 1200; ++look) {
      const auto status = one.status();
      ASSERT_EQ(status.why_applier(), 0U);
      if (by_gtid() ? status.executed.gtids.contains(end.gtids) : status.executed.binlog >= end.binlog)
        return expect_same_rows();
      std::this_thread::sleep_for(100ms);
    }
    FAIL() << "the channel did not get to the source's end";
  }
};

TEST_P(Channel, is_configured_started_stopped_and_removed) {
  auto one = channel();
  EXPECT_FALSE(one.status().exists);
  one.stop();
  one.remove();
  one.configure(from_, start_);
  auto status = one.status();
  EXPECT_TRUE(status.exists);
  EXPECT_FALSE(status.applier_runs);
  EXPECT_EQ(status.host, "127.0.0.1");
  EXPECT_EQ(status.port, source_server().port());
  EXPECT_EQ(status.user, follow_account);
  EXPECT_EQ(status.auto_position, by_gtid());
  if (!by_gtid()) {
    EXPECT_EQ(status.executed.binlog, start_.binlog);
  }
  one.start();
  on_source("UPDATE app.t SET v='x'");
  expect_gets_everything();
  status = one.status();
  EXPECT_TRUE(status.applier_runs);
  EXPECT_GE(status.received.binlog, status.executed.binlog);
  one.stop();
  status = one.status();
  EXPECT_EQ(status.receiver, ChannelStatus::Receiver::stands);
  EXPECT_FALSE(status.applier_runs);
  one.remove();
  EXPECT_FALSE(one.status().exists);
}

TEST_P(Channel, configured_again_keeps_its_own_place_and_takes_the_new_password) {
  channel().configure(from_, start_);
  channel().start();
  on_source("INSERT INTO app.t VALUES (20,'20')");
  expect_gets_everything();
  {
    auto source = source_server().connect(Side::source);
    from_.password = make_follow_account(source);
  }
  channel().configure(from_, start_);
  on_source("INSERT INTO app.t VALUES (21,'21')");
  channel().start();
  expect_gets_everything();
}

TEST_P(Channel, the_connection_is_encrypted_and_the_account_can_do_nothing_else) {
  channel().configure(from_, start_);
  EXPECT_EQ(target_server()
                .connect(Side::target)
                .scalar("SELECT SSL_ALLOWED FROM performance_schema.replication_connection_configuration"
                        " WHERE CHANNEL_NAME='reseal'"),
            "YES");
  auto source = source_server().connect(Side::source);
  const auto grants = source.query("SHOW GRANTS FOR reseal_follow");
  ASSERT_EQ(grants.size(), 1U);
  EXPECT_EQ(grants[0][0], "GRANT REPLICATION SLAVE ON *.* TO `reseal_follow`@`%`");
  EXPECT_EQ(source.scalar("SELECT ssl_type FROM mysql.user WHERE user='reseal_follow'"), "ANY");
  const auto again = make_follow_account(source);
  EXPECT_EQ(again.reveal().size(), 32U) << "replication takes no longer ones";
  EXPECT_NE(again.reveal(), from_.password.reveal());
  drop_follow_account(source);
  EXPECT_EQ(source.scalar("SELECT COUNT(*) FROM mysql.user WHERE user='reseal_follow'"), "0");
}

TEST_P(Channel, a_channel_of_somebody_elses_is_left_alone) {
  on_target("CHANGE REPLICATION SOURCE TO SOURCE_HOST='elsewhere', SOURCE_PORT=3307 FOR CHANNEL 'reseal'");
  expect_refused([&] { channel().configure(from_, start_); }, "elsewhere:3307");
  expect_refused([&] { channel().remove(); }, "elsewhere:3307");
  EXPECT_EQ(channel().status().host, "elsewhere");
  on_target("RESET REPLICA ALL FOR CHANNEL 'reseal'");
}

TEST_P(Channel, another_channel_that_writes_too_is_refused) {
  on_target("CHANGE REPLICATION SOURCE TO SOURCE_HOST='elsewhere' FOR CHANNEL 'other'");
  expect_configure_refused("'other'");
  on_target("RESET REPLICA ALL FOR CHANNEL 'other'");
}

TEST_P(Channel, filters_are_refused_but_those_on_tables_of_rds) {
  {
    const auto filter =
        on_target_meanwhile("CHANGE REPLICATION FILTER REPLICATE_IGNORE_TABLE=(mysql.rds_history,app.t)",
                            "CHANGE REPLICATION FILTER REPLICATE_IGNORE_TABLE=()");
    expect_configure_refused("REPLICATE_IGNORE_TABLE");
  }
  {
    const auto filter = on_target_meanwhile("CHANGE REPLICATION FILTER REPLICATE_DO_DB=(app)",
                                            "CHANGE REPLICATION FILTER REPLICATE_DO_DB=()");
    expect_configure_refused("REPLICATE_DO_DB");
  }
  const auto own = on_target_meanwhile("CHANGE REPLICATION FILTER REPLICATE_IGNORE_TABLE=(mysql.rds_history)",
                                       "CHANGE REPLICATION FILTER REPLICATE_IGNORE_TABLE=()");
  channel().configure(from_, start_);
  on_target("CHANGE REPLICATION FILTER REPLICATE_IGNORE_DB=(app) FOR CHANNEL 'reseal'");
  expect_refused([&] { channel().start(); }, "REPLICATE_IGNORE_DB");
}

TEST_P(Channel, settings_that_skip_delay_or_reorder_are_refused) {
  {
    const auto mode =
        on_target_meanwhile("SET GLOBAL replica_exec_mode='IDEMPOTENT'", "SET GLOBAL replica_exec_mode='STRICT'");
    expect_configure_refused("replica_exec_mode");
  }
  {
    const auto lossy = on_target_meanwhile("SET GLOBAL replica_type_conversions='ALL_LOSSY'",
                                           "SET GLOBAL replica_type_conversions=''");
    expect_configure_refused("replica_type_conversions");
  }
  {
    const auto gaps = on_target_meanwhile("SET GLOBAL replica_preserve_commit_order=OFF",
                                          "SET GLOBAL replica_preserve_commit_order=ON");
    expect_configure_refused("replica_preserve_commit_order");
  }
  channel().configure(from_, start_);
  on_target("CHANGE REPLICATION SOURCE TO SOURCE_DELAY=3600 FOR CHANNEL 'reseal'");
  expect_refused([&] { channel().start(); }, "delay of 3600 s");
}

TEST_P(Channel, settings_of_the_targets_configuration_are_refused) {
  auto& server = target_server();
  const auto usual = server.options().extra;
  server.stop();
  server.options().extra = {"--replica-skip-errors=1032,1062"};
  server.start_again();
  expect_configure_refused("replica_skip_errors is 1032,1062");
  server.stop();
  server.options().extra = {"--relay-log-recovery=OFF"};
  server.start_again();
  if (by_gtid())
    channel().configure(from_, start_);
  else
    expect_configure_refused("relay_log_recovery");
  server.stop();
  server.options().extra = usual;
  server.start_again();
}

TEST_P(Channel, a_copy_whose_gtids_do_not_fit_is_refused) {
  if (!by_gtid()) {
    from_.by_gtid = true;
    return expect_configure_refused("gtid_mode=OFF");
  }
  const auto held = start_.gtids;
  on_source("INSERT INTO app.t VALUES (20,'20')");
  start_ = end_of_source();
  expect_configure_refused("would execute them again");
  on_target("RESET BINARY LOGS AND GTIDS");
  on_target("SET GLOBAL gtid_purged='" + start_.gtids.text() + "'");
  start_.gtids = held;
  expect_configure_refused("would leave them out");
}

TEST_P(Channel, a_password_is_in_no_error) {
  // Too long for replication. The server's own words may quote the statement, and are left out whole.
  from_.password = base::Secret("canary-7713-" + std::string(40, 'x'));
  const auto failure = failure_of([&] { channel().configure(from_, start_); }, {"canary", "xxx", "answered"});
  EXPECT_EQ(failure.kind(), FailureKind::target) << failure.what();
  EXPECT_NE(failure.server_errno(), 0U);
}

TEST_P(Channel, a_certificate_is_checked_when_the_file_is_on_the_target) {
  from_.tls = mysql::TlsMode::verify_ca;
  EXPECT_EQ(failure_of([&] { channel().configure(from_, start_); }).kind(), FailureKind::usage);
  from_.tls_ca = (target_server().data_folder() / "ca.pem").string();
  channel().configure(from_, start_);
  EXPECT_EQ(target_server()
                .connect(Side::target)
                .scalar("SELECT SSL_CA_FILE FROM performance_schema.replication_connection_configuration"
                        " WHERE CHANNEL_NAME='reseal'"),
            from_.tls_ca);
  from_.tls = mysql::TlsMode::disabled;
  expect_refused([&] { channel().configure(from_, start_); }, "always encrypted");
}

INSTANTIATE_TEST_SUITE_P(, Channel, ::testing::Bool(), gtid_or_place);

}  // namespace
}  // namespace reseal::follow

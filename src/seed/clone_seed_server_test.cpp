// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mysql/schema_reader.hpp"
#include "seed/clone_pair_for_tests.hpp"
#include "seed/clone_rules.hpp"
#include "seed/clone_seed.hpp"

namespace reseal::seed {
namespace {

using base::Failure;
using base::FailureKind;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// Writes to the donor until it goes, each transaction to two tables.
class Writer final {
 public:
  explicit Writer(const sandbox::TestServer& donor)
      : endpoint_(donor.endpoint()), thread_([this](const std::stop_token& stop) {
          Session session(endpoint_, Side::source);
          while (!stop.stop_requested()) {
            session.execute("START TRANSACTION");
            session.execute("INSERT INTO shop.orders (note) VALUES (UUID())");
            session.execute("UPDATE shop.words SET note=CONCAT('live ', UUID()) WHERE id=LAST_INSERT_ID() % 200 + 1");
            session.execute("COMMIT");
            ++written_;
          }
        }) {
    const int before = written_;
    wait_for([&] { return written_ > before + 5; });
  }
  int written() const { return written_; }
  void stop() {
    thread_.request_stop();
    thread_.join();
  }

 private:
  mysql::Endpoint endpoint_;
  std::atomic<int> written_{0};
  std::jthread thread_;
};

void replicate(ClonePair& pair, const sql::SourcePosition& from, bool gtid) {
  auto session = pair.recipient.connect(Side::target);
  session.execute(
      "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=" + std::to_string(pair.donor.port()) +
      ", SOURCE_USER='feed', SOURCE_PASSWORD='Feed1-word', SOURCE_SSL=1, " +
      (gtid ? "SOURCE_AUTO_POSITION=1"
            : "SOURCE_LOG_FILE='" + from.binlog.file + "', SOURCE_LOG_POS=" + std::to_string(from.binlog.offset)));
  session.execute("START REPLICA");
}

/// Waits for the last transaction of the donor, or for the error that the channel ends with.
void catch_up(ClonePair& pair) {
  pair.donor.connect(Side::source).execute("UPDATE reseal.marker SET token='the end' WHERE id=1");
  auto session = pair.recipient.connect(Side::target);
  const auto error = [&] {
    return session
        .scalar(
            "SELECT COALESCE(MAX(LAST_ERROR_MESSAGE),'') FROM performance_schema.replication_applier_status_by_worker")
        .value_or("");
  };
  wait_for([&] { return !error().empty() || session.scalar("SELECT token FROM reseal.marker") == "the end"; });
  EXPECT_EQ(error(), "");
}

void expect_same_rows(ClonePair& pair) {
  auto donor = pair.donor.connect(Side::source);
  auto recipient = pair.recipient.connect(Side::target);
  for (const auto& table : odd_tables) EXPECT_EQ(checksum(donor, table), checksum(recipient, table)) << table;
}

class CloneSeedServer : public testing::TestWithParam<bool> {};

TEST_P(CloneSeedServer, replays_exactly_from_the_position_of_a_clone_under_writes) {
  auto options = sandbox::ServerOptions::plain_source();
  options.gtid = GetParam();
  auto target = sandbox::ServerOptions::encrypted_target();
  target.gtid = GetParam();
  ClonePair pair(options, target);
  pair.fill("canary");
  run_all(pair.donor, {"CREATE USER feed IDENTIFIED BY 'Feed1-word'", "GRANT REPLICATION SLAVE ON *.* TO feed"});
  Writer writer(pair.donor);
  auto seed = pair.seed();
  EXPECT_FALSE(seed.cloned());
  const auto account = seed.account_to_keep();
  seed.clone({});
  seed.put_back(account);
  EXPECT_TRUE(seed.cloned());
  EXPECT_EQ(pair.starts, 1);
  EXPECT_GT(pair.progress.bytes_done, 0U);
  const auto position = seed.position();
  auto look = pair.recipient.connect(Side::target);
  EXPECT_EQ(position.gtids.empty(), !GetParam());
  EXPECT_EQ(position.gtids, mysql::gtid_executed(look));

  const int at_the_end = writer.written();
  wait_for([&] { return writer.written() > at_the_end + 20; });
  replicate(pair, position, GetParam());
  writer.stop();
  catch_up(pair);
  expect_same_rows(pair);
}
INSTANTIATE_TEST_SUITE_P(GtidAndNot, CloneSeedServer, testing::Bool());

TEST(CloneSeedServer, holds_the_recipient_still_and_gives_its_account_back) {
  ClonePair pair;
  pair.fill("canary");
  // The donor is a replica itself, of a source that does not answer.
  run_all(pair.donor,
          {"SET GLOBAL event_scheduler=ON",
           "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=1, SOURCE_USER='none'", "START REPLICA"});
  auto admin = pair.recipient.connect(Side::target);
  admin.execute("CREATE USER `mo'ver`@'127.%' IDENTIFIED BY 'Right1-word' REQUIRE SSL");
  admin.execute("CREATE ROLE keeper");
  admin.execute("GRANT ALL ON *.* TO keeper WITH GRANT OPTION");
  admin.execute("GRANT keeper TO `mo'ver`@'127.%'");
  auto mover = pair.recipient.endpoint();
  mover.user = "mo'ver";
  mover.password = base::Secret("Right1-word");
  for (auto* server : {&pair.donor, &pair.recipient})
    server->connect(Side::target).execute("SET PERSIST general_log=ON");

  CloneSeed seed(pair.donor.endpoint(), mover, pair.options(), pair.progress, pair.log);
  // As mover logs in without its role turned on, what the first steps need is granted directly.
  admin.execute("GRANT CLONE_ADMIN ON *.* TO `mo'ver`@'127.%'");
  admin.execute("SET GLOBAL activate_all_roles_on_login=ON");
  const auto account = seed.account_to_keep();
  EXPECT_EQ(account.tls_demand, "SSL");
  seed.clone({});
  EXPECT_EQ(failure_of([&] { Session(mover, Side::target); }).server_errno(), 1045U);
  const std::string replicas = "SELECT COUNT(*) FROM performance_schema.replication_connection_";
  {
    auto as_donor = pair.donor.endpoint();
    as_donor.port = mover.port;
    Session look(as_donor, Side::target);
    EXPECT_EQ(look.scalar(replicas + "configuration"), "1");
    EXPECT_EQ(look.scalar(replicas + "status WHERE SERVICE_STATE<>'OFF'"), "0");
  }
  seed.put_back(KeptAccount::parse(account.text()).value());

  Session session(mover, Side::target);
  EXPECT_EQ(session.scalar(replicas + "configuration"), "0");
  auto back = read_own_account(session);
  EXPECT_EQ(back.grants, account.grants);
  EXPECT_EQ(back.tls_demand, "SSL");
  EXPECT_EQ(session.scalar("SELECT COUNT(*) FROM information_schema.EVENTS WHERE STATUS='ENABLED'"), "1");
  EXPECT_EQ(session.query("SELECT @@event_scheduler, @@read_only, @@super_read_only, @@skip_replica_start").at(0),
            (mysql::Row{"OFF", "1", "0", "1"}));
  EXPECT_EQ(session.scalar("SELECT COUNT(*) FROM shop.orders WHERE note='tick' AND id>10000"), "0");
  for (auto* server : {&pair.donor, &pair.recipient}) {
    auto look = server == &pair.donor ? pair.donor.connect(Side::source) : Session(mover, Side::target);
    EXPECT_EQ(look.scalar("SELECT COUNT(*) FROM mysql.user WHERE user='reseal_clone'"), "0");
    EXPECT_THAT(files_with(server->data_folder(), "CLONE INSTANCE FROM").size(), server == &pair.donor ? 0U : 1U);
    EXPECT_THAT(files_with(server->data_folder(), "Aa1-"), IsEmpty()) << "a password lies in a log";
    EXPECT_THAT(files_with(server->data_folder(), "Right1-word"), IsEmpty());
  }
  // Neither side's log tells of the account, so that no replica gets to know it.
  EXPECT_FALSE(seed.position().gtids.empty());
  EXPECT_EQ(mysql::gtid_executed(session), seed.position().gtids);
}

TEST(CloneSeedServer, goes_on_when_the_recipient_was_killed_before_its_account_was_back) {
  ClonePair pair;
  pair.fill("canary");
  std::string journal;
  {
    auto seed = pair.seed();
    journal = seed.account_to_keep().text();
    seed.clone({});
    const auto answer = failure_of([&] { pair.recipient.connect(Side::target); });
    EXPECT_EQ(answer.server_errno(), 1045U) << "the recipient's account has the donor's password";
  }
  pair.recipient.kill_hard();
  pair.recipient.start_again();
  auto seed = pair.seed();
  ASSERT_TRUE(seed.cloned());
  for (int i = 0; i < 2; ++i) seed.put_back(KeptAccount::parse(journal).value());
  expect_same_rows(pair);
  auto other = pair.options();
  other.marker = "clone-of-run-2";
  EXPECT_FALSE(pair.seed(other).cloned());
}

TEST(CloneSeedServer, clones_anew_when_the_recipient_was_killed_on_the_way) {
  ClonePair pair;
  pair.fill("canary");
  pair.slow_down_clones();
  const auto account = pair.seed().account_to_keep();
  std::string text;
  std::thread cloning([&] { text = failure_of([&] { pair.seed().clone({}); }).what(); });
  wait_for([&] { return pair.progress.bytes_done > 0; });
  pair.recipient.kill_hard();
  pair.recipient.start_again();
  cloning.join();
  EXPECT_THAT(text, HasSubstr("does not hold the clone"));
  EXPECT_THAT(text, Not(HasSubstr("IDENTIFIED")));
  auto seed = pair.seed();
  EXPECT_FALSE(seed.cloned());
  seed.clone({});
  seed.put_back(account);
  expect_same_rows(pair);
}

TEST(CloneSeedServer, leaves_an_empty_recipient_when_stopped) {
  ClonePair pair;
  pair.fill("canary");
  pair.slow_down_clones();
  std::stop_source stop;
  std::thread stopping([&] {
    wait_for([&] { return pair.progress.bytes_done > 0; });
    stop.request_stop();
  });
  const auto failure = failure_of([&] { pair.seed().clone(stop.get_token()); });
  stopping.join();
  EXPECT_EQ(failure.kind(), FailureKind::interrupted);
  EXPECT_THAT(failure.what(), HasSubstr("Run again"));
  auto session = pair.recipient.connect(Side::target);
  EXPECT_THAT(mysql::user_schemas(session), IsEmpty());
  session.execute("SET GLOBAL clone_max_data_bandwidth=0");
  pair.clone_and_put_back();
  expect_same_rows(pair);
}

TEST(CloneSeedServer, awaits_the_clone_that_a_killed_process_began) {
  ClonePair pair;
  pair.fill("canary");
  pair.slow_down_clones();
  const auto account = pair.seed().account_to_keep();
  auto donor = pair.donor.connect(Side::source);
  ensure_clone_plugin(donor);
  const auto password = make_clone_account(donor);
  const auto port = std::to_string(pair.donor.port());
  auto session = pair.recipient.connect(Side::target);
  session.execute("SET GLOBAL clone_valid_donor_list='127.0.0.1:" + port + "'");
  auto killed = pair.recipient.connect(Side::target);
  std::thread dying([&] {
    failure_of([&] {
      killed.execute("CLONE INSTANCE FROM 'reseal_clone'@'127.0.0.1':" + port + " IDENTIFIED BY '" +
                     std::string(password.reveal()) + "' REQUIRE SSL");
    });
  });
  wait_for([&] { return clone_runs(session); });
  killed.kill_switch();
  dying.join();

  std::string problem;
  std::thread next([&] {
    try {
      pair.seed().clone({});
    } catch (const Failure& failure) {
      problem = failure.what();
    }
  });
  wait_for([&] { return pair.progress.bytes_done > 0; });
  session.execute("SET GLOBAL clone_max_data_bandwidth=0");
  pair.start_recipient_again();
  next.join();
  EXPECT_EQ(problem, "");
  pair.seed().put_back(account);
  expect_same_rows(pair);
}

}  // namespace
}  // namespace reseal::seed

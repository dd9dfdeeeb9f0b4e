// SPDX-License-Identifier: Apache-2.0
// The long way against the RDS sandbox: real servers behind the API.
#include "platform/rds_copy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "platform/parity.hpp"
#include "platform/rds_teardown.hpp"
#include "platform/sandbox_for_tests.hpp"

namespace reseal::platform {
namespace {

using base::Failure;
using base::FailureKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

/// Writes rows and JSON into a database until it goes.
class Writer {
 public:
  explicit Writer(mysql::Session session)
      : session_(std::move(session)), thread_([this](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            session_.execute("INSERT INTO shop.orders (note, facts) VALUES (UUID(), JSON_OBJECT('at', NOW(6), 'n', " +
                             std::to_string(written) + ", 'price', CAST(1.10 AS DECIMAL(5,2))))");
            session_.execute(
                "UPDATE shop.orders SET facts = JSON_SET(facts, '$.seen', TRUE) WHERE id % 7 = 0 LIMIT 3");
            ++written;
          }
        }) {}

  std::atomic<int> written = 0;

 private:
  mysql::Session session_;
  std::jthread thread_;
};

class RdsCopyTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    sandbox = std::make_unique<SandboxForTests>();
    sandbox->create_instance("shop", {{"BackupRetentionPeriod", "7"},
                                      {"MultiAZ", "true"},
                                      {"StorageType", "gp3"},
                                      {"Iops", "3000"},
                                      {"StorageThroughput", "125"},
                                      {"MaxAllocatedStorage", "100"},
                                      {"MonitoringInterval", "60"},
                                      {"MonitoringRoleArn", "arn:aws:iam::123456789012:role/watch"},
                                      {"PreferredBackupWindow", "01:00-01:30"},
                                      {"PreferredMaintenanceWindow", "mon:02:00-mon:02:30"},
                                      {"EnableIAMDatabaseAuthentication", "true"},
                                      {"EnablePerformanceInsights", "true"},
                                      {"PerformanceInsightsRetentionPeriod", "7"},
                                      {"CopyTagsToSnapshot", "true"},
                                      {"DeletionProtection", "true"},
                                      {"AutoMinorVersionUpgrade", "false"},
                                      {"VpcSecurityGroupIds.VpcSecurityGroupId.1", "sg-shop"},
                                      {"EnableCloudwatchLogsExports.member.1", "error"},
                                      {"Tags.Tag.1.Key", "team"},
                                      {"Tags.Tag.1.Value", "web"}});
    sandbox->create_instance("plain-tiny", {{"BackupRetentionPeriod", "0"}});
    session = sandbox->session();
    auto admin = master("shop");
    admin.execute("CREATE DATABASE shop");
    admin.execute("CREATE TABLE shop.orders (id INT PRIMARY KEY AUTO_INCREMENT, note VARCHAR(40), facts JSON)");
    admin.execute("CREATE USER repl@'%' IDENTIFIED BY 'replpw-12'");
    admin.execute("GRANT REPLICATION CLIENT, REPLICATION SLAVE ON *.* TO repl@'%'");
  }
  static void TearDownTestSuite() {
    session.reset();
    sandbox.reset();
  }

  static rds::DbInstance instance(const std::string& name) {
    rds::RdsClient client(session->rds(), {});
    auto found = value_or_fail(client.describe_instance(name), "describe");
    if (!found) throw Failure(FailureKind::source, "no instance " + name);
    return *found;
  }
  static mysql::Session master(const std::string& name) {
    rds::RdsClient client(session->rds(), {});
    rds::wait_until(
        name, [&] { return rds::judge_available(value_or_fail(client.describe_instance(name), "describe")); },
        quick_wait(), client.clock(), {});
    const auto found = instance(name);
    return sandbox->open(found.address, static_cast<std::uint16_t>(found.port));
  }
  static rds::WaitOptions quick_wait() { return {std::chrono::milliseconds(100), std::chrono::minutes(10), 1, {}}; }

  CopyReport run(const CopyRequest& request, std::function<void(CopyStep)> done = {}, std::stop_token stop = {}) {
    CopyOptions options;
    options.poll = std::chrono::milliseconds(100);
    options.settle = std::chrono::milliseconds(300);
    options.stable_looks = 2;
    options.longest_instance_wait = options.longest_snapshot_wait = std::chrono::minutes(10);
    options.done = std::move(done);
    const auto open = [](const std::string& host, std::uint16_t port, mysql::Side side) {
      return sandbox->open(host, port, side);
    };
    const CopyNotes kept = {[this](const std::string& name) {
                              const auto found = notes.find(name);
                              return found == notes.end() ? std::nullopt : std::optional(found->second);
                            },
                            [this](const std::string& name, const std::string& value) { notes[name] = value; }};
    return RdsCopy(request, options, *session, open, kept, sandbox->log, stop).run();
  }
  std::string refusal(const CopyRequest& request) {
    try {
      run(request);
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.kind(), FailureKind::refused) << failure.what();
      return failure.what();
    }
    return "was not refused";
  }

  /// Replication by hand from the noted place; waits until `target` has what `source` has logged by now.
  static void follow(const std::string& source_name, const CopyReport& report) {
    const auto source = instance(source_name);
    auto target = sandbox->open(report.host, report.port, mysql::Side::target);
    target.call("CALL mysql.rds_set_external_source('" + source.address + "', " + std::to_string(source.port) +
                ", 'repl', 'replpw-12', '" + report.position.binlog.file + "', " +
                std::to_string(report.position.binlog.offset) + ", 1)");
    target.call("CALL mysql.rds_start_replication");
  }
  static void expect_caught_up(const std::string& source_name, const CopyReport& report) {
    auto source = master(source_name);
    auto target = sandbox->open(report.host, report.port, mysql::Side::target);
    const auto end = mysql::binlog_end(source, mysql::server_facts(source)).binlog;
    EXPECT_NE(target.scalar("SELECT CAST(SOURCE_POS_WAIT('" + end.file + "', " + std::to_string(end.offset) +
                            ", 100) AS CHAR)"),
              std::nullopt);
    const auto sum = [](mysql::Session& of) { return of.query("CHECKSUM TABLE shop.orders").at(0).at(1); };
    EXPECT_EQ(sum(source), sum(target));
    const auto types = "SELECT GROUP_CONCAT(DISTINCT JSON_TYPE(facts->'$.at'), JSON_TYPE(facts->'$.price')) FROM shop.orders";
    EXPECT_EQ(source.scalar(types), target.scalar(types));
  }

  static std::unique_ptr<SandboxForTests> sandbox;
  static std::unique_ptr<rds::Session> session;
  std::map<std::string, std::string> notes;
};

std::unique_ptr<SandboxForTests> RdsCopyTest::sandbox;
std::unique_ptr<rds::Session> RdsCopyTest::session;

const CopyRequest shop_request = {"shop", "shop-sealed", "alias/sandbox", "0f8c2d4e-1111-4222-8333-444455556666"};

std::vector<std::string> names_of(const std::vector<MadeResource>& made) {
  std::vector<std::string> names;
  for (const auto& one : made) names.push_back(one.name + (one.encrypted ? " sealed" : " plain"));
  return names;
}

TEST_F(RdsCopyTest, makes_an_encrypted_instance_from_whose_place_replication_catches_up) {
  CopyReport report;
  {
    const Writer writer(master("shop"));
    report = run(shop_request);
    follow("shop", report);
    const int at_follow = writer.written;
    while (writer.written < at_follow + 20) std::this_thread::yield();
  }
  expect_caught_up("shop", report);
  EXPECT_THAT(names_of(report.made),
              UnorderedElementsAre("reseal-0f8c2d4e-replica plain", "reseal-0f8c2d4e-snapshot plain",
                                   "reseal-0f8c2d4e-copy sealed", "reseal-0f8c2d4e-waiting sealed",
                                   "shop-sealed sealed"));
  EXPECT_EQ(report.retention_before, std::nullopt);
  auto source = master("shop");
  EXPECT_EQ(read_retention(source), 168);
  auto target = sandbox->open(report.host, report.port, mysql::Side::target);
  EXPECT_THROW(target.execute("INSERT INTO shop.orders (note) VALUES ('no')"), Failure);
  EXPECT_EQ(target.scalar("SELECT @@GLOBAL.event_scheduler"), "OFF");

  rds::RdsClient client(session->rds(), {});
  for (const auto& found : read_parity(client, "shop", "shop-sealed", "reseal-0f8c2d4e-waiting"))
    ADD_FAILURE() << found.what << ": " << found.source << ", " << found.target;
}

TEST_F(RdsCopyTest, a_run_that_is_done_makes_nothing_again) {
  notes = {{"rds-position", "mysql-bin-changelog.000001:4"}, {"rds-retention-before", "24"}};
  const auto report = run(shop_request);
  EXPECT_THAT(report.made, SizeIs(5));
  EXPECT_EQ(report.position.binlog.offset, 4U);
  EXPECT_EQ(report.retention_before, 24);
  notes.clear();
  EXPECT_THAT(refusal(shop_request), HasSubstr("the state folder is not that run's, or was lost"));
}

TEST_F(RdsCopyTest, parity_tells_what_was_changed_by_hand) {
  rds::RdsClient client(session->rds(), {});
  sandbox->act("ModifyDBInstance", {{"DBInstanceIdentifier", "shop-sealed"},
                                    {"PreferredBackupWindow", "05:00-05:30"},
                                    {"ApplyImmediately", "true"}});
  value_or_fail(client.modify_parameters("reseal-0f8c2d4e-waiting", {{"max_connections", "77", true}}), "modify");
  master("shop-sealed");
  std::vector<std::string> found;
  for (const auto& one : read_parity(client, "shop", "shop-sealed", "reseal-0f8c2d4e-waiting"))
    found.push_back(one.what + ": " + one.source + ", " + one.target);
  EXPECT_THAT(found, UnorderedElementsAre("PreferredBackupWindow: 01:00-01:30, 05:00-05:30",
                                          "parameter max_connections: engine default, 77"));
}

TEST_F(RdsCopyTest, teardown_lists_what_is_in_the_clear_and_removes_only_what_is_ours) {
  rds::RdsClient client(session->rds(), {});
  rds::OwnedResources owned(client, shop_request.run_id);
  value_or_fail(client.create(rds::CreateSnapshot{"by-hand", "shop", {}}), "create");
  master("shop");
  std::vector<std::string> clear;
  for (const auto& left : list_leftovers(client, owned, "shop", "shop-sealed"))
    if (!left.encrypted) clear.push_back((left.ours ? "ours " : "theirs ") + left.kind);
  EXPECT_THAT(clear, UnorderedElementsAre("ours instance", "ours snapshot", "theirs instance", "theirs snapshot",
                                          "theirs automated backup"));
  EXPECT_THAT(remove_made(client, owned, "shop-sealed", quick_wait()),
              UnorderedElementsAre("reseal-0f8c2d4e-replica", "reseal-0f8c2d4e-snapshot", "reseal-0f8c2d4e-copy"));
  EXPECT_THAT(remove_made(client, owned, "shop-sealed", quick_wait()), IsEmpty());
  EXPECT_EQ(instance("shop").status, "available");
  EXPECT_EQ(instance("shop-sealed").status, "available");
}

TEST_F(RdsCopyTest, refuses_what_will_not_do_before_anything_is_made) {
  const std::string run_id = "aaaaaaaa-1111-4222-8333-444455556666";
  sandbox->create_instance("taken", {});
  EXPECT_THAT(refusal({"nobody", "new", "alias/sandbox", run_id}), HasSubstr("there is no instance nobody"));
  EXPECT_THAT(refusal({"shop", "shop", "alias/sandbox", run_id}), HasSubstr("it is the source's"));
  EXPECT_THAT(refusal({"shop", "No Name", "alias/sandbox", run_id}), HasSubstr("RDS takes no such name"));
  EXPECT_THAT(refusal({"shop-sealed", "new", "alias/sandbox", run_id}), HasSubstr("is encrypted already"));
  EXPECT_THAT(refusal({"plain-tiny", "new", "alias/sandbox", run_id}), HasSubstr("BackupRetentionPeriod is 0"));
  EXPECT_THAT(refusal({"shop", "new", "alias/nothing", run_id}), HasSubstr("there is no such key in us-east-1"));
  EXPECT_THAT(refusal({"shop", "new", "alias/sandbox-disabled", run_id}), HasSubstr("its state is Disabled"));
  EXPECT_THAT(refusal({"shop", "taken", "alias/sandbox", run_id}), HasSubstr("it is not this run's and was not touched"));
  EXPECT_THAT(refusal({"shop", "shop-sealed", "alias/sandbox", run_id}), HasSubstr("was not touched"));
  EXPECT_TRUE(notes.empty());
  rds::RdsClient client(session->rds(), {});
  rds::OwnedResources owned(client, run_id);
  EXPECT_THAT(list_made(owned, "new"), IsEmpty());
}

}  // namespace
}  // namespace reseal::platform

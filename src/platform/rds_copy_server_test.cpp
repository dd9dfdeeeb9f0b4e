// SPDX-License-Identifier: Apache-2.0
// The long way against the RDS sandbox: real servers behind the API.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/parity.hpp"
#include "platform/rds_copy.hpp"
#include "platform/rds_copy_fixture_for_tests.hpp"
#include "platform/rds_teardown.hpp"

namespace reseal::platform {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class RdsCopyTest : public RdsCopyFixture {
 protected:
  static void SetUpTestSuite() {
    start();
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
    fill("shop");
  }
};

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
    writer.wait_for_more(20);
  }
  expect_caught_up("shop", report);
  EXPECT_THAT(
      names_of(report.made),
      UnorderedElementsAre("reseal-0f8c2d4e-replica plain", "reseal-0f8c2d4e-snapshot plain",
                           "reseal-0f8c2d4e-copy sealed", "reseal-0f8c2d4e-waiting sealed", "shop-sealed sealed"));
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
  master("shop-sealed");
  value_or_fail(client.modify_parameters("reseal-0f8c2d4e-waiting", {{"max_connections", "77", true}}), "modify");
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

TEST_F(RdsCopyTest, refuses_a_copy_that_is_plain_by_mistake) {
  const std::string run_id = "bbbbbbbb-1111-4222-8333-444455556666";
  sandbox->act("CopyDBSnapshot", {{"SourceDBSnapshotIdentifier", "by-hand"},
                                  {"TargetDBSnapshotIdentifier", "reseal-bbbbbbbb-copy"},
                                  {"Tags.Tag.1.Key", "reseal:run"},
                                  {"Tags.Tag.1.Value", run_id},
                                  {"Tags.Tag.2.Key", "reseal:part"},
                                  {"Tags.Tag.2.Value", "copy"}});
  notes = {{"rds-position", "mysql-bin-changelog.000001:4"}};
  const auto text = refusal({"shop", "new", "alias/sandbox", run_id});
  EXPECT_THAT(text, HasSubstr("the snapshot reseal-bbbbbbbb-copy is not encrypted"));
  EXPECT_THAT(text, HasSubstr("aws rds delete-db-snapshot"));
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
  EXPECT_THAT(refusal({"shop", "taken", "alias/sandbox", run_id}),
              HasSubstr("it is not this run's and was not touched"));
  EXPECT_THAT(refusal({"shop", "shop-sealed", "alias/sandbox", run_id}), HasSubstr("was not touched"));
  EXPECT_TRUE(notes.empty());
  rds::RdsClient client(session->rds(), {});
  rds::OwnedResources owned(client, run_id);
  EXPECT_THAT(list_made(owned, "new"), IsEmpty());
}

}  // namespace
}  // namespace reseal::platform

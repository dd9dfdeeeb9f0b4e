// SPDX-License-Identifier: Apache-2.0
#include "rds/form.hpp"

#include <gtest/gtest.h>

#include <random>

#include "rds/http_server_for_tests.hpp"
#include "rds/requests.hpp"

namespace reseal::rds {
namespace {

std::string encoded(const Form& form) { return std::string(form.encode().reveal()); }

TEST(Form, encodes_what_is_reserved_and_nothing_else) {
  EXPECT_EQ(percent_encode("aZ09-_.~"), "aZ09-_.~");
  EXPECT_EQ(percent_encode(" +/=&%*'\n"), "%20%2B%2F%3D%26%25%2A%27%0A");
  EXPECT_EQ(percent_encode("\xC3\xA9"), "%C3%A9");
}

TEST(Form, every_byte_string_comes_back_from_its_encoding) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string text(random() % 40, ' ');
    for (auto& c : text) c = static_cast<char>(random());
    const auto path = percent_encode(text);
    EXPECT_EQ(ReceivedRequest::decoded(path), text);
    EXPECT_EQ(path.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~%"), path.npos);
    Form form("Act", "1");
    form.add("Text", text);
    const ReceivedRequest received{"", "", {}, encoded(form)};
    EXPECT_EQ(received.field("Text"), text);
  }
}

TEST(Form, lists_and_tags_carry_the_members_location_names) {
  Form form("Act", "1");
  form.add_list("VpcSecurityGroupIds.VpcSecurityGroupId", {"sg-1", "sg-2"});
  form.add_tags({{"a", "b c"}, {"d", ""}});
  EXPECT_EQ(encoded(form),
            "Action=Act&Version=1&VpcSecurityGroupIds.VpcSecurityGroupId.1=sg-1&VpcSecurityGroupIds.VpcSecurityGroupId."
            "2=sg-2&Tags.Tag.1.Key=a&Tags.Tag.1.Value=b+c&Tags.Tag.2.Key=d&Tags.Tag.2.Value=");
}

TEST(Form, what_is_absent_is_not_sent) {
  EXPECT_EQ(
      encoded(form_of(CreateReadReplica{"copy", "shop", {}, std::nullopt, {}})),
      "Action=CreateDBInstanceReadReplica&Version=2014-10-31&DBInstanceIdentifier=copy&SourceDBInstanceIdentifier="
      "shop");
}

TEST(Form, a_delete_says_whether_a_final_snapshot_is_wanted) {
  EXPECT_EQ(encoded(form_of(DeleteInstance{"shop", std::nullopt, false})),
            "Action=DeleteDBInstance&Version=2014-10-31&DBInstanceIdentifier=shop&SkipFinalSnapshot=true&"
            "DeleteAutomatedBackups=false");
  EXPECT_EQ(encoded(form_of(DeleteInstance{"shop", "last", true})),
            "Action=DeleteDBInstance&Version=2014-10-31&DBInstanceIdentifier=shop&SkipFinalSnapshot=false&"
            "FinalDBSnapshotIdentifier=last&DeleteAutomatedBackups=true");
}

TEST(FormDeathTest, a_copy_without_a_key_is_our_bug) {
  EXPECT_DEATH(form_of(CopySnapshot{"plain", "copy", "", {}, {}}), "kms_key");
}

TEST(Form, parameters_name_their_apply_method) {
  EXPECT_EQ(encoded(form_of("group", {{"read_only", "1", true}, {"event_scheduler", "OFF", false}})),
            "Action=ModifyDBParameterGroup&Version=2014-10-31&DBParameterGroupName=group&Parameters.Parameter.1."
            "ParameterName=read_only&Parameters.Parameter.1.ParameterValue=1&Parameters.Parameter.1.ApplyMethod="
            "immediate&Parameters.Parameter.2.ParameterName=event_scheduler&Parameters.Parameter.2.ParameterValue=OFF&"
            "Parameters.Parameter.2.ApplyMethod=pending-reboot");
}

TEST(Form, a_restore_carries_all_settings) {
  RestoreFromSnapshot request;
  request.identifier = "enc";
  request.snapshot = "copy";
  request.settings.instance_class = "db.m6g.large";
  request.settings.multi_az = true;
  request.settings.security_groups = {"sg-1"};
  request.settings.log_exports = {"error", "slowquery"};
  request.settings.iam_authentication = false;
  request.backup_retention_days = 7;
  request.tags = {{"k", "v"}};
  EXPECT_EQ(
      encoded(form_of(request)),
      "Action=RestoreDBInstanceFromDBSnapshot&Version=2014-10-31&DBInstanceIdentifier=enc&DBSnapshotIdentifier="
      "copy&DBInstanceClass=db.m6g.large&MultiAZ=true&VpcSecurityGroupIds.VpcSecurityGroupId.1=sg-1&"
      "EnableIAMDatabaseAuthentication=false&EnableCloudwatchLogsExports.member.1=error&"
      "EnableCloudwatchLogsExports.member.2=slowquery&BackupRetentionPeriod=7&Tags.Tag.1.Key=k&Tags.Tag.1.Value=v");
}

}  // namespace
}  // namespace reseal::rds

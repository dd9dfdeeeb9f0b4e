// SPDX-License-Identifier: Apache-2.0
#include "rds/xml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "rds/model_xml.hpp"

namespace reseal::rds {
namespace {

using testing::ElementsAre;
using testing::Pair;

// As the service writes it: DescribeDBInstances of the API reference, with what this model reads.
constexpr std::string_view one_instance = R"(<?xml version="1.0"?>
<DescribeDBInstancesResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><DescribeDBInstancesResult><DBInstances>
<DBInstance><DBInstanceIdentifier>shop</DBInstanceIdentifier><DBInstanceClass>db.m6g.large</DBInstanceClass>
<Engine>mysql</Engine><EngineVersion>8.0.39</EngineVersion><DBInstanceStatus>available</DBInstanceStatus>
<MasterUsername>admin</MasterUsername><Endpoint><Port>3306</Port><Address>shop.abc.eu-central-1.rds.amazonaws.com</Address></Endpoint>
<AllocatedStorage>200</AllocatedStorage><Iops>3000</Iops><StorageType>gp3</StorageType><StorageThroughput>125</StorageThroughput>
<StorageEncrypted>false</StorageEncrypted><MultiAZ>true</MultiAZ><BackupRetentionPeriod>7</BackupRetentionPeriod>
<VpcSecurityGroups><VpcSecurityGroupMembership><VpcSecurityGroupId>sg-1</VpcSecurityGroupId><Status>active</Status></VpcSecurityGroupMembership>
<VpcSecurityGroupMembership><VpcSecurityGroupId>sg-2</VpcSecurityGroupId></VpcSecurityGroupMembership></VpcSecurityGroups>
<DBParameterGroups><DBParameterGroup><DBParameterGroupName>mysql80</DBParameterGroupName><ParameterApplyStatus>pending-reboot</ParameterApplyStatus></DBParameterGroup></DBParameterGroups>
<OptionGroupMemberships><OptionGroupMembership><OptionGroupName>default:mysql-8-0</OptionGroupName><Status>in-sync</Status></OptionGroupMembership></OptionGroupMemberships>
<DBSubnetGroup><DBSubnetGroupName>private</DBSubnetGroupName><VpcId>vpc-1</VpcId></DBSubnetGroup>
<PendingModifiedValues><MasterUserPassword>canary-7d1</MasterUserPassword><DBInstanceClass>db.m6g.xlarge</DBInstanceClass>
<PendingCloudwatchLogsExports><LogTypesToEnable><member>error</member></LogTypesToEnable></PendingCloudwatchLogsExports></PendingModifiedValues>
<ReadReplicaDBInstanceIdentifiers><ReadReplicaDBInstanceIdentifier>shop-r1</ReadReplicaDBInstanceIdentifier></ReadReplicaDBInstanceIdentifiers>
<StatusInfos><DBInstanceStatusInfo><StatusType>read replication</StatusType><Normal>true</Normal><Status>replicating</Status></DBInstanceStatusInfo></StatusInfos>
<EnabledCloudwatchLogsExports><member>error</member></EnabledCloudwatchLogsExports><DeletionProtection>true</DeletionProtection>
<DBInstanceArn>arn:aws:rds:eu-central-1:123456789012:db:shop</DBInstanceArn>
<TagList><Tag><Key>team</Key><Value>a &lt;b&gt; &amp; c</Value></Tag></TagList></DBInstance></DBInstances>
</DescribeDBInstancesResult><ResponseMetadata><RequestId>9135fff3</RequestId></ResponseMetadata></DescribeDBInstancesResponse>)";

XmlAnswer parsed(std::string_view body) { return base::value_or_fail(XmlAnswer::parse(body), "test"); }

TEST(Xml, an_instance_is_read_whole) {
  const auto answer = parsed(one_instance);
  EXPECT_EQ(answer.request_id(), "9135fff3");
  const auto found = answer.result().members("DBInstances", "DBInstance");
  ASSERT_EQ(found.size(), 1U);
  const auto instance = instance_of(found.front());
  EXPECT_EQ(instance.identifier, "shop");
  EXPECT_EQ(instance.address, "shop.abc.eu-central-1.rds.amazonaws.com");
  EXPECT_EQ(instance.port, 3306);
  EXPECT_EQ(instance.allocated_gib, 200);
  EXPECT_EQ(instance.iops, 3000);
  EXPECT_EQ(instance.max_allocated_gib, std::nullopt);
  EXPECT_TRUE(instance.multi_az);
  EXPECT_TRUE(instance.deletion_protection);
  EXPECT_FALSE(instance.storage_encrypted);
  EXPECT_EQ(instance.backup_retention_days, 7);
  EXPECT_THAT(instance.security_groups, ElementsAre("sg-1", "sg-2"));
  ASSERT_EQ(instance.parameter_groups.size(), 1U);
  EXPECT_EQ(instance.parameter_groups[0].status, "pending-reboot");
  EXPECT_EQ(instance.subnet_group, "private");
  EXPECT_THAT(instance.replicas, ElementsAre("shop-r1"));
  ASSERT_EQ(instance.status_infos.size(), 1U);
  EXPECT_TRUE(instance.status_infos[0].normal);
  EXPECT_THAT(instance.log_exports, ElementsAre("error"));
  EXPECT_THAT(instance.tags, ElementsAre(Pair("team", "a <b> & c")));
}

TEST(Xml, a_pending_password_is_named_and_not_kept) {
  const auto answer = parsed(one_instance);
  const auto instance = instance_of(answer.result().members("DBInstances", "DBInstance").front());
  EXPECT_THAT(instance.pending, ElementsAre(Pair("DBInstanceClass", "db.m6g.xlarge"), Pair("MasterUserPassword", ""),
                                            Pair("PendingCloudwatchLogsExports", "")));
}

TEST(Xml, an_answer_without_a_result_element_is_its_own_result) {
  const auto answer = parsed(
      "<AddTagsToResourceResponse><ResponseMetadata><RequestId>x</RequestId></ResponseMetadata>"
      "</AddTagsToResourceResponse>");
  EXPECT_EQ(answer.result().name(), "AddTagsToResourceResponse");
  EXPECT_EQ(answer.request_id(), "x");
}

TEST(Xml, entities_are_refused_and_never_expanded) {
  const std::string bomb =
      R"(<!DOCTYPE a [<!ENTITY x "aaaaaaaaaa"><!ENTITY y "&x;&x;&x;&x;&x;&x;&x;&x;">]><a><b>&y;</b></a>)";
  EXPECT_EQ(XmlAnswer::parse(bomb).error(), "the answer holds a document type");
  EXPECT_EQ(parsed("<a><b>&y;</b></a>").root().text("b"), "&y;");
  EXPECT_FALSE(XmlAnswer::parse(R"(<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>)").ok());
}

TEST(Xml, what_is_no_xml_or_too_large_is_refused) {
  for (const std::string_view bad : {"", "   ", "no xml", "<a>", "<a></b>", "<a", "{}", "<?xml version=\"1.0\"?>"})
    EXPECT_FALSE(XmlAnswer::parse(bad).ok()) << bad;
  EXPECT_EQ(XmlAnswer::parse("<a>" + std::string(XmlAnswer::most_bytes, 'x') + "</a>").error(),
            "the answer is larger than 8 MiB");
}

TEST(Xml, deep_nesting_costs_no_stack) {
  std::string deep;
  for (int i = 0; i < 500'000; ++i) deep += "<a>";
  for (int i = 0; i < 500'000; ++i) deep += "</a>";
  EXPECT_TRUE(XmlAnswer::parse(deep).ok());
}

TEST(Xml, numbers_that_do_not_fit_are_none) {
  const auto answer = parsed("<r><a>99999999999999999999</a><b>12x</b><c></c><d>-5</d><e> 7</e></r>");
  for (const auto* name : {"a", "b", "c", "e", "gone"}) EXPECT_EQ(answer.root().number(name), std::nullopt) << name;
  EXPECT_EQ(answer.root().number("d"), -5);
}

TEST(Xml, any_cut_or_changed_answer_is_read_or_refused) {
  std::mt19937 random(11);
  const std::string whole(one_instance);
  for (int round = 0; round < 3000; ++round) {
    auto text = whole.substr(0, random() % whole.size());
    for (unsigned i = 0; i < random() % 4 && !text.empty(); ++i)
      text[random() % text.size()] = static_cast<char>(random());
    const auto answer = XmlAnswer::parse(text);
    if (!answer.ok()) continue;
    for (const auto& element : answer.value().result().members("DBInstances", "DBInstance")) {
      const auto instance = instance_of(element);
      EXPECT_GE(instance.port, 0);
    }
  }
}

TEST(Xml, a_snapshot_with_a_wild_percentage_stays_within_bounds) {
  const auto answer = parsed("<s><PercentProgress>4294967296</PercentProgress></s>");
  EXPECT_EQ(snapshot_of(answer.root()).percent_progress, 100);
  EXPECT_EQ(snapshot_of(parsed("<s><PercentProgress>-3</PercentProgress></s>").root()).percent_progress, 0);
}

}  // namespace
}  // namespace reseal::rds

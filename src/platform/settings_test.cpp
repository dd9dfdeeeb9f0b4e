// SPDX-License-Identifier: Apache-2.0
// What is decided without I/O: refusals, the requests that make instances, and the comparison.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/failure.hpp"
#include "platform/parity.hpp"
#include "platform/source_rules.hpp"
#include "platform/target_settings.hpp"

namespace reseal::platform {
namespace {

using base::Failure;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

rds::DbInstance shop() {
  rds::DbInstance instance;
  instance.identifier = "shop";
  instance.engine = "mysql";
  instance.engine_version = "8.0.39";
  instance.instance_class = "db.m6g.large";
  instance.address = "shop.abc.eu-central-1.rds.amazonaws.com";
  instance.port = 3307;
  instance.allocated_gib = 500;
  instance.max_allocated_gib = 900;
  instance.storage_type = "gp3";
  instance.iops = 12000;
  instance.storage_throughput = 500;
  instance.dedicated_log_volume = true;
  instance.multi_az = false;
  instance.availability_zone = "eu-central-1b";
  instance.subnet_group = "private";
  instance.network_type = "IPV4";
  instance.publicly_accessible = true;
  instance.security_groups = {"sg-1", "sg-2"};
  instance.parameter_groups = {{"params", "in-sync"}};
  instance.option_groups = {{"options", "in-sync"}};
  instance.backup_retention_days = 7;
  instance.backup_window = "01:00-01:30";
  instance.maintenance_window = "sun:02:00-sun:03:00";
  instance.auto_minor_version_upgrade = true;
  instance.copy_tags_to_snapshot = true;
  instance.deletion_protection = true;
  instance.iam_authentication = true;
  instance.monitoring_interval = 60;
  instance.monitoring_role_arn = "arn:role";
  instance.performance_insights = true;
  instance.performance_insights_key = "arn:key";
  instance.performance_insights_days = 7;
  instance.log_exports = {"error", "slowquery"};
  instance.ca_certificate = "rds-ca-rsa2048-g1";
  instance.engine_lifecycle_support = "open-source-rds-extended-support";
  instance.tags = {{"team", "web"}, {"aws:cloudformation:stack-id", "x"}, {"reseal:run", "other"}};
  return instance;
}

std::string refusal(const std::function<void()>& rule) {
  try {
    rule();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.kind(), base::FailureKind::refused);
    EXPECT_THAT(failure.what(), HasSubstr("This command has made and changed nothing. "));
    return failure.what();
  }
  return "was not refused";
}
std::string refusal(const rds::DbInstance& source) {
  return refusal([&] { require_movable(source); });
}

TEST(SourceRules, take_a_plain_instance_with_backups) { EXPECT_NO_THROW(require_movable(shop())); }

TEST(SourceRules, refuse_what_cannot_be_moved) {
  auto source = shop();
  source.engine = "postgres";
  EXPECT_THAT(refusal(source), HasSubstr("its engine is postgres"));
  source = shop();
  source.cluster = "three";
  EXPECT_THAT(refusal(source), HasSubstr("it belongs to the cluster three"));
  source = shop();
  source.storage_encrypted = true;
  source.kms_key_id = "arn:k";
  EXPECT_THAT(refusal(source), HasSubstr("encrypted already, with arn:k"));
  source = shop();
  source.backup_retention_days = 0;
  EXPECT_THAT(refusal(source), HasSubstr("--backup-retention-period 7"));
}

TEST(SourceRules, refuse_a_long_host_before_8_0_17_only) {
  auto source = shop();
  source.address = std::string(61, 'x');
  for (const auto* takes : {"8.0.17", "8.0.39", "8.4.3", "9.7.0"}) {
    source.engine_version = takes;
    EXPECT_NO_THROW(require_movable(source)) << takes;
  }
  for (const auto* short_only : {"5.7.44", "8.0.16"}) {
    source.engine_version = short_only;
    EXPECT_THAT(refusal(source), HasSubstr("61 characters")) << short_only;
  }
  source.address.resize(60);
  EXPECT_NO_THROW(require_movable(source));
}

TEST(SourceRules, refuse_keys_that_cannot_encrypt) {
  const rds::KmsKey good = {
      "id", "arn:aws:kms:eu-central-1:1:key/id", "Enabled", true, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "CUSTOMER"};
  const auto said = [](const std::optional<rds::KmsKey>& key) {
    return refusal([&] { require_usable_key("alias/mine", "eu-central-1", key); });
  };
  EXPECT_EQ(said(good), "was not refused");
  EXPECT_THAT(said(std::nullopt), AllOf(HasSubstr("alias/mine"), HasSubstr("no such key in eu-central-1")));
  auto key = good;
  key.enabled = false;
  key.state = "PendingDeletion";
  EXPECT_THAT(said(key), HasSubstr("PendingDeletion"));
  key = good;
  key.spec = "RSA_2048";
  EXPECT_THAT(said(key), HasSubstr("RSA_2048"));
  key = good;
  key.arn = "arn:aws:kms:eu-west-1:1:key/id";
  EXPECT_THAT(said(key), HasSubstr("it is in eu-west-1"));
}

TEST(TargetSettings, the_restore_has_everything_of_the_source_that_it_takes) {
  const auto request = restore_request(shop(), "sealed", "copy", "waiting");
  const auto form = std::string(rds::form_of(request).encode().reveal());
  for (const auto* field : {"DBInstanceIdentifier=sealed",
                            "DBSnapshotIdentifier=copy",
                            "DBParameterGroupName=waiting",
                            "DBInstanceClass=db.m6g.large",
                            "Port=3307",
                            "AvailabilityZone=eu-central-1b",
                            "MultiAZ=false",
                            "DBSubnetGroupName=private",
                            "VpcSecurityGroupIds.VpcSecurityGroupId.2=sg-2",
                            "OptionGroupName=options",
                            "StorageType=gp3",
                            "Iops=12000",
                            "StorageThroughput=500",
                            "AllocatedStorage=500",
                            "DedicatedLogVolume=true",
                            "PubliclyAccessible=true",
                            "AutoMinorVersionUpgrade=true",
                            "DeletionProtection=true",
                            "CopyTagsToSnapshot=true",
                            "EnableIAMDatabaseAuthentication=true",
                            "EnableCloudwatchLogsExports.member.2=slowquery",
                            "NetworkType=IPV4",
                            "CACertificateIdentifier=rds-ca-rsa2048-g1",
                            "BackupRetentionPeriod=7",
                            "PreferredBackupWindow=01%3A00-01%3A30",
                            "EngineLifecycleSupport=open-source-rds-extended-support",
                            "Tags.Tag.1.Key=team"})
    EXPECT_THAT(form, HasSubstr(field));
  EXPECT_THAT(form, AllOf(Not(HasSubstr("KmsKeyId")), Not(HasSubstr("aws%3A")), Not(HasSubstr("reseal"))));
}

TEST(TargetSettings, a_zone_is_not_asked_for_with_multi_az_nor_figures_of_small_gp3) {
  auto source = shop();
  source.multi_az = true;
  source.allocated_gib = 399;
  const auto settings = restore_request(source, "sealed", "copy", "waiting").settings;
  EXPECT_EQ(settings.availability_zone, std::nullopt);
  EXPECT_EQ(settings.iops, std::nullopt);
  EXPECT_EQ(settings.storage_throughput, std::nullopt);
  source.storage_type = "io2";
  EXPECT_EQ(restore_request(source, "sealed", "copy", "waiting").settings.iops, 12000);
}

TEST(TargetSettings, the_replica_stands_in_one_zone_without_protection_and_upgrades) {
  const auto settings = replica_request(shop()).settings;
  EXPECT_EQ(settings.multi_az, false);
  EXPECT_EQ(settings.deletion_protection, false);
  EXPECT_EQ(settings.auto_minor_version_upgrade, false);
  EXPECT_EQ(settings.instance_class, "db.m6g.large");
  EXPECT_THAT(settings.security_groups, ElementsAre("sg-1", "sg-2"));
  EXPECT_EQ(settings.subnet_group, std::nullopt);
}

TEST(TargetSettings, what_a_restore_does_not_take_is_changed_later_and_once) {
  const auto source = shop();
  auto target = shop();
  EXPECT_FALSE(later_changes(source, target));
  target.max_allocated_gib.reset();
  target.monitoring_interval = 0;
  target.performance_insights = false;
  target.maintenance_window = "mon:02:00-mon:03:00";
  const auto changes = later_changes(source, target);
  ASSERT_TRUE(changes);
  EXPECT_EQ(changes->identifier, "shop");
  EXPECT_EQ(changes->max_allocated_gib, 900);
  EXPECT_EQ(changes->monitoring_interval, 60);
  EXPECT_EQ(changes->monitoring_role_arn, "arn:role");
  EXPECT_EQ(changes->performance_insights, true);
  EXPECT_EQ(changes->performance_insights_key, "arn:key");
  EXPECT_EQ(changes->performance_insights_days, 7);
  EXPECT_EQ(changes->maintenance_window, "sun:02:00-sun:03:00");
  EXPECT_EQ(changes->backup_window, "01:00-01:30");
  EXPECT_FALSE(changes->multi_az);
}

std::vector<std::string> differences(const rds::DbInstance& source, const rds::DbInstance& target,
                                     const std::vector<rds::Parameter>& a = {},
                                     const std::vector<rds::Parameter>& b = {}, bool waiting = false) {
  std::vector<std::string> found;
  for (const auto& one : compare_instances({source, a}, {target, b}, waiting)) {
    EXPECT_FALSE(one.why.empty());
    found.push_back(one.what + ": " + one.source + " | " + one.target);
  }
  return found;
}

TEST(Parity, what_has_to_differ_is_left_out) {
  auto target = shop();
  target.identifier = "sealed";
  target.address = "elsewhere";
  target.arn = "arn:other";
  target.storage_encrypted = true;
  target.kms_key_id = "arn:key";
  target.parameter_groups = {{"waiting", "in-sync"}};
  target.tags = {{"team", "web"}, {"reseal:part", "target"}};
  std::swap(target.security_groups[0], target.security_groups[1]);
  EXPECT_THAT(differences(shop(), target), IsEmpty());
}

TEST(Parity, every_setting_that_differs_is_told) {
  using Change = std::function<void(rds::DbInstance&)>;
  const std::vector<std::pair<std::string, Change>> changes = {
      {"EngineVersion", [](auto& i) { i.engine_version = "8.0.40"; }},
      {"DBInstanceClass", [](auto& i) { i.instance_class = "db.t3.micro"; }},
      {"AllocatedStorage", [](auto& i) { i.allocated_gib = 1; }},
      {"MaxAllocatedStorage", [](auto& i) { i.max_allocated_gib.reset(); }},
      {"StorageType", [](auto& i) { i.storage_type = "gp2"; }},
      {"Iops", [](auto& i) { i.iops.reset(); }},
      {"StorageThroughput", [](auto& i) { i.storage_throughput = 1; }},
      {"DedicatedLogVolume", [](auto& i) { i.dedicated_log_volume = false; }},
      {"MultiAZ", [](auto& i) { i.multi_az = true; }},
      {"EngineLifecycleSupport", [](auto& i) { i.engine_lifecycle_support.clear(); }},
      {"DBSubnetGroupName", [](auto& i) { i.subnet_group = "public"; }},
      {"VpcSecurityGroupIds", [](auto& i) { i.security_groups = {"default"}; }},
      {"NetworkType", [](auto& i) { i.network_type = "DUAL"; }},
      {"PubliclyAccessible", [](auto& i) { i.publicly_accessible = false; }},
      {"Port", [](auto& i) { i.port = 3306; }},
      {"CACertificateIdentifier", [](auto& i) { i.ca_certificate = "old"; }},
      {"IAMDatabaseAuthenticationEnabled", [](auto& i) { i.iam_authentication = false; }},
      {"BackupRetentionPeriod", [](auto& i) { i.backup_retention_days = 1; }},
      {"PreferredBackupWindow", [](auto& i) { i.backup_window = "05:00-05:30"; }},
      {"PreferredMaintenanceWindow", [](auto& i) { i.maintenance_window.clear(); }},
      {"AutoMinorVersionUpgrade", [](auto& i) { i.auto_minor_version_upgrade = false; }},
      {"CopyTagsToSnapshot", [](auto& i) { i.copy_tags_to_snapshot = false; }},
      {"DeletionProtection", [](auto& i) { i.deletion_protection = false; }},
      {"MonitoringInterval", [](auto& i) { i.monitoring_interval = 0; }},
      {"MonitoringRoleArn", [](auto& i) { i.monitoring_role_arn.clear(); }},
      {"PerformanceInsightsEnabled", [](auto& i) { i.performance_insights = false; }},
      {"PerformanceInsightsRetentionPeriod", [](auto& i) { i.performance_insights_days.reset(); }},
      {"EnabledCloudwatchLogsExports", [](auto& i) { i.log_exports = {"error"}; }},
      {"OptionGroupName", [](auto& i) { i.option_groups.clear(); }},
      {"TagList", [](auto& i) { i.tags.clear(); }},
      {"ParameterApplyStatus of params", [](auto& i) { i.parameter_groups[0].status = "pending-reboot"; }}};
  for (const auto& [what, change] : changes) {
    auto target = shop();
    change(target);
    EXPECT_THAT(differences(shop(), target), ElementsAre(HasSubstr(what + ": ")));
  }
}

TEST(Parity, parameters_are_compared_by_their_values_and_a_waiting_target_is_read_only) {
  const auto is = [](const char* name, const char* value) {
    return rds::Parameter{name, value, "user", "dynamic", true};
  };
  const rds::Parameter unset = {"max_connections", std::nullopt, "engine-default", "dynamic", true};
  const std::vector<rds::Parameter> source = {unset, is("read_only", "{TrueIfReplica}"), is("event_scheduler", "ON"),
                                              is("sync_binlog", "1")};
  auto target = source;
  EXPECT_THAT(differences(shop(), shop(), source, target), IsEmpty());
  EXPECT_THAT(differences(shop(), shop(), source, target, true),
              ElementsAre("parameter event_scheduler: OFF | ON", "parameter read_only: 1 | {TrueIfReplica}"));
  target = {is("max_connections", "5"), is("read_only", "1"), is("event_scheduler", "OFF")};
  EXPECT_THAT(
      differences(shop(), shop(), source, target, true),
      ElementsAre("parameter max_connections: engine default | 5", "parameter sync_binlog: 1 | not in the group"));
}

}  // namespace
}  // namespace reseal::platform

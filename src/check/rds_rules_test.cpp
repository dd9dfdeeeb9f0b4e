// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "check/rds_state.hpp"

namespace reseal::check {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// An instance without any finding but the note of who asks.
struct RdsRules : testing::Test {
  RdsRequest request{"shop", "eu-central-1", "", "", false, {}};
  RdsState state;
  Findings findings;

  RdsRules() {
    state.region = "eu-central-1";
    state.instance.emplace();
    auto& instance = *state.instance;
    instance.identifier = "shop";
    instance.engine = "mysql";
    instance.engine_version = "8.0.39";
    instance.instance_class = "db.m6g.large";
    instance.status = "available";
    instance.storage_type = "gp3";
    instance.allocated_gib = 100;
    instance.backup_retention_days = 7;
    instance.address = "shop.abc.eu-central-1.rds.amazonaws.com";
    instance.parameter_groups = {{"g", "in-sync"}};
    instance.option_groups = {{"o", "in-sync"}};
    state.options = {{"8.0.39", "db.m6g.large", "gp3", true, true}};
    state.options_seen = true;
    state.quotas = {{"ManualSnapshots", 3, 100}, {"DBInstances", 2, 40}, {"AllocatedStorage", 100, 100'000}};
    state.kms_key = "alias/mine";
    state.key = rds::KmsKey{
        "k", "arn:aws:kms:eu-central-1:1:key/k", "Enabled", true, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "CUSTOMER"};
    state.key_seen = true;
  }

  std::vector<std::string> codes(Severity severity) {
    findings.clear();
    rds_instance_rules(request, state, findings);
    rds_room_rules(state, findings);
    rds_key_rules(state, findings);
    std::vector<std::string> found;
    for (const auto& finding : findings)
      if (finding.severity == severity) found.push_back(finding.code);
    return found;
  }
  std::vector<std::string> blockers() { return codes(Severity::blocker); }
  std::vector<std::string> warnings() { return codes(Severity::warning); }
  std::string mend(const std::string& code) {
    for (const auto& finding : findings)
      if (finding.code == code) return finding.mend;
    return "";
  }
  rds::DbInstance& instance() { return *state.instance; }
};

TEST_F(RdsRules, an_instance_in_order_gets_only_the_note_of_who_asks) {
  EXPECT_THAT(blockers(), IsEmpty());
  EXPECT_THAT(warnings(), IsEmpty());
  EXPECT_THAT(codes(Severity::note), ElementsAre("rds-identity"));
}

TEST_F(RdsRules, an_instance_that_is_not_there_blocks) {
  state.instance.reset();
  EXPECT_THAT(blockers(), ElementsAre("rds-no-instance"));
}

TEST_F(RdsRules, an_encrypted_instance_blocks) {
  instance().storage_encrypted = true;
  EXPECT_THAT(blockers(), ElementsAre("rds-already-encrypted"));
}

TEST_F(RdsRules, another_engine_or_a_cluster_blocks) {
  instance().engine = "mariadb";
  EXPECT_THAT(blockers(), ElementsAre("rds-engine"));
  instance().engine = "mysql";
  instance().cluster = "c";
  EXPECT_THAT(blockers(), ElementsAre("rds-engine"));
}

TEST_F(RdsRules, an_instance_that_is_not_available_blocks_unless_it_is_usable) {
  instance().status = "stopped";
  EXPECT_THAT(blockers(), ElementsAre("rds-not-available"));
  EXPECT_EQ(mend("rds-not-available"), "aws rds start-db-instance --region eu-central-1 --db-instance-identifier shop");
  instance().status = "modifying";
  EXPECT_THAT(blockers(), ElementsAre("rds-not-available"));
  EXPECT_THAT(mend("rds-not-available"), HasSubstr("wait db-instance-available"));
  instance().status = "storage-optimization";
  EXPECT_THAT(blockers(), IsEmpty());
  EXPECT_THAT(warnings(), ElementsAre("rds-not-available"));
}

TEST_F(RdsRules, no_backups_block) {
  instance().backup_retention_days = 0;
  EXPECT_THAT(blockers(), ElementsAre("rds-no-backups"));
  EXPECT_EQ(mend("rds-no-backups"),
            "aws rds modify-db-instance --region eu-central-1 --db-instance-identifier shop --backup-retention-period 7"
            " --apply-immediately (restarts it)");
}

TEST_F(RdsRules, a_replica_blocks_unless_it_is_meant) {
  instance().replica_source = "primary";
  EXPECT_THAT(blockers(), ElementsAre("rds-is-replica"));
  request.allow_replica_source = true;
  EXPECT_THAT(blockers(), IsEmpty());
  EXPECT_THAT(warnings(), ElementsAre("rds-is-replica"));
}

TEST_F(RdsRules, replicas_are_told_and_too_many_block) {
  instance().replicas = {"r1"};
  EXPECT_THAT(warnings(), ElementsAre("rds-has-replicas"));
  instance().replicas.assign(15, "r");
  EXPECT_THAT(blockers(), ElementsAre("rds-too-many-replicas"));
}

TEST_F(RdsRules, what_rds_calls_not_normal_is_told) {
  instance().status_infos = {{"read replication", true, "replicating", ""}};
  EXPECT_THAT(warnings(), IsEmpty());
  instance().status_infos = {{"read replication", false, "error", "1062"}};
  EXPECT_THAT(warnings(), ElementsAre("rds-status-info"));
}

TEST_F(RdsRules, pending_changes_and_reboots_are_told) {
  instance().pending = {{"DBInstanceClass", "db.m6g.xlarge"}, {"MasterUserPassword", ""}};
  instance().parameter_groups[0].status = "pending-reboot";
  instance().option_groups[0].status = "applying";
  EXPECT_THAT(warnings(), ElementsAre("rds-pending-changes", "rds-pending-reboot", "rds-group-not-applied"));
  EXPECT_EQ(findings[1].what,
            "changes wait for the maintenance window: DBInstanceClass=db.m6g.xlarge, MasterUserPassword");
  EXPECT_EQ(mend("rds-pending-reboot"),
            "aws rds reboot-db-instance --region eu-central-1 --db-instance-identifier shop");
}

TEST_F(RdsRules, a_class_that_cannot_be_encrypted_blocks) {
  state.options = {{"8.0.39", "db.m6g.large", "gp3", false, true}, {"8.0.39", "db.m6g.large", "io1", true, true}};
  EXPECT_THAT(blockers(), ElementsAre("rds-class-without-encryption"));
  state.options.clear();
  EXPECT_THAT(blockers(), IsEmpty());
  EXPECT_THAT(warnings(), ElementsAre("rds-class-not-offered"));
  state.options_seen = false;
  EXPECT_THAT(warnings(), IsEmpty());
}

TEST_F(RdsRules, an_endpoint_too_long_for_an_old_version_blocks) {
  instance().address = std::string(61, 'a');
  EXPECT_THAT(blockers(), IsEmpty());
  for (const auto* version : {"5.7.44", "8.0.16"}) {
    instance().engine_version = version;
    EXPECT_THAT(blockers(), ElementsAre("rds-host-too-long")) << version;
  }
  instance().engine_version = "8.0.17";
  EXPECT_THAT(blockers(), IsEmpty());
}

TEST_F(RdsRules, deletion_protection_and_upgrades_are_noted) {
  instance().deletion_protection = true;
  instance().auto_minor_version_upgrade = true;
  EXPECT_THAT(codes(Severity::note), ElementsAre("rds-identity", "rds-maintenance-window", "rds-deletion-protection"));
}

TEST_F(RdsRules, quotas_without_room_for_the_copies_block) {
  state.quotas = {{"ManualSnapshots", 99, 100}, {"DBInstances", 39, 40}, {"AllocatedStorage", 99'900, 100'000}};
  EXPECT_THAT(blockers(), ElementsAre("rds-snapshot-quota", "rds-instance-quota", "rds-storage-quota"));
  state.quotas = {{"ManualSnapshots", 98, 100}, {"DBInstances", 38, 40}, {"AllocatedStorage", 99'800, 100'000}};
  EXPECT_THAT(blockers(), IsEmpty());
}

TEST_F(RdsRules, a_key_that_cannot_be_used_blocks) {
  state.key->enabled = false;
  state.key->state = "Disabled";
  EXPECT_THAT(blockers(), ElementsAre("rds-key-disabled"));
  EXPECT_EQ(mend("rds-key-disabled"), "aws kms enable-key --region eu-central-1 --key-id k");
  state.key->state = "PendingDeletion";
  EXPECT_THAT(blockers(), ElementsAre("rds-key-disabled"));
  EXPECT_THAT(mend("rds-key-disabled"), HasSubstr("cancel-key-deletion"));
}

TEST_F(RdsRules, an_asymmetric_key_blocks) {
  state.key->spec = "RSA_2048";
  EXPECT_THAT(blockers(), ElementsAre("rds-key-kind"));
  state.key->spec = "SYMMETRIC_DEFAULT";
  state.key->usage = "GENERATE_VERIFY_MAC";
  EXPECT_THAT(blockers(), ElementsAre("rds-key-kind"));
}

TEST_F(RdsRules, a_key_elsewhere_or_nowhere_blocks) {
  state.key->arn = "arn:aws:kms:eu-west-1:1:key/k";
  EXPECT_THAT(blockers(), ElementsAre("rds-key-region"));
  state.key.reset();
  EXPECT_THAT(blockers(), ElementsAre("rds-no-key"));
  state.key_seen = false;
  EXPECT_THAT(blockers(), IsEmpty());
  state.kms_key = "arn:aws:kms:eu-west-1:1:key/k";
  EXPECT_THAT(blockers(), ElementsAre("rds-key-region"));
}

TEST_F(RdsRules, a_key_that_aws_manages_is_noted) {
  state.key->manager = "AWS";
  EXPECT_THAT(codes(Severity::note), ElementsAre("rds-identity", "rds-key-managed"));
}

}  // namespace
}  // namespace reseal::check

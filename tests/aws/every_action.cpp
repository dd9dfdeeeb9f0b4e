// SPDX-License-Identifier: Apache-2.0
// Sends every action of the client once, with every parameter that it knows, to the endpoint of AWS_ENDPOINT_URL. One
// line per action; exit 1 when one is refused. tests/aws/run has a judge at the other end.
#include <cstdio>
#include <string>

#include "rds/key_and_identity.hpp"
#include "rds/rds_client.hpp"
#include "rds/session.hpp"

namespace {

using namespace reseal::rds;

int refused = 0;

template <typename T>
void tell(const char* action, const Outcome<T>& outcome) {
  std::printf("%s %s\n", action, outcome.ok() ? "ok" : outcome.error().text().c_str());
  if (!outcome.ok()) ++refused;
}

InstanceSettings all_settings() {
  InstanceSettings all;
  all.instance_class = "db.m6g.large";
  all.port = 3306;
  all.availability_zone = "eu-central-1a";
  all.multi_az = false;
  all.subnet_group = "private";
  all.security_groups = {"sg-1", "sg-2"};
  all.parameter_group = "params";
  all.option_group = "options";
  all.storage_type = "gp3";
  all.iops = 3000;
  all.storage_throughput = 125;
  all.allocated_gib = 100;
  all.dedicated_log_volume = false;
  all.publicly_accessible = false;
  all.auto_minor_version_upgrade = true;
  all.deletion_protection = true;
  all.copy_tags_to_snapshot = true;
  all.iam_authentication = true;
  all.log_exports = {"error", "slowquery"};
  all.network_type = "IPV4";
  all.ca_certificate = "rds-ca-rsa2048-g1";
  return all;
}

ModifyInstance all_changes() {
  ModifyInstance all;
  all.identifier = "shop";
  all.new_identifier = "shop-old";
  all.parameter_group = "params";
  all.security_groups = {"sg-3"};
  all.multi_az = true;
  all.backup_retention_days = 7;
  all.backup_window = "01:00-01:30";
  all.maintenance_window = "sun:02:00-sun:03:00";
  all.deletion_protection = false;
  all.max_allocated_gib = 200;
  all.monitoring_interval = 60;
  all.monitoring_role_arn = "arn:aws:iam::1:role/m";
  all.performance_insights = true;
  all.performance_insights_key = "arn:aws:kms:eu-central-1:1:key/k";
  all.performance_insights_days = 7;
  all.ca_certificate = "rds-ca-rsa2048-g1";
  return all;
}

void read(RdsClient& client) {
  tell("DescribeDBInstances", client.describe_instance("shop"));
  tell("DescribeDBInstances", client.describe_instances());
  tell("DescribeDBSnapshots", client.describe_snapshot("snap"));
  tell("DescribeDBSnapshots", client.describe_snapshots_of("shop"));
  tell("DescribeDBParameterGroups", client.describe_parameter_group("params"));
  tell("DescribeDBParameters", client.describe_parameters("params"));
  tell("DescribeEvents", client.describe_events({"shop", "db-instance", 60}));
  tell("DescribeOrderableDBInstanceOptions", client.describe_orderable_options("mysql", "8.0.39", "db.m6g.large"));
  tell("DescribeAccountAttributes", client.describe_account_quotas());
  tell("ListTagsForResource", client.list_tags("arn:aws:rds:eu-central-1:1:db:shop"));
}

void write(RdsClient& client) {
  const Tags tags = {{"reseal:run", "r"}, {"name", "with space & <signs>/=+ é"}};
  tell("CreateDBInstanceReadReplica", client.create(CreateReadReplica{"copy", "shop", all_settings(), 200, tags}));
  tell("CreateDBSnapshot", client.create(CreateSnapshot{"snap", "copy", tags}));
  tell("CopyDBSnapshot", client.create(CopySnapshot{"snap", "snap-enc", "alias/mine", "options", tags}));
  tell("RestoreDBInstanceFromDBSnapshot",
       client.create(RestoreFromSnapshot{"enc", "snap-enc", all_settings(), 7, "01:00-01:30",
                                         "open-source-rds-extended-support", tags}));
  tell("CreateDBParameterGroup", client.create(CreateParameterGroup{"p", "mysql8.0", "text", tags}));
  tell("CopyDBParameterGroup", client.create(CopyParameterGroup{"params", "p", "text", tags}));
  tell("ModifyDBParameterGroup",
       client.modify_parameters("p", {{"read_only", "1", true}, {"event_scheduler", "OFF", false}}));
  tell("ModifyDBInstance", client.modify(all_changes()));
  tell("RebootDBInstance", client.reboot("enc"));
  tell("DeleteDBInstance", client.remove({"copy", std::nullopt, true}));
  tell("DeleteDBInstance", client.remove({"shop", "last", false}));
  tell("DeleteDBSnapshot", client.remove_snapshot("snap"));
  tell("DeleteDBParameterGroup", client.remove_parameter_group("p"));
  tell("AddTagsToResource", client.add_tags("arn:aws:rds:eu-central-1:1:db:shop", tags));
  tell("RemoveTagsFromResource", client.remove_tags("arn:aws:rds:eu-central-1:1:db:shop", {"a", "b"}));
}

}  // namespace

int main() {
  try {
    Session session({}, Environment::of_process());
    RdsClient client(session.rds(), {});
    read(client);
    write(client);
    tell("kms:DescribeKey", describe_key(session.kms(), "alias/mine", {}));
    tell("sts:GetCallerIdentity", caller_identity(session.sts(), {}));
  } catch (const reseal::base::Failure& failure) {
    std::printf("failed: %s\n", failure.what());
    return 1;
  }
  return refused == 0 ? 0 : 1;
}

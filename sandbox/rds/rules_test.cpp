// SPDX-License-Identifier: Apache-2.0
#include "sandbox/rds/rules.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "sandbox/rds/api_error.hpp"
#include "sandbox/rds/parameters.hpp"
#include "sandbox/rds/procedures.hpp"

namespace reseal::sandbox::rds {
namespace {

class RulesTest : public testing::Test {
 protected:
  RulesTest() {
    add("shop", "available");
    records_.groups["default.mysql9.7"] = {"default.mysql9.7", "mysql9.7", "", {}, {}};
    records_.groups["own"] = {"own", "mysql9.7", "", {}, {}};
  }

  Instance& add(const std::string& id, const std::string& status) {
    auto instance = std::make_shared<Instance>();
    instance->id = id;
    instance->status = status;
    instance->settings = initial_settings();
    instance->parameter_group = "default.mysql9.7";
    records_.instances[id] = instance;
    return *instance;
  }
  Instance& shop() { return *records_.instances["shop"]; }

  Records records_;
};

// "OK", or the code and status of the refusal.
std::string outcome(const std::function<void()>& check) {
  try {
    check();
    return "OK";
  } catch (const ApiError& error) {
    return error.code() + " " + std::to_string(error.status());
  }
}

const std::vector<std::string> statuses_on_the_way = {"creating", "backing-up", "modifying", "rebooting", "renaming",
                                                      "deleting", "stopping",   "stopped",   "starting",  "failed"};

TEST_F(RulesTest, needs_an_available_instance_for_what_works_on_it) {
  for (const auto& status : statuses_on_the_way) {
    shop().status = status;
    const std::string refused = "InvalidDBInstanceState 400";
    EXPECT_EQ(outcome([&] { require_available(shop()); }), refused) << status;
    EXPECT_EQ(outcome([&] { check_replica(records_, shop(), {}); }), refused) << status;
    EXPECT_EQ(outcome([&] { check_modify(records_, shop(), {}); }), refused) << status;
    EXPECT_EQ(outcome([&] { check_reboot(shop(), false); }), refused) << status;
    EXPECT_EQ(outcome([&] { check_stop(records_, shop()); }), refused) << status;
  }
}

TEST_F(RulesTest, refuses_names_that_exist) {
  EXPECT_EQ(outcome([&] { check_new_instance(records_, "shop"); }), "DBInstanceAlreadyExists 400");
  EXPECT_EQ(outcome([&] { check_new_instance(records_, "other"); }), "OK");
  records_.snapshots["s"] = std::make_shared<Snapshot>();
  EXPECT_EQ(outcome([&] { check_new_snapshot(records_, "s"); }), "DBSnapshotAlreadyExists 400");
  EXPECT_EQ(outcome([&] { check_modify(records_, shop(), Form::parse("NewDBInstanceIdentifier=shop")); }),
            "DBInstanceAlreadyExists 400");
}

TEST_F(RulesTest, refuses_names_that_are_none) {
  for (const auto* name : {"", "1a", "-a", "a-", "a--b", "a_b", "a.b", "\xc3\xa4"})
    EXPECT_EQ(outcome([&] { checked_identifier("Id", name, 63); }), "InvalidParameterValue 400") << name;
  EXPECT_EQ(checked_identifier("Id", "Shop-2", 63), "shop-2");
  EXPECT_EQ(outcome([&] { checked_identifier("Id", std::string(64, 'a'), 63); }), "InvalidParameterValue 400");
}

TEST_F(RulesTest, says_what_is_not_there) {
  EXPECT_EQ(outcome([&] { records_.instance("x"); }), "DBInstanceNotFound 404");
  EXPECT_EQ(outcome([&] { records_.snapshot("x"); }), "DBSnapshotNotFound 404");
  EXPECT_EQ(outcome([&] { records_.group("x"); }), "DBParameterGroupNotFound 404");
}

TEST_F(RulesTest, refuses_an_encrypted_replica_of_a_plain_source_and_one_without_backups) {
  EXPECT_EQ(outcome([&] { check_replica(records_, shop(), {}); }), "OK");
  EXPECT_EQ(outcome([&] { check_replica(records_, shop(), Form::parse("KmsKeyId=k")); }),
            "InvalidParameterCombination 400");
  EXPECT_EQ(outcome([&] { check_replica(records_, shop(), Form::parse("StorageEncrypted=true")); }),
            "InvalidParameterCombination 400");
  shop().settings["BackupRetentionPeriod"] = "0";
  EXPECT_EQ(outcome([&] { check_replica(records_, shop(), {}); }), "InvalidDBInstanceState 400");
}

TEST_F(RulesTest, refuses_the_sixteenth_replica) {
  for (int i = 1; i <= 15; ++i) {
    EXPECT_EQ(outcome([&] { check_replica(records_, shop(), {}); }), "OK") << i;
    add("copy" + std::to_string(i), "available").source_id = "shop";
  }
  EXPECT_EQ(outcome([&] { check_replica(records_, shop(), {}); }), "InstanceQuotaExceeded 400");
}

TEST_F(RulesTest, copies_and_restores_available_snapshots_only) {
  Snapshot snapshot;
  for (const auto* status : {"creating", "failed", "deleted"}) {
    snapshot.status = status;
    EXPECT_EQ(outcome([&] { check_copy(snapshot); }), "InvalidDBSnapshotState 400");
    EXPECT_EQ(outcome([&] { check_restore(snapshot, {}); }), "InvalidDBSnapshotState 400");
  }
  snapshot.status = "available";
  EXPECT_EQ(outcome([&] { check_copy(snapshot); }), "OK");
  EXPECT_EQ(outcome([&] { check_restore(snapshot, {}); }), "OK");
  EXPECT_EQ(outcome([&] { check_restore(snapshot, Form::parse("MultiAZ=true&AvailabilityZone=a")); }),
            "InvalidParameterCombination 400");
  EXPECT_EQ(outcome([&] { check_delete_snapshot(snapshot); }), "OK");
  snapshot.type = "automated";
  EXPECT_EQ(outcome([&] { check_delete_snapshot(snapshot); }), "InvalidDBSnapshotState 400");
}

TEST_F(RulesTest, deletes_only_with_a_choice_about_the_final_snapshot) {
  const auto deletes = [&](const char* body) {
    return outcome([&] { check_delete(records_, shop(), Form::parse(body)); });
  };
  EXPECT_EQ(deletes(""), "InvalidParameterCombination 400");
  EXPECT_EQ(deletes("SkipFinalSnapshot=false"), "InvalidParameterCombination 400");
  EXPECT_EQ(deletes("SkipFinalSnapshot=true&FinalDBSnapshotIdentifier=a"), "InvalidParameterCombination 400");
  EXPECT_EQ(deletes("SkipFinalSnapshot=true"), "OK");
  EXPECT_EQ(deletes("FinalDBSnapshotIdentifier=a"), "OK");
  shop().source_id = "other";
  EXPECT_EQ(deletes("FinalDBSnapshotIdentifier=a"), "InvalidParameterCombination 400");
  EXPECT_EQ(deletes("SkipFinalSnapshot=true"), "OK");
  shop().settings["DeletionProtection"] = "true";
  EXPECT_EQ(deletes("SkipFinalSnapshot=true"), "InvalidParameterCombination 400");
  shop().settings["DeletionProtection"] = "false";
  for (const auto* status : {"deleting", "creating", "modifying", "rebooting", "backing-up"}) {
    shop().status = status;
    EXPECT_EQ(deletes("SkipFinalSnapshot=true"), "InvalidDBInstanceState 400") << status;
  }
}

TEST_F(RulesTest, fails_over_with_a_second_zone_only) {
  EXPECT_EQ(outcome([&] { check_reboot(shop(), true); }), "InvalidParameterCombination 400");
  shop().settings["MultiAZ"] = "true";
  EXPECT_EQ(outcome([&] { check_reboot(shop(), true); }), "OK");
}

TEST_F(RulesTest, keeps_groups_that_are_in_use_or_default) {
  EXPECT_EQ(outcome([&] { check_delete_group(records_, records_.group("default.mysql9.7")); }),
            "InvalidDBParameterGroupState 400");
  EXPECT_EQ(outcome([&] { check_delete_group(records_, records_.group("own")); }), "OK");
  shop().parameter_group = "own";
  EXPECT_EQ(outcome([&] { check_delete_group(records_, records_.group("own")); }), "InvalidDBParameterGroupState 400");
}

TEST_F(RulesTest, checks_what_a_new_instance_needs) {
  const std::string whole =
      "Engine=mysql&DBInstanceClass=c&MasterUsername=a&AllocatedStorage=20&MasterUserPassword=longenough";
  const auto creates = [](const std::string& body) { return outcome([&] { check_create(Form::parse(body)); }); };
  EXPECT_EQ(creates(whole), "OK");
  EXPECT_EQ(creates(whole + "&Engine=postgres"), "InvalidParameterValue 400");
  EXPECT_EQ(creates(whole + "&MasterUserPassword=short"), "InvalidParameterValue 400");
  EXPECT_EQ(creates(whole + "&MasterUsername="), "MissingParameter 400");
  EXPECT_EQ(creates(whole + "&BackupRetentionPeriod=36"), "InvalidParameterValue 400");
  EXPECT_EQ(creates(whole + "&KmsKeyId=k"), "InvalidParameterCombination 400");
}

TEST(ParametersTest, gives_servers_defaults_own_values_and_the_replica_formula) {
  const ParameterGroup group{"own", "mysql9.7", "", {{"sync_binlog", "0"}, {"event_scheduler", "OFF"}}, {}};
  EXPECT_EQ(values_for(group, true).at("read_only"), "1");
  EXPECT_EQ(values_for(group, false).at("read_only"), "0");
  EXPECT_EQ(values_for(group, false).at("sync_binlog"), "0");
  EXPECT_EQ(values_for(group, false).at("event_scheduler"), "OFF");
  EXPECT_FALSE(values_for(group, false).contains("max_connections"));
}

TEST(ParametersTest, refuses_values_that_are_not_allowed) {
  const auto allowed = [](const char* name, const char* value) {
    return outcome([&] { check_parameter_value(parameter(name), value); });
  };
  EXPECT_EQ(allowed("gtid-mode", "ON"), "OK");
  EXPECT_EQ(allowed("gtid-mode", "MAYBE"), "InvalidParameterValue 400");
  EXPECT_EQ(allowed("wait_timeout", "60"), "OK");
  EXPECT_EQ(allowed("wait_timeout", "0"), "InvalidParameterValue 400");
  EXPECT_EQ(allowed("wait_timeout", "60; DROP"), "InvalidParameterValue 400");
  EXPECT_EQ(allowed("read_only", "{TrueIfReplica}"), "OK");
  EXPECT_EQ(outcome([] { parameter("no_such"); }), "InvalidParameterValue 400");
}

TEST(ParametersTest, writes_statements_that_the_server_takes) {
  EXPECT_EQ(set_statement(parameter("wait_timeout"), "60"), "SET GLOBAL wait_timeout = 60");
  EXPECT_EQ(set_statement(parameter("read_only"), "1"), "SET GLOBAL read_only = 1");
  EXPECT_EQ(set_statement(parameter("sql_mode"), "A'B"), "SET GLOBAL sql_mode = 'A\\'B'");
  EXPECT_EQ(set_statement(parameter("sql_mode"), std::nullopt), "SET GLOBAL sql_mode = DEFAULT");
}

TEST(ProceduresTest, have_the_names_of_the_series_and_no_blank_left) {
  const auto has = [](ProcedureNames names, const std::string& name) {
    for (const auto& statement : procedure_statements(names))
      if (statement.find("PROCEDURE mysql." + name + "(") != std::string::npos) return true;
    return false;
  };
  EXPECT_TRUE(has(ProcedureNames::source, "rds_set_external_source"));
  EXPECT_FALSE(has(ProcedureNames::source, "rds_set_external_master"));
  EXPECT_TRUE(has(ProcedureNames::master, "rds_set_external_master_with_auto_position"));
  EXPECT_FALSE(has(ProcedureNames::master, "rds_reset_external_source"));
  EXPECT_TRUE(has(ProcedureNames::both, "rds_next_master_log"));
  EXPECT_TRUE(has(ProcedureNames::both, "rds_next_source_log"));
  for (const auto& statement : procedure_statements(ProcedureNames::both))
    EXPECT_EQ(statement.find('{'), std::string::npos) << statement;
}

TEST(AccountTest, reads_names_out_of_arns) {
  const Account account;
  EXPECT_EQ(account.arn("db", "shop"), "arn:aws:rds:us-east-1:123456789012:db:shop");
  EXPECT_EQ(Account::name_of("shop"), "shop");
  EXPECT_EQ(Account::name_of(account.arn("snapshot", "rds:shop-2026")), "rds:shop-2026");
  EXPECT_EQ(outcome([] { Account::name_of("arn:aws:rds"); }), "InvalidParameterValue 400");
}

}  // namespace
}  // namespace reseal::sandbox::rds

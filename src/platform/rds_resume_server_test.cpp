// SPDX-License-Identifier: Apache-2.0
// The long way, killed after each step and run again, with lost answers, throttling, and what others do meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "platform/rds_copy_fixture_for_tests.hpp"
#include "platform/rds_teardown.hpp"

namespace reseal::platform {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const CopyRequest request = {"ledger", "ledger-sealed", "alias/sandbox", "cccccccc-1111-4222-8333-444455556666"};
const std::string replica = "reseal-cccccccc-replica";

class RdsResumeTest : public RdsCopyFixture {
 protected:
  static void SetUpTestSuite() {
    start();
    const auto groups = sandbox->act("DescribeDBParameterGroups", {});
    const auto family =
        groups.child("Result").child("DBParameterGroups").first_child().child_value("DBParameterGroupFamily");
    sandbox->act("CreateDBParameterGroup",
                 {{"DBParameterGroupName", "ledgers"}, {"DBParameterGroupFamily", family}, {"Description", "GTID"}});
    rds::RdsClient client(session->rds(), {});
    value_or_fail(client.modify_parameters("ledgers", {{"enforce_gtid_consistency", "ON", true},
                                                       {"gtid-mode", "ON", false},
                                                       {"event_scheduler", "ON", true},
                                                       {"max_connections", "123", true}}),
                  "modify");
    sandbox->create_instance(
        "ledger", {{"DBParameterGroupName", "ledgers"}, {"BackupRetentionPeriod", "3"}, {"MaxAllocatedStorage", "90"}});
    fill("ledger");
  }

  void run_until_stopped(std::stop_source& stop, const std::function<void(CopyStep)>& done) {
    try {
      run(request, done, stop.get_token());
      ADD_FAILURE() << "was not killed";
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.kind(), FailureKind::interrupted) << failure.what();
    }
  }
  /// Runs until a step is done, and is killed there after `then`.
  void run_until(
      CopyStep last, const std::function<void()>& then = [] {}) {
    std::stop_source stop;
    run_until_stopped(stop, [&](CopyStep step) {
      if (step != last) return;
      then();
      stop.request_stop();
    });
  }
  /// Is killed when it has asked for an action, which is carried out.
  void run_until_asked(const std::string& action) {
    SCOPED_TRACE(action);
    std::stop_source stop;
    sandbox->at(action, [&] { stop.request_stop(); });
    run_until_stopped(stop, {});
  }
  void expect_failure(FailureKind kind, const std::string& text, const std::function<void(CopyStep)>& done = {}) {
    try {
      run(request, done);
      ADD_FAILURE() << "went on, in place of: " << text;
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.kind(), kind) << failure.what();
      EXPECT_THAT(failure.what(), HasSubstr(text));
    }
  }
  /// The places of the next snapshots of the replica; one that is taken makes the snapshot fail.
  static std::vector<std::filesystem::path> next_snapshots() {
    std::vector<std::filesystem::path> places;
    const auto resource_id = instance(replica).resource_id;
    for (int i = 1; i < 100; ++i)
      places.push_back(sandbox->folder / "snapshots" / (std::to_string(i) + "-" + resource_id));
    return places;
  }
  static mysql::Session rdsadmin(const std::string& name) { return sandbox->rdsadmin(instance(name).resource_id); }

  /// Makes the stopped replica look as if a worker were so many bytes past the place. The server itself reads only the
  /// rows of workers that it has.
  static void plant_worker_ahead(std::uint64_t bytes) {
    auto admin = rdsadmin(replica);
    const auto status = read_replica_status(admin, mysql::server_facts(admin));
    admin.execute("REPLACE INTO mysql.slave_worker_info VALUES (9999, '', 4, '" + status.applied.file + "', " +
                  std::to_string(status.applied.offset + bytes) + ", '', 0, '', 0, 0, 64, '', '')");
  }
  static ReplicaPlace::Options place_options() { return {quick_wait(), std::chrono::milliseconds(300)}; }
};

TEST_F(RdsResumeTest, a_run_that_is_killed_at_each_step_goes_on_and_makes_nothing_twice) {
  sandbox->faults.throttle_every(7);
  for (const auto* action : {"CreateDBInstanceReadReplica", "CopyDBSnapshot", "RebootDBInstance", "DeleteDBSnapshot"})
    sandbox->faults.lose_answers(action, 1);
  CopyReport report;
  {
    const Writer writer(master("ledger"));
    run_until(CopyStep::log_kept);
    run_until_asked("CopyDBParameterGroup");
    run_until(CopyStep::replica_made, [] { plant_worker_ahead(1); });
    EXPECT_FALSE(notes.contains("rds-position"));
    run_until(CopyStep::replica_stopped);
    const auto noted = notes["rds-position"];
    const auto places = next_snapshots();
    for (const auto& place : places) std::filesystem::create_directories(place / "data");
    expect_failure(FailureKind::source, "the snapshot reseal-cccccccc-snapshot is failed");
    for (const auto& place : places) std::filesystem::remove_all(place);
    // Somebody starts replication before the snapshot is taken: nobody knows what is in it.
    expect_failure(FailureKind::refused, "It is of no use and was deleted", [](CopyStep step) {
      if (step == CopyStep::replica_stopped) master(replica).call("CALL mysql.rds_start_replication");
    });
    EXPECT_FALSE(notes.contains("rds-snapshot-proven"));
    run_until_asked("CreateDBSnapshot");
    run_until(CopyStep::snapshot_taken);
    EXPECT_NE(notes["rds-position"], noted);
    run_until(CopyStep::copied);
    run_until_asked("RestoreDBInstanceFromDBSnapshot");
    run_until(CopyStep::restored, [] {
      rds::RdsClient client(session->rds(), {});
      value_or_fail(client.modify_parameters("reseal-cccccccc-waiting", {{"performance_schema", "1", false}}),
                    "modify");
    });
    run_until_asked("ModifyDBInstance");
    report = run(request);
    follow("ledger", report);
    writer.wait_for_more(20);
  }
  sandbox->faults.throttle_every(0);
  expect_caught_up("ledger", report);
  EXPECT_FALSE(report.position.gtids.empty());
  EXPECT_EQ(instance("ledger-sealed").parameter_groups.at(0).status, "in-sync");
  EXPECT_EQ(instance("ledger-sealed").max_allocated_gib, 90);
  EXPECT_EQ(sandbox->open(report.host, report.port).scalar("SELECT CAST(@@GLOBAL.max_connections AS CHAR)"), "123");

  rds::RdsClient client(session->rds(), {});
  std::vector<std::string> instances;
  std::vector<std::string> snapshots;
  for (const auto& one : value_or_fail(client.describe_instances(), "describe")) {
    instances.push_back(one.identifier);
    for (const auto& snapshot : value_or_fail(client.describe_snapshots_of(one.identifier), "describe"))
      if (snapshot.type == "manual") snapshots.push_back(snapshot.identifier);
  }
  EXPECT_THAT(instances, UnorderedElementsAre("ledger", replica, "ledger-sealed"));
  EXPECT_THAT(snapshots, UnorderedElementsAre("reseal-cccccccc-snapshot", "reseal-cccccccc-copy"));
}

TEST_F(RdsResumeTest, a_target_with_other_transactions_than_the_replica_had_is_refused) {
  auto source = master("ledger");
  const auto uuid = source.scalar("SELECT @@server_uuid").value_or("");
  notes = {{"rds-retention-before", "none"}, {"rds-position", "mysql-bin-changelog.000001:4 " + uuid + ":1"}};
  EXPECT_THAT(refusal(request), AllOf(HasSubstr("missing ''"), HasSubstr("foreign '" + uuid)));
  notes["rds-position"] = "mysql-bin-changelog.000001:4 " + uuid + ":1-99999999";
  EXPECT_THAT(refusal(request), AllOf(HasSubstr("missing '" + uuid), HasSubstr("foreign ''")));
}

TEST_F(RdsResumeTest, a_replica_whose_workers_stay_ahead_has_no_exact_place) {
  auto source = master("ledger");
  auto stopped = master(replica);
  const rds::Clock clock = rds::Clock::system();
  ReplicaPlace place(source, stopped, place_options(), clock, {});
  plant_worker_ahead(1U << 30U);
  try {
    (void)place.stop();
    ADD_FAILURE() << "a place with gaps was taken";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.kind(), FailureKind::refused);
    EXPECT_THAT(failure.what(), HasSubstr("there are gaps between"));
  }
  rdsadmin(replica).execute("DELETE FROM mysql.slave_worker_info WHERE Id = 9999");
  EXPECT_FALSE(farthest_worker(stopped).empty());
  EXPECT_LE(farthest_worker(stopped), place.stop().binlog);
}

TEST_F(RdsResumeTest, only_the_begin_of_a_transaction_is_between_two) {
  auto source = master("ledger");
  source.execute("FLUSH BINARY LOGS");
  source.execute("START TRANSACTION");
  source.execute("INSERT INTO shop.orders (note) VALUES ('one'), ('two')");
  source.execute("INSERT INTO shop.orders (note) VALUES ('three')");
  source.execute("COMMIT");
  const auto end = mysql::binlog_end(source, mysql::server_facts(source)).binlog;
  int inside = 0;
  for (const auto& row : source.named_rows("SHOW BINLOG EVENTS IN '" + end.file + "'")) {
    const auto type = row.at("Event_type").value_or("");
    const bool within = type == "Query" || type == "Table_map" || type == "Write_rows" || type == "Xid" ||
                        type == "Update_rows" || type == "Rows_query";
    const auto offset = std::stoull(row.at("Pos").value_or(""));
    EXPECT_EQ(is_between_transactions(source, {end.file, offset}), !within) << type << " at " << offset;
    inside += within ? 1 : 0;
  }
  EXPECT_GE(inside, 6);
  EXPECT_TRUE(is_between_transactions(source, mysql::binlog_end(source, mysql::server_facts(source)).binlog));
  EXPECT_THROW((void)is_between_transactions(source, {end.file, 5}), Failure);
  EXPECT_THROW((void)is_between_transactions(source, {end.file, 1U << 30U}), Failure);
  EXPECT_THROW((void)is_between_transactions(source, {"mysql-bin-changelog.999999", 4}), Failure);
}

TEST_F(RdsResumeTest, the_last_of_a_run_is_removed_when_the_target_has_a_group_of_its_own) {
  rds::RdsClient client(session->rds(), {});
  rds::OwnedResources owned(client, request.run_id);
  rds::ModifyInstance change;
  change.identifier = request.target;
  change.parameter_group = "ledgers";
  value_or_fail(client.modify(change), "modify");
  master(request.target);
  EXPECT_THAT(remove_made(client, owned, request.target, quick_wait()), testing::Contains("reseal-cccccccc-waiting"));
  EXPECT_THAT(list_made(owned, request.target), testing::SizeIs(1));
}

// After the others: they asked for everything. Not asked for, and needed all the same: tags in a creating request, the
// grant for the key of the copy, and the role of monitoring.
TEST_F(RdsResumeTest, the_policy_in_deploy_allows_what_was_used_and_nothing_else) {
  std::ifstream file(RESEAL_POLICY);
  std::set<std::string> allowed;
  const auto policy = nlohmann::json::parse(file);
  for (const auto& statement : policy.at("Statement")) {
    const auto& actions = statement.at("Action");
    if (actions.is_string()) allowed.insert(actions.get<std::string>());
    if (actions.is_array())
      for (const auto& action : actions) allowed.insert(action.get<std::string>());
  }
  auto used = sandbox->actions();
  used.insert({"rds:AddTagsToResource", "rds:CreateDBParameterGroup", "rds:DescribeDBParameters", "kms:CreateGrant",
               "iam:PassRole"});
  EXPECT_EQ(used, allowed);
}

}  // namespace
}  // namespace reseal::platform

// SPDX-License-Identifier: Apache-2.0
#include "check/rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reseal::check {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

sql::Table table_with_key(const std::string& name) {
  sql::Table table;
  table.name = {"shop", name};
  table.engine = "InnoDB";
  table.columns.push_back({"id", "int", "int", sql::ColumnFamily::integer, "", "", false});
  table.keys.push_back({"PRIMARY", true, {{0, std::nullopt, false}}});
  return table;
}

sql::Column column(const std::string& name, const std::string& type, sql::ColumnFamily family) {
  return {name, type, type, family};
}

SourceState good_source() {
  SourceState source;
  source.server.where = Where::source;
  source.server.version = "9.7.4";
  source.server.facts = {"9.7.4", 9, 7, "uuid-of-the-source", 1, true};
  source.server.variables = {{"log_bin", "ON"},
                             {"binlog_format", "ROW"},
                             {"binlog_row_image", "FULL"},
                             {"binlog_row_value_options", ""},
                             {"binlog_order_commits", "ON"},
                             {"sync_binlog", "1"},
                             {"innodb_flush_log_at_trx_commit", "1"},
                             {"gtid_mode", "ON"},
                             {"binlog_expire_logs_seconds", "2592000"},
                             {"max_allowed_packet", "67108864"}};
  source.schemas = {"shop"};
  source.tables = {table_with_key("orders")};
  return source;
}

TargetState good_target() {
  TargetState target;
  target.server.where = Where::target;
  target.server.facts = {"9.7.4", 9, 7, "uuid-of-the-target", 2, true};
  target.server.variables = {{"default_table_encryption", "ON"},
                             {"innodb_redo_log_encrypt", "ON"},
                             {"innodb_undo_log_encrypt", "ON"},
                             {"local_infile", "ON"},
                             {"log_bin", "ON"},
                             {"binlog_encryption", "ON"},
                             {"max_allowed_packet", "67108864"},
                             {"log_output", "FILE"}};
  target.keyring = "component_keyring_file";
  target.mysql_tablespace = "Y";
  return target;
}

std::vector<std::string> codes(const Findings& findings, Severity severity = Severity::blocker) {
  std::vector<std::string> found;
  for (const auto& finding : findings)
    if (finding.severity == severity) found.push_back(finding.code);
  return found;
}

Findings of_binlog(const SourceState& source, const CheckRequest& request = {}) {
  Findings findings;
  binlog_rules(request, source, findings);
  return findings;
}

TEST(BinlogRules, find_nothing_in_a_good_source) { EXPECT_THAT(of_binlog(good_source()), IsEmpty()); }

TEST(BinlogRules, take_a_removed_binlog_format_for_rows) {
  auto source = good_source();
  source.server.variables.erase("binlog_format");
  EXPECT_THAT(of_binlog(source), IsEmpty());
}

TEST(BinlogRules, block_partial_json_only_without_the_full_image) {
  auto source = good_source();
  source.server.variables["binlog_row_value_options"] = "PARTIAL_JSON";
  EXPECT_THAT(codes(of_binlog(source)), IsEmpty());
  source.server.variables["binlog_row_image"] = "NOBLOB";
  EXPECT_THAT(codes(of_binlog(source)), ElementsAre("partial-json"));
  source.server.variables["binlog_row_value_options"] = "";
  EXPECT_THAT(codes(of_binlog(source), Severity::warning), ElementsAre("row-image"));
}

TEST(BinlogRules, weigh_the_retention_against_the_estimate) {
  auto source = good_source();
  CheckRequest request;
  request.copy_bytes_per_second = 1000;
  source.tables[0].estimated_bytes = 1000 * 86400;
  source.server.variables["binlog_expire_logs_seconds"] = "170000";
  EXPECT_THAT(codes(of_binlog(source, request)), ElementsAre("binlog-retention"));
  source.server.variables["binlog_expire_logs_seconds"] = "180000";
  EXPECT_THAT(of_binlog(source, request), IsEmpty());
  source.server.variables["binlog_expire_logs_seconds"] = "0";
  EXPECT_THAT(of_binlog(source, request), IsEmpty());
  source.server.variables.erase("binlog_expire_logs_seconds");
  source.server.variables["expire_logs_days"] = "1";
  EXPECT_THAT(codes(of_binlog(source, request)), ElementsAre("binlog-retention"));
}

TEST(BinlogRules, judge_every_gtid_mode) {
  auto source = good_source();
  source.server.variables["gtid_mode"] = "OFF";
  EXPECT_THAT(codes(of_binlog(source), Severity::note), ElementsAre("gtid-off"));
  source.server.variables["gtid_mode"] = "ON_PERMISSIVE";
  EXPECT_THAT(codes(of_binlog(source), Severity::warning), ElementsAre("gtid-permissive"));
}

TEST(BinlogRules, block_filters_and_a_server_without_id) {
  auto source = good_source();
  source.binlog_ignore_db = "shop";
  source.server.facts.server_id = 0;
  EXPECT_THAT(codes(of_binlog(source)), ElementsAre("server-id", "binlog-filter"));
}

TEST(TableRules, judge_tables_without_a_row_key_by_their_columns) {
  auto source = good_source();
  sql::Table log = table_with_key("log");
  log.keys.clear();
  source.tables = {log};
  Findings findings;
  table_rules(source, findings);
  EXPECT_THAT(codes(findings, Severity::warning), ElementsAre("no-row-key"));
  for (const auto family :
       {sql::ColumnFamily::json, sql::ColumnFamily::real32, sql::ColumnFamily::real64, sql::ColumnFamily::geometry}) {
    source.tables = {log};
    source.tables[0].columns.push_back(column("doc", "x", family));
    findings.clear();
    table_rules(source, findings);
    EXPECT_THAT(codes(findings), ElementsAre("no-row-key-inexact"));
  }
}

TEST(TableRules, block_a_float_in_the_row_key_and_json_before_8_0) {
  auto source = good_source();
  source.tables[0].columns[0] = {"id", "double", "double", sql::ColumnFamily::real64, "", "", false};
  source.tables[0].columns.push_back(column("doc", "json", sql::ColumnFamily::json));
  source.server.facts.major = 5;
  Findings findings;
  table_rules(source, findings);
  EXPECT_THAT(codes(findings), ElementsAre("float-row-key", "json-version"));
}

TEST(TableRules, note_many_tables_in_one_finding) {
  auto source = good_source();
  source.tables.clear();
  for (int i = 0; i < 12; ++i) {
    source.tables.push_back(table_with_key("t" + std::to_string(i)));
    source.tables.back().columns.push_back(column("g", "int", sql::ColumnFamily::integer));
    source.tables.back().columns.back().generated = true;
  }
  Findings findings;
  table_rules(source, findings);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].code, "generated-columns");
  EXPECT_THAT(findings[0].what, testing::EndsWith("and 2 more"));
}

TEST(TableRules, block_an_unknown_type_and_a_missing_schema) {
  auto source = good_source();
  source.unknown_columns.push_back({{"shop", "odd"}, "c", "quaternion"});
  source.missing_schemas.push_back("shopp");
  Findings findings;
  table_rules(source, findings);
  EXPECT_THAT(codes(findings), ElementsAre("schema-missing", "column-type-unknown"));
}

TEST(ObjectRules, judge_cascades_by_who_logs_them) {
  auto source = good_source();
  source.foreign_keys.push_back({{"shop", "lines"}, "fk", "shop", "orders", "NO ACTION", "SET NULL"});
  Findings findings;
  object_rules(source, findings);
  EXPECT_THAT(codes(findings), IsEmpty());
  EXPECT_THAT(codes(findings, Severity::note), ElementsAre("foreign-key-cascade"));

  source.server.variables["innodb_native_foreign_keys"] = "ON";
  findings.clear();
  object_rules(source, findings);
  EXPECT_THAT(codes(findings), ElementsAre("foreign-key-cascade"));

  source.server.variables.erase("innodb_native_foreign_keys");
  source.server.facts.minor = 5;
  findings.clear();
  object_rules(source, findings);
  EXPECT_THAT(codes(findings), ElementsAre("foreign-key-cascade"));
}

TEST(ObjectRules, find_schema_change_tools_at_work) {
  auto source = good_source();
  source.tables.push_back(table_with_key("_orders_gho"));
  source.tables.push_back(table_with_key("_orders_del"));
  source.tables.push_back(table_with_key("_alone_gho"));
  source.triggers.push_back({"shop", "pt_osc_shop_orders_ins", "orders"});
  Findings findings;
  object_rules(source, findings);
  EXPECT_THAT(codes(findings), ElementsAre("schema-change-running", "schema-change-running"));
  EXPECT_THAT(codes(findings, Severity::warning), ElementsAre("schema-change-leftover"));
}

TEST(IdentityRules, judge_versions_and_identity) {
  auto source = good_source().server;
  auto target = good_target().server;
  Findings findings;
  EXPECT_TRUE(identity_rules(source, target, findings));
  EXPECT_THAT(findings, IsEmpty());
  target.facts = {"8.4.0", 8, 4, source.facts.uuid, 1, true};
  EXPECT_TRUE(identity_rules(source, target, findings));
  EXPECT_THAT(codes(findings), ElementsAre("same-server", "target-older"));
  source.mariadb = true;
  EXPECT_FALSE(identity_rules(source, target, findings));
  EXPECT_THAT(codes(findings), Contains("not-mysql"));
}

TEST(IdentityRules, block_a_source_before_5_7) {
  auto source = good_source().server;
  source.facts = {"5.6.51", 5, 6, "other", 1, false};
  Findings findings;
  identity_rules(source, good_target().server, findings);
  EXPECT_THAT(codes(findings), ElementsAre("source-version"));
}

TEST(TargetRules, block_each_place_that_is_not_encrypted) {
  const auto source = good_source();
  Findings findings;
  target_rules({}, source, good_target(), findings);
  EXPECT_THAT(codes(findings), IsEmpty());
  auto target = good_target();
  for (const char* name :
       {"default_table_encryption", "innodb_redo_log_encrypt", "innodb_undo_log_encrypt", "binlog_encryption"})
    target.server.variables[name] = "OFF";
  target.keyring.clear();
  target.mysql_tablespace = "N";
  findings.clear();
  target_rules({}, source, target, findings);
  EXPECT_THAT(codes(findings), ElementsAre("target-default-encryption", "target-redo-plain", "target-undo-plain",
                                           "target-keyring", "target-binlog-plain", "target-mysql-tablespace"));
}

TEST(TargetRules, accept_what_our_own_run_left_and_nothing_else) {
  const auto source = good_source();
  auto target = good_target();
  target.objects = {{"shop", 3}};
  target.run_table = true;
  target.server.variables["super_read_only"] = "ON";
  Findings findings;
  target_rules({}, source, target, findings);
  EXPECT_THAT(codes(findings), ElementsAre("target-not-empty", "target-not-empty", "target-read-only"));
  target.ours = true;
  findings.clear();
  target_rules({}, source, target, findings);
  EXPECT_THAT(codes(findings), IsEmpty());
}

TEST(TargetRules, block_a_disk_that_is_too_small) {
  auto source = good_source();
  source.tables[0].estimated_bytes = 100'000'000'000;
  CheckRequest request;
  request.target_free_bytes = 120'000'000'000;
  Findings findings;
  target_rules(request, source, good_target(), findings);
  EXPECT_THAT(codes(findings), ElementsAre("target-disk"));
}

TEST(PairRules, compare_settings_and_limits) {
  auto source = good_source();
  auto target = good_target();
  Findings findings;
  pair_rules(source, target, findings);
  EXPECT_THAT(findings, IsEmpty());
  source.server.variables["lower_case_table_names"] = "0";
  target.server.variables["lower_case_table_names"] = "1";
  source.server.variables["sql_mode"] = "";
  target.server.variables["sql_mode"] = "STRICT_ALL_TABLES";
  target.server.variables["max_allowed_packet"] = "1048576";
  source.collations = {"utf8_bin", "utf8mb4_0900_bin", "latin1_danish_ci"};
  target.collations = {"utf8mb3_bin", "latin1_danish_ci"};
  pair_rules(source, target, findings);
  EXPECT_THAT(codes(findings), ElementsAre("lower-case-table-names", "max-allowed-packet", "collation-missing"));
  EXPECT_THAT(codes(findings, Severity::warning), ElementsAre("sql-mode"));
}

TEST(PairRules, block_accounts_that_could_not_log_in) {
  auto source = good_source();
  auto target = good_target();
  source.login_plugins = {{"caching_sha2_password", {"a@%"}}, {"mysql_native_password", {"b@%"}}};
  target.login_plugins = {"caching_sha2_password"};
  Findings findings;
  pair_rules(source, target, findings);
  EXPECT_THAT(codes(findings), ElementsAre("login-plugin-missing"));
}

TEST(PrivilegeRules, name_what_is_missing_and_the_grant_that_mends_it) {
  auto source = good_source();
  source.server.account = "mover@%";
  source.server.privileges.add(parse_grant("GRANT SELECT ON *.* TO `mover`@`%`").value());
  auto target = good_target();
  target.server.privileges.add(parse_grant("GRANT ALL PRIVILEGES ON *.* TO `m`@`%` WITH GRANT OPTION").value());
  Findings findings;
  privilege_rules(source, target, findings);
  EXPECT_THAT(codes(findings), Not(IsEmpty()));
  for (const auto& finding : findings) EXPECT_EQ(finding.where, Where::source);
  EXPECT_THAT(findings,
              Contains(testing::Field(&Finding::mend,
                                      "GRANT SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON `shop`.* TO 'mover'@'%'")));
  EXPECT_THAT(codes(findings, Severity::warning), Contains("privilege-missing-for-the-way-back"));
  EXPECT_THAT(codes(findings, Severity::warning), Not(Contains("triggers-for-the-way-back")));
  source.server.variables["log_bin"] = "ON";
  source.triggers = {{"shop", "noted", ""}};
  Findings with_triggers;
  privilege_rules(source, target, with_triggers);
  EXPECT_THAT(codes(with_triggers, Severity::warning), Contains("triggers-for-the-way-back"));
  EXPECT_THAT(findings, Contains(testing::Field(
                            &Finding::mend, "GRANT INSERT, UPDATE, DELETE, CREATE, ALTER ON `shop`.* TO 'mover'@'%'")));
}

TEST(ConnectionRules, warn_of_a_clear_connection_and_of_few_free_ones) {
  auto server = good_source().server;
  server.variables["max_connections"] = "100";
  server.threads_connected = 90;
  Findings findings;
  connection_rules({}, server, findings);
  EXPECT_THAT(codes(findings, Severity::warning), ElementsAre("no-tls", "max-connections"));
}

TEST(Render, sorts_counts_and_hides_control_characters) {
  Findings findings = {{Severity::note, "n", Where::both, "s", "w", "y", ""},
                       {Severity::blocker, "binlog-off", Where::source, "log\nbin", "what", "why", "mend"}};
  sort_by_severity(findings);
  const auto text = render_text(findings);
  EXPECT_TRUE(text.starts_with("blocker  binlog-off  source  log")) << text;
  EXPECT_TRUE(text.ends_with("1 blockers, 0 warnings, 1 notes\n")) << text;
  EXPECT_THAT(text, Not(testing::HasSubstr("log\nbin")));
  EXPECT_THAT(render_json(findings), testing::HasSubstr("\"ready\": false"));
  EXPECT_FALSE(ready(findings));
  EXPECT_TRUE(ready({}));
}

}  // namespace
}  // namespace reseal::check

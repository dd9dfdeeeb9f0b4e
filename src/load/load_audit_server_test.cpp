// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "load/audit.hpp"
#include "load/audit_test_support.hpp"
#include "load/prepare.hpp"
#include "load/run.hpp"
#include "sandbox/test_server.hpp"

namespace reseal::load {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

/// One server with a short run on it, for all tests of the suite; each test mends what it broke.
class AuditOfARun : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = std::make_unique<sandbox::TestServer>();
    base::Log log(base::Log::Level::quiet);
    PrepareOptions shop;
    shop.endpoint = server_->endpoint();
    shop.scale = 0.4;  // enough that a table takes more than one statement
    shop.canary = "CANARY-7f3a";
    prepared_ = prepare(shop, log);
    RunOptions run;
    run.endpoint = server_->endpoint();
    run.log_folder = scratch() / "logs";
    run.clients = 4;
    run.seconds = std::chrono::seconds(5);
    ran_ = run_load(run, {}, log);
  }
  static void TearDownTestSuite() {
    server_.reset();
    fs::remove_all(scratch());
  }

  AuditOfARun() : session_(open_shop(server_->endpoint(), "shop")) {}
  // A fault that was not mended would be found by every test after this one.
  void TearDown() override { EXPECT_THAT(found(), IsEmpty()); }

  static AuditReport report() {
    AuditOptions options;
    options.log_folders = {scratch() / "logs"};
    options.serving = server_->endpoint();
    return audit(options);
  }
  static std::vector<std::string> found() { return lines_of(report()); }

  std::string one(const std::string& query) { return session_.scalar(query).value_or("NULL"); }
  void sql(const std::string& statement) { session_.execute(statement); }
  static auto line(const std::string& fault, const std::string& op, const std::string& rest) {
    return Contains(AllOf(HasSubstr(fault + " op=" + op + " "), HasSubstr(rest)));
  }

  static std::unique_ptr<sandbox::TestServer> server_;
  static PrepareReport prepared_;
  static RunReport ran_;
  mysql::Session session_;
};
std::unique_ptr<sandbox::TestServer> AuditOfARun::server_;
PrepareReport AuditOfARun::prepared_;
RunReport AuditOfARun::ran_;

TEST_F(AuditOfARun, finds_nothing_wrong_when_nothing_is) {
  EXPECT_GT(ran_.totals.ops_ok, 100U);
  EXPECT_EQ(ran_.totals.ops_unknown, 0U);
  EXPECT_EQ(ran_.totals.unexpected_errors(), 0U);
  EXPECT_EQ(ran_.totals.connections_lost, 0U);
  const auto clean = report();
  EXPECT_EQ(clean.operations, ran_.totals.ops_ok + ran_.totals.ops_error);
  EXPECT_TRUE(fs::exists(scratch() / "logs" / "summary.json"));
  EXPECT_EQ(one("SELECT COUNT(DISTINCT kind) FROM ledger"), "16");
}

TEST_F(AuditOfARun, prepare_fills_about_what_the_scale_says_and_plants_the_canary) {
  EXPECT_NEAR(static_cast<double>(prepared_.rows), 40'000, 4'000);
  EXPECT_NE(one("SELECT COUNT(*) FROM customers WHERE note = 'CANARY-7f3a'"), "0");
  EXPECT_NE(one("SELECT COUNT(*) FROM blobs WHERE body LIKE 'CANARY-7f3a%'"), "0");
}

TEST_F(AuditOfARun, prepare_refuses_a_schema_with_tables) {
  base::Log log(base::Log::Level::quiet);
  PrepareOptions again;
  again.endpoint = server_->endpoint();
  EXPECT_THROW(prepare(again, log), base::Failure);
}

TEST_F(AuditOfARun, names_an_acknowledged_operation_whose_ledger_row_is_gone) {
  const auto op = one("SELECT MIN(op_id) FROM ledger WHERE kind = 'transfer'");
  sql("CREATE TABLE kept AS SELECT * FROM ledger WHERE op_id = " + op);
  sql("DELETE FROM ledger WHERE op_id = " + op);
  const auto lines = found();
  EXPECT_THAT(lines, line("LOST", op, "kind=transfer: acknowledged, but not in the ledger"));
  EXPECT_THAT(lines, line("HALF", op, "has its effect, but the operation is not in the ledger"));
  EXPECT_EQ(report().count(Fault::lost), 1U);
  sql("INSERT INTO ledger SELECT * FROM kept");
  sql("DROP TABLE kept");
}

TEST_F(AuditOfARun, names_an_operation_that_is_lost_with_its_effect) {
  const auto op = one("SELECT MIN(op_id) FROM ledger WHERE kind = 'transfer'");
  sql("CREATE TABLE kept AS SELECT * FROM ledger WHERE op_id = " + op);
  sql("UPDATE accounts JOIN kept ON id = from_id SET balance = balance + amount, version = version - 1");
  sql("UPDATE accounts JOIN kept ON id = to_id SET balance = balance - amount, version = version - 1");
  sql("DELETE FROM ledger WHERE op_id = " + op);
  const auto lines = found();
  EXPECT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines, line("LOST", op, "kind=transfer"));
  sql("UPDATE accounts JOIN kept ON id = from_id SET balance = balance - amount, version = version + 1");
  sql("UPDATE accounts JOIN kept ON id = to_id SET balance = balance + amount, version = version + 1");
  sql("INSERT INTO ledger SELECT * FROM kept");
  sql("DROP TABLE kept");
}

TEST_F(AuditOfARun, names_a_transfer_whose_effect_is_there_twice) {
  const auto op = one("SELECT MIN(op_id) FROM ledger WHERE kind = 'transfer'");
  const auto change = [&](const char* out, const char* in) {
    sql(fmt::format(
        "UPDATE accounts JOIN ledger ON id = from_id SET balance = balance {} amount, version = version {} 1"
        " WHERE op_id = {}",
        out, in, op));
    sql(
        fmt::format("UPDATE accounts JOIN ledger ON id = to_id SET balance = balance {} amount, version = version {} 1"
                    " WHERE op_id = {}",
                    in, in, op));
  };
  change("-", "+");
  const auto lines = found();
  EXPECT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines, line("DUPLICATED", op, "once too often"));
  change("+", "-");
}

TEST_F(AuditOfARun, names_a_transfer_of_which_one_leg_is_missing) {
  const auto op = one("SELECT MIN(op_id) FROM ledger WHERE kind = 'transfer'");
  const auto change = [&](const char* sign) {
    sql(fmt::format(
        "UPDATE accounts JOIN ledger ON id = to_id SET balance = balance {0} amount, version = version {0} 1"
        " WHERE op_id = {1}",
        sign, op));
  };
  change("-");
  const auto lines = found();
  EXPECT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines, line("HALF", op, "lacks its effect, though the operation is in the ledger"));
  change("+");
}

TEST_F(AuditOfARun, names_a_transfer_without_any_effect) {
  const auto op = one("SELECT MIN(op_id) FROM ledger WHERE kind = 'transfer'");
  const auto change = [&](const char* back, const char* forth) {
    sql(fmt::format(
        "UPDATE accounts JOIN ledger ON id = from_id SET balance = balance {} amount, version = version {} 1"
        " WHERE op_id = {}",
        back, forth, op));
    sql(fmt::format(
        "UPDATE accounts JOIN ledger ON id = to_id SET balance = balance {0} amount, version = version {0} 1"
        " WHERE op_id = {1}",
        forth, op));
  };
  change("+", "-");
  EXPECT_THAT(found(), line("HALF", op, "lacks its effect"));
  change("-", "+");
}

TEST_F(AuditOfARun, finds_a_lost_update_that_only_the_version_shows) {
  sql("UPDATE accounts SET version = version + 1 WHERE id = 5");
  EXPECT_THAT(found(), Contains(HasSubstr("account 5: its balance is 0 and its version 1 off")));
  sql("UPDATE accounts SET version = version - 1 WHERE id = 5");
}

TEST_F(AuditOfARun, names_the_operation_behind_a_stale_document) {
  const auto op = one("SELECT MAX(op_id) FROM documents WHERE client <> 0");
  sql("CREATE TABLE kept AS SELECT id, body FROM documents WHERE op_id = " + op);
  for (const auto* fault : {"JSON_SET(d.body, '$.n', 0)", "JSON_REMOVE(d.body, '$.trail[0]')",
                            "JSON_SET(d.body, '$.op', 1)", "JSON_SET(d.body, '$.nested.list[0]', 'x')",
                            "JSON_SET(d.body, '$.price', 12.34e0)", "JSON_SET(d.body, '$.at', '2024-02-29')"}) {
    sql(fmt::format("UPDATE documents d JOIN kept USING (id) SET d.body = {}", fault));
    // Removing from a trail that is empty already changes nothing.
    if (one("SELECT COUNT(*) FROM documents d JOIN kept k USING (id) WHERE CAST(d.body AS CHAR) = CAST(k.body AS "
            "CHAR)") == "0") {
      EXPECT_THAT(found(), line("HALF", op, "documents is not as the operation left it")) << fault;
    }
    sql("UPDATE documents d JOIN kept k USING (id) SET d.body = k.body");
  }
  sql("DROP TABLE kept");
}

TEST_F(AuditOfARun, names_the_operation_behind_a_document_that_is_missing_or_came_back) {
  const auto op = one("SELECT MAX(op_id) FROM documents WHERE client <> 0");
  sql("CREATE TABLE kept AS SELECT id, client, op_id, title, body FROM documents WHERE op_id = " + op);
  sql("DELETE FROM documents WHERE op_id = " + op);
  EXPECT_THAT(found(), line("HALF", op, "documents is missing"));
  sql("INSERT INTO documents (id, client, op_id, title, body) SELECT * FROM kept");
  const auto deletion = one("SELECT MAX(op_id) FROM ledger WHERE kind = 'doc_delete'");
  sql("INSERT INTO documents (id, client, op_id, title, body) SELECT from_id, l.client, l.op_id, 'back', body FROM"
      " ledger l JOIN kept WHERE l.op_id = " +
      deletion);
  EXPECT_THAT(found(), line("HALF", deletion, "should not be there"));
  sql("DELETE FROM documents WHERE op_id = " + deletion);
  sql("DROP TABLE kept");
}

TEST_F(AuditOfARun, names_a_handle_that_is_held_twice_or_lost) {
  const auto op = one("SELECT MAX(op_id) FROM ledger WHERE kind = 'handle_pass'");
  const auto client = one("SELECT client FROM ledger WHERE op_id = " + op);
  const auto full = one("SELECT slot FROM handles WHERE value IS NOT NULL AND client = " + client + " LIMIT 1");
  const auto writer = one("SELECT op_id FROM handles WHERE slot = " + full);
  const auto value = one("SELECT value FROM handles WHERE slot = " + full);
  const auto empty = one("SELECT slot FROM handles WHERE value IS NULL AND client = " + client + " LIMIT 1");
  sql("UPDATE handles SET value = NULL WHERE slot = " + full);
  EXPECT_THAT(found(), line("HALF", writer, "handles is not as the operation left it"));
  sql("UPDATE handles SET value = '" + value + "' WHERE slot = " + full);

  const auto second = one("SELECT op_id FROM handles WHERE slot = " + empty);
  sql("ALTER TABLE handles DROP KEY value");
  sql("UPDATE handles SET value = '" + value + "' WHERE slot = " + empty);
  const auto lines = found();
  EXPECT_THAT(lines, line("DUPLICATED", second, "handles holds more than the operation left"));
  EXPECT_THAT(lines, Contains(HasSubstr("a unique value of handles is held 2 times")));
  sql("UPDATE handles SET value = NULL WHERE slot = " + empty);
  sql("ALTER TABLE handles ADD UNIQUE KEY value (value)");
}

TEST_F(AuditOfARun, names_a_moved_key_that_is_lost_or_also_at_its_old_place) {
  const auto op = one("SELECT MAX(m.op_id) FROM movers m JOIN ledger l ON l.op_id = m.op_id WHERE kind = 'key_move'");
  sql("CREATE TABLE kept AS SELECT * FROM movers WHERE op_id = " + op);
  sql("DELETE FROM movers WHERE op_id = " + op);
  EXPECT_THAT(found(), line("HALF", op, "movers is missing"));
  sql("INSERT INTO movers SELECT * FROM kept");
  sql("INSERT INTO movers SELECT from_id, k.client, k.op_id, tag FROM kept k JOIN ledger l USING (op_id)");
  EXPECT_THAT(found(), line("DUPLICATED", op, "movers holds a value that is elsewhere too"));
  sql("DELETE m FROM movers m JOIN ledger l ON m.id = l.from_id WHERE l.op_id = " + op);
  sql("DROP TABLE kept");
}

TEST_F(AuditOfARun, names_the_operation_behind_a_damaged_blob_and_an_old_generation) {
  const auto blob = one("SELECT MAX(op_id) FROM blobs WHERE client <> 0");
  sql("CREATE TABLE kept AS SELECT * FROM blobs WHERE op_id = " + blob);
  sql("UPDATE blobs SET body = INSERT(body, 100, 1, CHAR(ASCII(SUBSTR(body, 100, 1)) ^ 1)) WHERE op_id = " + blob);
  EXPECT_THAT(found(), line("HALF", blob, "blobs is not as the operation left it"));
  sql("UPDATE blobs JOIN kept USING (id) SET blobs.body = kept.body");
  sql("DROP TABLE kept");
  const auto born = one("SELECT MAX(op_id) FROM reborn WHERE client <> 0");
  sql("UPDATE reborn SET generation = generation - 1 WHERE op_id = " + born);
  EXPECT_THAT(found(), line("HALF", born, "reborn is not as the operation left it"));
  sql("UPDATE reborn SET generation = generation + 1 WHERE op_id = " + born);
}

TEST_F(AuditOfARun, names_the_operation_behind_a_counter_that_went_back) {
  const auto op = one("SELECT MAX(op_id) FROM counters");
  sql("UPDATE counters SET seq = seq - 1 WHERE op_id = " + op);
  EXPECT_THAT(found(), line("HALF", op, "counters is not as the operation left it"));
  sql("UPDATE counters SET seq = seq + 1 WHERE op_id = " + op);
}

TEST_F(AuditOfARun, names_orders_that_are_there_once_too_often_and_their_events) {
  const auto op = one("SELECT MAX(op_id) FROM ledger WHERE kind = 'order_batch'");
  const auto top = one("SELECT MAX(id) FROM orders");
  sql("INSERT INTO orders (client, op_id, customer_id, status, total, placed, code, weight) SELECT client, op_id,"
      " customer_id, status, total, placed, code, weight FROM orders WHERE op_id = " +
      op + " LIMIT 1");
  const auto lines = found();
  EXPECT_THAT(lines, line("DUPLICATED", op, "of orders holds more"));
  EXPECT_THAT(lines, line("DUPLICATED", op, "of order_events holds more"));
  sql("DELETE FROM order_events WHERE order_id > " + top);
  sql("DELETE FROM orders WHERE id > " + top);
}

TEST_F(AuditOfARun, names_shared_rows_that_changed_without_an_operation) {
  const auto touch = one("SELECT MAX(op_id) FROM ledger WHERE kind = 'touch'");
  const auto touched = "(SELECT from_id FROM ledger WHERE op_id = " + touch + ")";
  sql("UPDATE orders SET touched = touched + 1 WHERE id = " + touched);
  EXPECT_THAT(found(), Contains(AllOf(HasSubstr("DUPLICATED op="), HasSubstr("kind=touch"))));
  sql("UPDATE orders SET touched = touched - 1 WHERE id = " + touched);
  const auto hot = one("SELECT amount FROM ledger WHERE kind = 'hot' LIMIT 1");
  sql("UPDATE hot SET hits = hits - 1, total = total - " + hot);
  EXPECT_THAT(found(), Contains(AllOf(HasSubstr("HALF op="), HasSubstr("kind=hot: the hot row lacks its effect"))));
  sql("UPDATE hot SET hits = hits + 1, total = total + " + hot);
  sql("DELETE FROM accounts WHERE id = 3");
  EXPECT_THAT(found(), Contains(HasSubstr("accounts 799 are there")));
  sql(
      fmt::format("INSERT INTO accounts SELECT 3, {} + COALESCE(SUM(IF(to_id = 3, amount, -amount)), 0), COUNT(*) FROM"
                  " ledger WHERE kind = 'transfer' AND 3 IN (from_id, to_id)",
                  opening_balance));
}

TEST_F(AuditOfARun, names_an_operation_that_nobody_sent) {
  const auto op = std::to_string(std::stoull(one("SELECT MAX(op_id) FROM ledger")) + 1000);
  sql("INSERT INTO ledger SELECT " + op +
      ", client, seq + 1000000000, kind, from_id, to_id, amount, server_uuid, created FROM"
      " ledger WHERE kind = 'setup' ORDER BY op_id DESC LIMIT 1");
  EXPECT_THAT(found(), line("DUPLICATED", op, "no client ever sent it"));
  sql("DELETE FROM ledger WHERE op_id = " + op);
}

TEST_F(AuditOfARun, names_an_operation_that_only_the_other_server_has) {
  sandbox::TestServer other;
  base::Log log(base::Log::Level::quiet);
  PrepareOptions shop;
  shop.endpoint = other.endpoint();
  shop.scale = 0.05;
  prepare(shop, log);
  auto session = open_shop(other.endpoint(), "shop");
  session.execute("INSERT INTO ledger VALUES (77, 0, 77, 'hot', 0, 0, 1, @@server_uuid, NOW(6))");
  AuditOptions options;
  options.log_folders = {scratch() / "logs"};
  options.serving = server_->endpoint();
  options.other = other.endpoint();
  EXPECT_THAT(lines_of(audit(options)), line("LOST", "77", "only on the server that does not serve"));
}

}  // namespace
}  // namespace reseal::load

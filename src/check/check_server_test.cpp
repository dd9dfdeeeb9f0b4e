// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "base/failure.hpp"
#include "check/check.hpp"
#include "sandbox/test_server.hpp"

namespace reseal::check {
namespace {

using sandbox::ServerOptions;
using sandbox::TestServer;
using testing::Contains;
using testing::IsEmpty;
using testing::Not;

/// A good pair and one server on which much is wrong, for all tests: a start costs seconds.
class Check : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    source = std::make_unique<TestServer>(ServerOptions::plain_source());
    target = std::make_unique<TestServer>(ServerOptions::encrypted_target());
    ServerOptions bad;
    bad.extra = {"--disable-log-bin", "--performance-schema=OFF", "--innodb-native-foreign-keys=ON"};
    unfit = std::make_unique<TestServer>(bad);
    auto session = source->connect(mysql::Side::source);
    for (const char* statement :
         {"CREATE SCHEMA shop", "CREATE TABLE shop.orders (id INT PRIMARY KEY, doc JSON, g INT AS (id+1))",
          "CREATE TABLE shop.lines (id INT PRIMARY KEY, o INT, FOREIGN KEY (o) REFERENCES shop.orders (id))",
          "CREATE VIEW shop.all_orders AS SELECT id FROM shop.orders"})
      session.execute(statement);
  }
  static void TearDownTestSuite() {
    source.reset();
    target.reset();
    unfit.reset();
  }

  static CheckRequest request() {
    CheckRequest request;
    request.source = source->endpoint();
    request.target = target->endpoint();
    return request;
  }
  static std::vector<std::string> codes(const Findings& findings, Severity severity) {
    std::vector<std::string> found;
    for (const auto& finding : findings)
      if (finding.severity == severity) found.push_back(finding.code);
    return found;
  }
  static std::vector<std::string> blockers(const CheckRequest& asked) {
    return codes(check_all(asked), Severity::blocker);
  }
  static void run(TestServer& server, const std::vector<std::string>& statements) {
    auto session = server.connect(mysql::Side::target);
    for (const auto& statement : statements) session.execute(statement);
  }

  static inline std::unique_ptr<TestServer> source;
  static inline std::unique_ptr<TestServer> target;
  static inline std::unique_ptr<TestServer> unfit;
};

TEST_F(Check, finds_no_blocker_in_a_good_pair) {
  const auto findings = check_all(request());
  EXPECT_TRUE(ready(findings)) << render_text(findings);
  EXPECT_THAT(codes(findings, Severity::note), Contains("generated-columns"));
}

TEST_F(Check, writes_nothing) {
  const auto executed = [](TestServer& server) {
    return server.connect(mysql::Side::source).scalar("SELECT @@global.gtid_executed").value_or("");
  };
  const auto source_before = executed(*source), target_before = executed(*target);
  check_all(request());
  EXPECT_EQ(executed(*source), source_before);
  EXPECT_EQ(executed(*target), target_before);
}

struct Fault {
  const char* code;
  Severity severity;
  bool on_target;
  std::vector<std::string> plant;
  std::vector<std::string> mend;
};

TEST_F(Check, finds_each_planted_fault_and_not_when_it_is_mended) {
  const auto block = Severity::blocker;
  const auto warn = Severity::warning;
  const std::vector<Fault> faults = {
      {"binlog-format", block, false, {"SET GLOBAL binlog_format=STATEMENT"}, {"SET GLOBAL binlog_format=ROW"}},
      {"row-image", warn, false, {"SET GLOBAL binlog_row_image=MINIMAL"}, {"SET GLOBAL binlog_row_image=FULL"}},
      {"partial-json",
       block,
       false,
       {"SET GLOBAL binlog_row_image=MINIMAL", "SET GLOBAL binlog_row_value_options=PARTIAL_JSON"},
       {"SET GLOBAL binlog_row_value_options=''", "SET GLOBAL binlog_row_image=FULL"}},
      {"binlog-retention",
       block,
       false,
       {"SET GLOBAL binlog_expire_logs_seconds=600"},
       {"SET GLOBAL binlog_expire_logs_seconds=2592000"}},
      {"binlog-order-commits",
       block,
       false,
       {"SET GLOBAL binlog_order_commits=OFF"},
       {"SET GLOBAL binlog_order_commits=ON"}},
      {"engine", block, false, {"CREATE TABLE shop.old (id INT PRIMARY KEY) ENGINE=MyISAM"}, {"DROP TABLE shop.old"}},
      {"no-row-key-inexact", block, false, {"CREATE TABLE shop.docs (doc JSON)"}, {"DROP TABLE shop.docs"}},
      {"no-row-key", warn, false, {"CREATE TABLE shop.log (line TEXT)"}, {"DROP TABLE shop.log"}},
      {"float-row-key", block, false, {"CREATE TABLE shop.f (x DOUBLE PRIMARY KEY)"}, {"DROP TABLE shop.f"}},
      {"foreign-key-cascade",
       Severity::note,
       false,
       {"CREATE TABLE shop.c (id INT PRIMARY KEY, o INT, FOREIGN KEY (o) REFERENCES shop.orders (id) ON DELETE "
        "CASCADE)"},
       {"DROP TABLE shop.c"}},
      {"xa-prepared",
       block,
       false,
       {"XA START 'x'", "INSERT INTO shop.orders (id) VALUES (99)", "XA END 'x'", "XA PREPARE 'x'"},
       {"XA ROLLBACK 'x'"}},
      {"schema-change-running",
       block,
       false,
       {"CREATE TABLE shop._orders_gho LIKE shop.orders"},
       {"DROP TABLE shop._orders_gho"}},
      {"source-is-replica",
       block,
       false,
       {"CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=1"},
       {"RESET REPLICA ALL"}},
      {"source-read-only",
       block,
       false,
       {"SET GLOBAL super_read_only=ON"},
       {"SET GLOBAL super_read_only=OFF", "SET GLOBAL read_only=OFF"}},
      {"triggers",
       Severity::note,
       false,
       {"CREATE TRIGGER shop.t BEFORE INSERT ON shop.orders FOR EACH ROW SET NEW.doc=NULL"},
       {"DROP TRIGGER shop.t"}},
      {"events",
       Severity::note,
       false,
       {"CREATE EVENT shop.e ON SCHEDULE EVERY 1 YEAR DISABLE DO DO 1"},
       {"DROP EVENT shop.e"}},
      {"function-missing",
       warn,
       false,
       {"CREATE FUNCTION shop.f (x TEXT) RETURNS TEXT DETERMINISTIC NO SQL RETURN Md5 (x)"},
       {"DROP FUNCTION shop.f"}},
      {"max-allowed-packet",
       block,
       true,
       {"SET GLOBAL max_allowed_packet=1048576"},
       {"SET GLOBAL max_allowed_packet=67108864"}},
      {"target-not-empty",
       block,
       true,
       {"CREATE SCHEMA other", "CREATE TABLE other.t (id INT PRIMARY KEY)"},
       {"DROP SCHEMA other"}},
      {"local-infile", block, true, {"SET GLOBAL local_infile=OFF"}, {"SET GLOBAL local_infile=ON"}},
      {"target-redo-plain",
       block,
       true,
       {"SET GLOBAL innodb_redo_log_encrypt=OFF"},
       {"SET GLOBAL innodb_redo_log_encrypt=ON"}},
      {"target-is-replica",
       block,
       true,
       {"CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=1"},
       {"RESET REPLICA ALL"}},
      {"target-log-in-clear", warn, true, {"SET GLOBAL general_log=ON"}, {"SET GLOBAL general_log=OFF"}},
      {"sql-mode", warn, true, {"SET GLOBAL sql_mode=''"}, {"SET GLOBAL sql_mode=DEFAULT"}},
      {"time-zone", warn, true, {"SET GLOBAL time_zone='+03:00'"}, {"SET GLOBAL time_zone=SYSTEM"}},
  };
  for (const auto& fault : faults) {
    auto& server = fault.on_target ? *target : *source;
    run(server, fault.plant);
    const auto planted = check_all(request());
    run(server, fault.mend);
    EXPECT_THAT(codes(planted, fault.severity), Contains(fault.code)) << render_text(planted);
  }
  const auto findings = check_all(request());
  EXPECT_TRUE(ready(findings)) << render_text(findings);
  for (const auto& fault : faults) EXPECT_THAT(codes(findings, fault.severity), Not(Contains(fault.code)));
}

TEST_F(Check, finds_living_sessions_with_settings_of_their_own) {
  auto session = source->connect(mysql::Side::source);
  session.execute("SET SESSION binlog_format=STATEMENT, sql_log_bin=OFF");
  const auto findings = check_all(request());
  EXPECT_THAT(codes(findings, Severity::blocker), testing::ElementsAre("session-binlog-format"));
  EXPECT_THAT(codes(findings, Severity::warning), Contains("session-log-bin-off"));
  EXPECT_EQ(findings.at(0).mend, "KILL " + std::to_string(session.id()));
}

TEST_F(Check, warns_of_a_long_transaction) {
  auto session = source->connect(mysql::Side::source);
  session.execute("BEGIN");
  session.execute("INSERT INTO shop.orders (id) VALUES (7)");
  auto asked = request();
  asked.long_transaction = std::chrono::seconds(0);
  // INNODB_TRX is renewed only when nobody has read it for 100 ms; the test before may just have done so.
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_THAT(codes(check_all(asked), Severity::warning), Contains("long-transaction"));
  session.execute("ROLLBACK");
}

TEST_F(Check, refuses_one_server_as_both_sides_whatever_its_address) {
  auto asked = request();
  asked.target = source->endpoint();
  EXPECT_THAT(blockers(asked), Contains("same-server"));
  asked.target.socket = source->socket().string();
  EXPECT_THAT(blockers(asked), Contains("same-server"));
}

TEST_F(Check, refuses_a_source_without_binary_log) {
  auto asked = request();
  asked.source = unfit->endpoint();
  run(*unfit,
      {"CREATE SCHEMA shop", "CREATE TABLE shop.p (id INT PRIMARY KEY)",
       "CREATE TABLE shop.c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES shop.p (id) ON DELETE CASCADE)",
       "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=1"});
  EXPECT_THAT(blockers(asked), testing::IsSupersetOf({"binlog-off", "foreign-key-cascade", "source-is-replica"}));
  run(*unfit, {"RESET REPLICA ALL", "DROP SCHEMA shop"});
}

TEST_F(Check, refuses_a_plain_target_in_every_place) {
  auto asked = request();
  asked.target = unfit->endpoint();
  EXPECT_THAT(blockers(asked),
              testing::IsSupersetOf({"target-keyring", "target-default-encryption", "target-redo-plain",
                                     "target-undo-plain", "target-mysql-tablespace", "local-infile"}));
}

TEST_F(Check, takes_a_target_that_carries_our_run_and_refuses_anothers) {
  run(*target, {"CREATE SCHEMA reseal", "CREATE TABLE reseal.run (id VARCHAR(64) PRIMARY KEY)",
                "INSERT INTO reseal.run VALUES ('run-1')", "CREATE SCHEMA shop",
                "CREATE TABLE shop.orders (id INT PRIMARY KEY)"});
  auto asked = request();
  asked.run_id = "run-1";
  EXPECT_THAT(blockers(asked), IsEmpty());
  asked.run_id = "run-2";
  EXPECT_THAT(blockers(asked), Contains("target-not-empty"));
  run(*target, {"DROP SCHEMA reseal", "DROP SCHEMA shop"});
}

TEST_F(Check, names_missing_privileges_and_accepts_them_through_a_role) {
  run(*source, {"CREATE USER poor IDENTIFIED BY 'only-for-this-test' REQUIRE SSL", "GRANT SELECT ON *.* TO poor"});
  auto asked = request();
  asked.source.user = "poor";
  asked.source.password = base::Secret("only-for-this-test");
  const auto findings = check_all(asked);
  EXPECT_THAT(codes(findings, Severity::blocker), Contains("privilege-missing"));
  EXPECT_THAT(codes(findings, Severity::blocker), Contains("cannot-look"));

  run(*source,
      {"CREATE ROLE mover", "GRANT ALL ON *.* TO mover", "GRANT mover TO poor", "SET DEFAULT ROLE mover TO poor"});
  EXPECT_THAT(blockers(asked), IsEmpty());
  run(*source, {"DROP USER poor", "DROP ROLE mover"});
}

TEST_F(Check, says_what_to_do_when_a_server_cannot_be_reached) {
  const auto failure_of = [](const CheckRequest& asked) -> std::string {
    try {
      check_all(asked);
    } catch (const base::Failure& failure) {
      return failure.what();
    }
    return "no failure";
  };
  auto asked = request();
  asked.source.password = base::Secret("wrong");
  EXPECT_THAT(failure_of(asked), testing::HasSubstr("check the user and the password"));
  EXPECT_THAT(failure_of(asked), Not(testing::HasSubstr("wrong")));
  asked = request();
  asked.target.port = 1;
  EXPECT_THAT(failure_of(asked), testing::HasSubstr("check that the server runs"));
  asked = request();
  asked.target.tls = mysql::TlsMode::verify_ca;
  asked.target.tls_ca = (unfit->data_folder() / "client-cert.pem").string();
  EXPECT_THAT(failure_of(asked), testing::HasSubstr("TLS could not be agreed on"));
}

TEST_F(Check, leaves_out_schemas_that_were_not_asked_for_and_blocks_missing_ones) {
  run(*source, {"CREATE SCHEMA attic", "CREATE TABLE attic.old (id INT) ENGINE=MyISAM"});
  auto asked = request();
  asked.schemas = {"shop"};
  EXPECT_THAT(blockers(asked), IsEmpty());
  asked.schemas = {"shop", "shopp"};
  EXPECT_THAT(blockers(asked), testing::ElementsAre("schema-missing"));
  run(*source, {"DROP SCHEMA attic"});
}

}  // namespace
}  // namespace reseal::check

// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "attest/attest.hpp"
#include "base/failure.hpp"
#include "sandbox/test_server.hpp"

namespace reseal::attest {
namespace {

using sandbox::ServerOptions;
using sandbox::TestServer;

const std::string canary = "canary-text-7f3a9c-planted";

/// One plain and one encrypted server for all tests: a start costs seconds.
class Attest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    plain_server = std::make_unique<TestServer>(ServerOptions::plain_source());
    encrypted_server = std::make_unique<TestServer>(ServerOptions::encrypted_target());
    for (auto* server : {plain_server.get(), encrypted_server.get()}) plant(*server);
  }
  static void TearDownTestSuite() {
    plain_server.reset();
    encrypted_server.reset();
  }

  static void plant(TestServer& server) {
    auto session = server.connect(mysql::Side::target);
    session.execute("CREATE SCHEMA shop");
    session.execute("CREATE TABLE shop.people (id INT PRIMARY KEY, name VARCHAR(100))");
    session.execute("CREATE TABLE shop.parts (id INT PRIMARY KEY) PARTITION BY HASH(id) PARTITIONS 3");
    session.execute("INSERT INTO shop.people VALUES (1, '" + canary + "')");
    // Writes the table's pages to its file, so that the scan reads what a thief of the disk would.
    session.execute("FLUSH TABLES shop.people FOR EXPORT");
    session.execute("UNLOCK TABLES");
  }

  static AttestReport of(TestServer& server, const std::vector<std::string>& schemas = {"shop"},
                         const std::string& planted = canary) {
    auto session = server.connect(mysql::Side::target);
    return attest(session, schemas, std::nullopt, {planted});
  }

  static std::vector<std::string> plain_names(const AttestReport& report) {
    std::vector<std::string> names;
    for (const auto& item : report.items)
      if (item.protection == Protection::plain || item.protection == Protection::unknown) names.push_back(item.name);
    return names;
  }

  static inline std::unique_ptr<TestServer> plain_server;
  static inline std::unique_ptr<TestServer> encrypted_server;
};

TEST_F(Attest, passes_an_encrypted_server_and_reads_its_files) {
  const auto report = of(*encrypted_server);
  EXPECT_TRUE(report.encrypted()) << render_text(report);
  ASSERT_TRUE(report.scan) << report.scan_note;
  EXPECT_GT(report.scan->bytes, 10'000'000U);
  EXPECT_TRUE(report.scan->hits.empty());
  const auto tables = std::count_if(report.items.begin(), report.items.end(),
                                    [](const AttestedItem& item) { return item.kind == "table"; });
  EXPECT_EQ(tables, 4) << "one table and three partitions: " << render_text(report);
}

TEST_F(Attest, finds_a_plain_server_plain_in_every_place_and_its_canary_in_the_files) {
  const auto report = of(*plain_server);
  EXPECT_FALSE(report.encrypted());
  EXPECT_THAT(plain_names(report), testing::IsSupersetOf({"innodb_redo_log_encrypt", "innodb_undo_log_encrypt", "mysql",
                                                          "innodb_undo_001", "shop", "shop/people", "shop/parts#p#p0",
                                                          "default_table_encryption", "binlog_encryption"}));
  ASSERT_TRUE(report.scan);
  EXPECT_THAT(report.scan->hits, testing::Contains(testing::Field(&CanaryHit::file, "shop/people.ibd")));
}

TEST_F(Attest, finds_one_plain_table_among_encrypted_ones) {
  // A text of its own: it stays behind in the doublewrite file when the table is gone.
  const std::string forgotten = "canary-text-of-the-forgotten-table";
  auto session = encrypted_server->connect(mysql::Side::target);
  session.execute("CREATE TABLE shop.forgotten (id INT PRIMARY KEY, t VARCHAR(100)) ENCRYPTION='N'");
  session.execute("INSERT INTO shop.forgotten VALUES (1, '" + forgotten + "')");
  session.execute("FLUSH TABLES shop.forgotten FOR EXPORT");
  session.execute("UNLOCK TABLES");
  const auto report = of(*encrypted_server, {"shop"}, forgotten);
  session.execute("DROP TABLE shop.forgotten");
  EXPECT_FALSE(report.encrypted());
  EXPECT_THAT(plain_names(report), testing::ElementsAre("shop/forgotten"));
  ASSERT_TRUE(report.scan);
  EXPECT_THAT(report.scan->hits, testing::Contains(testing::Field(&CanaryHit::file, "shop/forgotten.ibd")));
}

TEST_F(Attest, finds_a_table_of_another_engine_and_a_schema_that_defaults_to_plain) {
  auto session = encrypted_server->connect(mysql::Side::target);
  session.execute("CREATE SCHEMA loose DEFAULT ENCRYPTION='N'");
  session.execute("CREATE TABLE loose.old (id INT) ENGINE=MyISAM");
  const auto report = of(*encrypted_server);
  session.execute("DROP SCHEMA loose");
  EXPECT_THAT(plain_names(report), testing::ElementsAre("loose", "loose.old"));
}

TEST_F(Attest, finds_a_general_log_that_is_written_in_the_clear) {
  auto session = encrypted_server->connect(mysql::Side::target);
  session.execute("SET GLOBAL log_output='TABLE', general_log=ON");
  EXPECT_THAT(plain_names(of(*encrypted_server)), testing::ElementsAre("general_log", "mysql.general_log"));
  session.execute("SET GLOBAL general_log=OFF, log_output='FILE'");
  EXPECT_THAT(plain_names(of(*encrypted_server)), testing::ElementsAre("mysql.general_log"));
  session.execute("TRUNCATE TABLE mysql.general_log");
}

TEST_F(Attest, finds_a_binary_log_file_from_before_encryption) {
  auto session = encrypted_server->connect(mysql::Side::target);
  session.execute("SET GLOBAL binlog_encryption=OFF");
  const auto names = plain_names(of(*encrypted_server));
  EXPECT_THAT(names, testing::Contains("binlog_encryption"));
  session.execute("SET GLOBAL binlog_encryption=ON");
  const auto after = of(*encrypted_server);
  EXPECT_FALSE(after.encrypted()) << "the file written meanwhile is still there";
  const auto last = session.query("SHOW BINARY LOGS").back().at(0).value_or("");
  session.execute("PURGE BINARY LOGS TO '" + last + "'");
  EXPECT_TRUE(of(*encrypted_server).encrypted());
}

TEST_F(Attest, does_not_vouch_for_a_schema_that_is_not_there) {
  EXPECT_FALSE(of(*encrypted_server, {"shop", "shopp"}).encrypted());
}

TEST_F(Attest, refuses_the_data_folder_of_another_server) {
  auto session = encrypted_server->connect(mysql::Side::target);
  EXPECT_THROW(attest(session, {}, plain_server->data_folder(), {canary}), base::Failure);
}

}  // namespace
}  // namespace reseal::attest

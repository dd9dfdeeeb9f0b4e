// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "base/failure.hpp"
#include "mysql/schema_reader.hpp"
#include "provision/object_compare.hpp"
#include "provision/provisioner.hpp"
#include "sandbox/test_server.hpp"

namespace reseal::provision {
namespace {

using mysql::Session;
using mysql::Side;
using testing::HasSubstr;

// Every table that an element splitter could trip over.
const char* const nasty_tables[] = {
    "CREATE TABLE `a``b */ -- (\n' \" ; x` (`PRIMARY KEY (``a``)` INT COMMENT 'x'') KEY /*!50100 `', `,(` INT, "
    "`ENGINE` "
    "INT, PRIMARY KEY (`PRIMARY KEY (``a``)`), KEY `*/` (`,(`), KEY `k,(` (`ENGINE`)) COMMENT 'ENCRYPTION=''N'' */'",
    "CREATE TABLE defaults (id INT PRIMARY KEY, e ENUM('a,b','c''d',')','KEY `x` (`y`)') DEFAULT ')', s SET('x','y z') "
    "DEFAULT 'x', b BIT(3) DEFAULT b'101', v VARCHAR(50) DEFAULT 'q''q\\\\ \\n (`%', j JSON DEFAULT "
    "(JSON_ARRAY(1,'(')), u "
    "CHAR(36) DEFAULT (UUID()), d DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), t TIMESTAMP "
    "NULL, f FLOAT(7,3) DEFAULT 1.5, bin BINARY(3) DEFAULT 'a\\0b', n DECIMAL(65,30) DEFAULT -0.5)",
    "CREATE TABLE zero_dates (id INT PRIMARY KEY, d DATE NOT NULL DEFAULT '0000-00-00', t TIMESTAMP NOT NULL DEFAULT "
    "'0000-00-00 00:00:00', dt DATETIME NOT NULL DEFAULT '2016-10-00 00:00:00')",
    "CREATE TABLE timestamps (id INT PRIMARY KEY, first_one TIMESTAMP NOT NULL, second_one TIMESTAMP NOT NULL)",
    "CREATE TABLE made (id INT, a VARCHAR(20), v VARCHAR(41) AS (CONCAT(a, ',(', a)) VIRTUAL, w INT AS (LENGTH(a)) "
    "STORED "
    "NOT NULL COMMENT 'GENERATED ALWAYS AS (', PRIMARY KEY (w, id), UNIQUE KEY (v), KEY (a, v))",
    "CREATE TABLE functional (id INT PRIMARY KEY, a VARCHAR(20), j JSON, KEY f ((LOWER(a)), id DESC), UNIQUE KEY g ((a "
    "= "
    "_latin1'x,)'), id), KEY m ((CAST(j->'$.ids' AS UNSIGNED ARRAY))))",
    "CREATE TABLE invisible (a INT INVISIBLE, b INT, c INT INVISIBLE DEFAULT 3, PRIMARY KEY (a), KEY hidden (b) "
    "INVISIBLE, "
    "UNIQUE KEY hidden_too (c) INVISIBLE COMMENT 'INVISIBLE')",
    "CREATE TABLE no_key (a INT, b TEXT)",
    "CREATE TABLE only_nullable (a INT, b INT, UNIQUE KEY (a), KEY (b))",
    "CREATE TABLE two_uniques (a INT NOT NULL, b INT NOT NULL, KEY p (b), UNIQUE KEY k1 (a), UNIQUE KEY k2 (b))",
    "CREATE TABLE counter_plain (a INT PRIMARY KEY, n INT NOT NULL AUTO_INCREMENT, b INT, KEY one (b), KEY two (n, b), "
    "KEY "
    "three (b, a)) AUTO_INCREMENT=4711",
    "CREATE TABLE counter_unique (a INT PRIMARY KEY, n BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, b INT NOT NULL, UNIQUE "
    "KEY "
    "first_u (b), UNIQUE KEY n (n), UNIQUE KEY last_u (b, a), KEY p (b)) AUTO_INCREMENT=18446744073709551000",
    "CREATE TABLE texts (id INT PRIMARY KEY, a TEXT, b TEXT, KEY pre (a(10), b(5)), FULLTEXT KEY f1 (a), FULLTEXT KEY "
    "f2 "
    "(a, b) WITH PARSER ngram COMMENT 'WITH PARSER x')",
    "CREATE TABLE texts_own_id (FTS_DOC_ID BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, a TEXT, FULLTEXT KEY "
    "(a), "
    "UNIQUE KEY FTS_DOC_ID_INDEX (FTS_DOC_ID))",
    "CREATE TABLE places (id INT PRIMARY KEY, p POINT NOT NULL SRID 4326, g GEOMETRY NOT NULL SRID 0, SPATIAL KEY (p), "
    "SPATIAL KEY s (g) COMMENT ')')",
    "CREATE TABLE parts (id INT NOT NULL, d DATE NOT NULL, PRIMARY KEY (id, d), KEY (d)) PARTITION BY RANGE "
    "(TO_DAYS(d)) "
    "SUBPARTITION BY HASH (id) SUBPARTITIONS 2 (PARTITION encryption VALUES LESS THAN (TO_DAYS('2020-01-01')) COMMENT "
    "= "
    "'ENCRYPTION = ''N'' DATA DIRECTORY', PARTITION rest VALUES LESS THAN MAXVALUE)",
    "CREATE TABLE parts_list (id INT NOT NULL, c VARCHAR(10) NOT NULL, UNIQUE KEY (id, c)) PARTITION BY LIST COLUMNS "
    "(c) "
    "(PARTITION connection VALUES IN ('a,)','b'), PARTITION tablespace VALUES IN ('TABLESPACE'))",
    "CREATE TABLE parts_key (id INT NOT NULL PRIMARY KEY, `partition` INT, KEY `union` (`partition`)) PARTITION BY KEY "
    "ALGORITHM=1 (id) PARTITIONS 3",
    "CREATE TABLE checks (id INT PRIMARY KEY CHECK (id > 0), a VARCHAR(10), CONSTRAINT `c,(` CHECK (a <> 'FOREIGN KEY "
    "('), "
    "CONSTRAINT off CHECK (LENGTH(a) < 5) NOT ENFORCED)",
    "CREATE TABLE options (id INT PRIMARY KEY, a INT, KEY (a) USING BTREE KEY_BLOCK_SIZE=4 COMMENT '🍻') "
    "ROW_FORMAT=COMPRESSED "
    "KEY_BLOCK_SIZE=8 STATS_PERSISTENT=0 STATS_AUTO_RECALC=1 STATS_SAMPLE_PAGES=30 MAX_ROWS=9 AVG_ROW_LENGTH=7 "
    "CHECKSUM=1 "
    "DELAY_KEY_WRITE=1 PACK_KEYS=1 COMMENT '😀 ''COMMENT'",
    "CREATE TABLE charsets (id INT PRIMARY KEY, a VARCHAR(9) CHARACTER SET latin1 DEFAULT 'ÿ', b VARCHAR(9) CHARACTER "
    "SET "
    "ucs2 DEFAULT 'x', c TEXT CHARACTER SET utf8mb3, d CHAR(3) CHARACTER SET gbk COLLATE gbk_bin, `größe` INT) DEFAULT "
    "CHARSET=utf16 COLLATE=utf16_bin",
    "CREATE TABLE serial_one (id SERIAL, v VECTOR(3), b BOOLEAN, z INT(5) UNSIGNED ZEROFILL, y YEAR)",
    "CREATE TABLE parent (id INT PRIMARY KEY, code INT, loose INT, pcode INT, UNIQUE KEY code (code), KEY (loose))",
    "CREATE TABLE child (id INT PRIMARY KEY, p INT, q INT, r INT, s INT, CONSTRAINT `fk,(` FOREIGN KEY (p) REFERENCES "
    "parent "
    "(id) ON DELETE CASCADE ON UPDATE SET NULL, FOREIGN KEY (q) REFERENCES parent (code), FOREIGN KEY (r) REFERENCES "
    "parent "
    "(loose), FOREIGN KEY (s) REFERENCES child (id), UNIQUE KEY (s))",
    "CREATE TABLE a_child_first (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (code), FOREIGN KEY lost "
    "(id) "
    "REFERENCES nowhere (id), FOREIGN KEY (p) REFERENCES other.away (code))",
};

std::string without(std::string text, const std::string& part) {
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part)) text.erase(at, part.size());
  return text;
}

class Tables : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    source_server_ = std::make_unique<sandbox::TestServer>(sandbox::ServerOptions::plain_source());
    auto options = sandbox::ServerOptions::encrypted_target();
    options.extra = {"--sql-require-primary-key=ON", "--sql-generate-invisible-primary-key=ON",
                     "--explicit-defaults-for-timestamp=OFF"};
    target_server_ = std::make_unique<sandbox::TestServer>(options);
  }
  static void TearDownTestSuite() {
    source_server_.reset();
    target_server_.reset();
  }

  Tables() : source_(source_server_->connect(Side::source)), target_(target_server_->connect(Side::target)) {
    source_.execute("SET SESSION foreign_key_checks=0, restrict_fk_on_non_standard_key=OFF");
    for (auto* session : {&source_, &target_})
      for (const auto& schema : schemas_) session->execute("DROP DATABASE IF EXISTS " + schema);
    source_.execute("CREATE DATABASE nasty CHARACTER SET latin1 COLLATE latin1_german2_ci");
    source_.execute("CREATE DATABASE other");
    source_.execute("USE nasty");
  }

  std::string shown(Session& session, const sql::TableName& name) {
    return session.query("SHOW CREATE TABLE " + name.quoted()).at(0).at(1).value();
  }

  void provision(const std::vector<sql::Table>& tables) {
    provisioner_.create_databases_and_tables(source_, target_, schemas_, tables);
    for (const auto& table : tables) provisioner_.add_plain_indexes(target_, table);
    provisioner_.add_unique_indexes_and_foreign_keys(target_, tables);
  }

  static std::unique_ptr<sandbox::TestServer> source_server_;
  static std::unique_ptr<sandbox::TestServer> target_server_;
  const std::vector<std::string> schemas_ = {"nasty", "other"};
  base::Log log_{base::Log::Level::quiet};
  Provisioner provisioner_{log_};
  Session source_;
  Session target_;
};

std::unique_ptr<sandbox::TestServer> Tables::source_server_;
std::unique_ptr<sandbox::TestServer> Tables::target_server_;

TEST_F(Tables, come_out_as_they_are_on_the_source_and_encrypted) {
  for (const auto* statement : nasty_tables) source_.execute(statement);
  source_.execute("ALTER TABLE no_key ADD COLUMN later INT DEFAULT 5, ALGORITHM=INSTANT");
  source_.execute("SET SESSION sql_generate_invisible_primary_key=ON");
  source_.execute("CREATE TABLE hidden_key (a INT, KEY (a))");
  source_.execute("SET SESSION sql_generate_invisible_primary_key=OFF");
  source_.execute(
      "CREATE TABLE other.away (code INT UNIQUE, back INT, FOREIGN KEY (back) REFERENCES nasty.parent (code))");
  const auto tables = mysql::read_tables(source_, schemas_);
  ASSERT_EQ(tables.size(), std::size(nasty_tables) + 2);
  provision(tables);
  provision(tables);  // again: nothing to do, and nothing refused
  for (const auto& table : tables) {
    EXPECT_EQ(without(shown(target_, table.name), " ENCRYPTION='Y'"), shown(source_, table.name));
  }
  EXPECT_EQ(
      target_.scalar("SELECT COUNT(*) FROM information_schema.INNODB_TABLESPACES WHERE (NAME LIKE 'nasty/%' OR NAME "
                     "LIKE 'other/%') AND ENCRYPTION<>'Y'"),
      "0");
  EXPECT_EQ(
      target_.scalar("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME IN ('nasty','other') AND "
                     "DEFAULT_ENCRYPTION='YES'"),
      "2");
  EXPECT_EQ(target_.scalar("SELECT @@sql_require_primary_key + @@sql_generate_invisible_primary_key"), "2");
  for (const auto& difference : compare_objects(source_, target_, schemas_, CompareTime::before_switch, {}))
    ADD_FAILURE() << difference.kind << " " << difference.name << ": " << difference.what;
}

TEST_F(Tables, are_created_with_their_row_key_only_and_completed_by_the_statements) {
  source_.execute(
      "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, a INT, b TEXT, KEY (a), UNIQUE KEY u (a, id), FULLTEXT KEY "
      "f (b), FULLTEXT KEY g (b), FOREIGN KEY (a) REFERENCES t (id))");
  const auto tables = mysql::read_tables(source_, schemas_);
  provisioner_.create_databases_and_tables(source_, target_, schemas_, tables);
  EXPECT_EQ(target_.query("SHOW KEYS FROM nasty.t").size(), 1U);
  EXPECT_EQ(provisioner_.plain_index_statements(tables[0]).size(), 3U);
  for (const auto& statement : provisioner_.plain_index_statements(tables[0])) target_.execute(statement);
  EXPECT_EQ(target_.query("SHOW KEYS FROM nasty.t").size(), 4U);
  // Half done, as a crash leaves it: the missing ones are added, the present ones left.
  target_.execute("ALTER TABLE nasty.t DROP KEY g");
  provisioner_.create_databases_and_tables(source_, target_, schemas_, tables);
  provisioner_.add_plain_indexes(target_, tables[0]);
  for (const auto& statement : provisioner_.unique_and_foreign_key_statements(tables[0])) target_.execute(statement);
  EXPECT_EQ(without(shown(target_, tables[0].name), " ENCRYPTION='Y'"), shown(source_, tables[0].name));
}

TEST_F(Tables, of_another_shape_on_the_target_are_left_and_refused) {
  source_.execute("CREATE TABLE t (id INT PRIMARY KEY, a INT)");
  const auto tables = mysql::read_tables(source_, schemas_);
  target_.execute("CREATE DATABASE nasty CHARACTER SET latin1");
  for (const std::string other :
       {"(id INT PRIMARY KEY, a BIGINT)", "(id INT PRIMARY KEY)", "(id INT PRIMARY KEY, a INT, KEY (a))",
        "(id INT PRIMARY KEY, a INT) COMMENT 'mine'"}) {
    target_.execute("CREATE TABLE nasty.t " + other + " COLLATE latin1_german2_ci");
    try {
      provisioner_.create_databases_and_tables(source_, target_, schemas_, tables);
      ADD_FAILURE() << other << " passed";
    } catch (const base::Failure& failure) {
      EXPECT_EQ(failure.kind(), base::FailureKind::refused);
      EXPECT_THAT(failure.what(), HasSubstr("nasty.t"));
    }
    target_.execute("DROP TABLE nasty.t");
  }
}

TEST_F(Tables, that_cannot_move_are_refused_before_anything_is_created) {
  source_.execute("CREATE TABLE good (id INT PRIMARY KEY)");
  source_.execute("CREATE TABLE old_engine (id INT PRIMARY KEY) ENGINE=MyISAM");
  const auto tables = mysql::read_tables(source_, schemas_);
  EXPECT_THROW(provisioner_.create_databases_and_tables(source_, target_, schemas_, tables), base::Failure);
  EXPECT_TRUE(target_.query("SHOW DATABASES LIKE 'nasty'").empty());
}

TEST_F(Tables, counters_are_moved_up_and_only_where_they_are_behind) {
  source_.execute("CREATE TABLE behind (id INT PRIMARY KEY AUTO_INCREMENT)");
  source_.execute("CREATE TABLE ahead (id INT PRIMARY KEY AUTO_INCREMENT)");
  source_.execute("CREATE TABLE none (id INT PRIMARY KEY)");
  const auto tables = mysql::read_tables(source_, schemas_);
  provision(tables);
  source_.execute("INSERT INTO behind VALUES (NULL), (NULL), (100)");
  source_.execute("DELETE FROM behind WHERE id = 100");
  target_.execute("INSERT INTO nasty.behind VALUES (1), (2)");
  target_.execute("INSERT INTO nasty.ahead VALUES (50)");
  EXPECT_EQ(align_auto_increment(source_, target_, tables), 1U);
  target_.execute("INSERT INTO nasty.behind VALUES ()");
  EXPECT_EQ(target_.scalar("SELECT MAX(id) FROM nasty.behind"), "101");
  EXPECT_EQ(align_auto_increment(source_, target_, tables), 0U);
}

}  // namespace
}  // namespace reseal::provision

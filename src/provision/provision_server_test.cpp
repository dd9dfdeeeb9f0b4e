// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "base/failure.hpp"
#include "mysql/schema_reader.hpp"
#include "provision/accounts.hpp"
#include "provision/object_compare.hpp"
#include "provision/provisioner.hpp"
#include "sandbox/test_server.hpp"

namespace reseal::provision {
namespace {

using mysql::Session;
using mysql::Side;
using testing::Contains;
using testing::HasSubstr;

// A shop as people build them, with a name here and there that invites mistakes.
const char* const shop_statements[] = {
    "CREATE DATABASE shop CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
    "CREATE DATABASE `sh``op 2` CHARACTER SET latin1",
    "CREATE ROLE reader, `writer`@`%`, boss@localhost",
    "CREATE USER app@'%' IDENTIFIED WITH caching_sha2_password BY 'One-Word-1' REQUIRE SSL WITH MAX_USER_CONNECTIONS 9 "
    "PASSWORD EXPIRE INTERVAL 90 DAY FAILED_LOGIN_ATTEMPTS 4 PASSWORD_LOCK_TIME 2 COMMENT 'the ''app, DEFAULT ROLE x'",
    "CREATE USER 'o''dd @ \"one'@'10.0.0.%' IDENTIFIED WITH caching_sha2_password BY 'Two-Word-2' ACCOUNT LOCK "
    "ATTRIBUTE "
    "'{\"k\": \"v\"}'",
    "CREATE USER ''@'localhost' IDENTIFIED WITH caching_sha2_password BY 'Three-3'",
    "CREATE USER definer@localhost IDENTIFIED WITH caching_sha2_password BY 'Six-6'",
    "CREATE TABLE shop.customer (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, email VARCHAR(190) NOT NULL, data "
    "JSON, "
    "lower_mail VARCHAR(190) AS (LOWER(email)) STORED, born DATE INVISIBLE, UNIQUE KEY (email), KEY (lower_mail), KEY "
    "upper_mail ((UPPER(email))), KEY hidden (born) INVISIBLE)",
    "CREATE TABLE shop.item (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(90), text TEXT, price DECIMAL(9,2) CHECK "
    "(price >= 0), FULLTEXT KEY (text))",
    "CREATE TABLE shop.orders (id BIGINT AUTO_INCREMENT PRIMARY KEY, customer BIGINT UNSIGNED NOT NULL, item INT, n "
    "INT "
    "DEFAULT 1, at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, FOREIGN KEY (customer) REFERENCES customer (id) ON DELETE "
    "CASCADE, "
    "FOREIGN KEY (item) REFERENCES item (id))",
    "CREATE TABLE shop.log (id BIGINT AUTO_INCREMENT, day DATE NOT NULL, what VARCHAR(200), PRIMARY KEY (id, day)) "
    "PARTITION "
    "BY RANGE COLUMNS (day) (PARTITION old VALUES LESS THAN ('2024-01-01'), PARTITION now VALUES LESS THAN (MAXVALUE))",
    "CREATE TABLE `sh``op 2`.`t,1` (`a``b` INT PRIMARY KEY)",
    "CREATE DEFINER=definer@localhost SQL SECURITY DEFINER VIEW shop.a_on_z AS SELECT * FROM shop.item",
    "CREATE DEFINER=definer@localhost SQL SECURITY DEFINER VIEW shop.z_view AS SELECT id, UPPER(email) AS mail FROM "
    "shop.customer WHERE email <> 'x`y;' WITH CASCADED CHECK OPTION",
    "CREATE ALGORITHM=MERGE SQL SECURITY INVOKER VIEW shop.b_other AS SELECT `a``b` FROM `sh``op 2`.`t,1`",
    "CREATE DEFINER=boss@localhost PROCEDURE shop.p(IN a INT, OUT b VARCHAR(9)) COMMENT 'it''s $$' BEGIN\n  -- "
    "DELIMITER "
    "$$\n  SET b = CONCAT('$$', a); /* end */\nEND",
    "CREATE FUNCTION shop.f(a VARCHAR(20)) RETURNS VARCHAR(40) CHARSET utf8mb4 DETERMINISTIC SQL SECURITY INVOKER "
    "RETURN "
    "CONCAT(a, ';', 'größe')",
    "CREATE FUNCTION `sh``op 2`.f(a INT) RETURNS INT READS SQL DATA RETURN (SELECT COUNT(*) FROM `sh``op 2`.`t,1`)",
    "CREATE VIEW shop.uses_f AS SELECT shop.f(name) AS n FROM shop.item",
    "CREATE TRIGGER shop.t2 BEFORE INSERT ON shop.orders FOR EACH ROW SET NEW.n = NEW.n + 1",
    "CREATE TRIGGER shop.t1 BEFORE INSERT ON shop.orders FOR EACH ROW FOLLOWS t2 SET NEW.n = NEW.n * 2",
    "CREATE TRIGGER shop.t0 BEFORE INSERT ON shop.orders FOR EACH ROW PRECEDES t2 SET NEW.n = 1",
    "CREATE DEFINER=definer@localhost TRIGGER shop.after_it AFTER DELETE ON shop.orders FOR EACH ROW BEGIN INSERT INTO "
    "shop.log (day, what) VALUES (NOW(), 'gone'); END",
    "CREATE EVENT shop.nightly ON SCHEDULE EVERY 1 DAY STARTS '2025-01-01 03:00:00' COMMENT 'ENABLE me' DO DELETE FROM "
    "shop.log WHERE day < '2020-01-01'",
    "CREATE DEFINER=definer@localhost EVENT shop.off ON SCHEDULE EVERY '1:30' MINUTE_SECOND ON COMPLETION PRESERVE "
    "DISABLE DO "
    "SET @enable = 'ENABLE'",
    "CREATE EVENT shop.replica ON SCHEDULE EVERY 2 HOUR DISABLE ON REPLICA DO SET @a = 1",
    "GRANT SELECT ON shop.* TO reader",
    "GRANT INSERT, UPDATE (n, item), DELETE ON shop.orders TO `writer`@`%`",
    "GRANT reader, writer TO app@'%'",
    "GRANT reader TO boss@localhost WITH ADMIN OPTION",
    "GRANT boss@localhost TO 'o''dd @ \"one'@'10.0.0.%'",
    "ALTER USER app@'%' DEFAULT ROLE reader",
    "GRANT SELECT, INSERT, RELOAD, BACKUP_ADMIN, CONNECTION_ADMIN ON *.* TO definer@localhost WITH GRANT OPTION",
    "REVOKE INSERT ON `sh``op 2`.* FROM definer@localhost",
    "GRANT ALL ON `sh\\_p`.* TO app@'%'",
    "GRANT EXECUTE ON PROCEDURE shop.p TO app@'%' WITH GRANT OPTION",
    "GRANT SELECT (mail) ON shop.z_view TO app@'%'",
    "GRANT EXECUTE ON shop.* TO boss@localhost",
};

class Provisioning : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto plain = sandbox::ServerOptions::plain_source();
    plain.extra = {"--partial-revokes=ON", "--event-scheduler=OFF"};
    source_server_ = std::make_unique<sandbox::TestServer>(plain);
    auto encrypted = sandbox::ServerOptions::encrypted_target();
    encrypted.extra = {"--partial-revokes=ON", "--event-scheduler=ON"};
    target_server_ = std::make_unique<sandbox::TestServer>(encrypted);
    auto source = source_server_->connect(Side::source);
    for (const auto* statement : shop_statements) source.execute(statement);
    // Programs written under other settings keep them.
    source.execute("USE shop");
    source.execute("SET SESSION sql_mode='ANSI_QUOTES,NO_BACKSLASH_ESCAPES'");
    source.execute("CREATE PROCEDURE shop.ansi() SELECT '\\', \"id\" FROM \"item\"");
    source.execute("CREATE EVENT shop.ansi ON SCHEDULE EVERY 1 YEAR COMMENT 'x' DO SELECT '\\'");
    source.execute(
        "SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO', character_set_client=latin1, "
        "collation_connection=latin1_german1_ci");
    source.execute(
        "CREATE PROCEDURE shop.latin() SELECT 'gr\xF6\xDF"
        "e'");
    source.execute("CREATE TRIGGER shop.latin AFTER INSERT ON shop.item FOR EACH ROW SET @a = '\xFF'");
    source.execute("CREATE VIEW shop.latin AS SELECT '\xE9' AS e");
    source.execute("SET SESSION character_set_client=utf8mb4, time_zone='+05:00', timestamp=1700000000");
    source.execute("CREATE EVENT shop.once ON SCHEDULE AT '2023-11-15 12:00:00' DO SET @a = 1");
    source.execute("SET SESSION timestamp=DEFAULT");
    source.execute("ALTER DATABASE shop COLLATE utf8mb4_0900_as_cs");  // programs remember the one before
  }
  static void TearDownTestSuite() {
    source_server_.reset();
    target_server_.reset();
  }

  Provisioning() : source_(source_server_->connect(Side::source)), target_(target_server_->connect(Side::target)) {}

  void provision_up_to_the_switch() {
    const auto tables = mysql::read_tables(source_, schemas_);
    accounts_ = create_accounts(source_, target_, {});
    provisioner_.create_databases_and_tables(source_, target_, schemas_, tables);
    for (const auto& table : tables) provisioner_.add_plain_indexes(target_, table);
    provisioner_.add_unique_indexes_and_foreign_keys(target_, tables);
    grant_privileges(source_, target_, {});
    objects_ = provisioner_.create_views_and_routines(source_, target_, schemas_);
    grants_ = grant_privileges(source_, target_, {});
  }

  void switch_over() {
    triggers_ = provisioner_.create_triggers(source_, target_, schemas_);
    events_ = provisioner_.create_events(source_, target_, schemas_);
  }

  // "kind name: what" of every difference.
  std::vector<std::string> differences(CompareTime time) {
    std::vector<std::string> out;
    for (const auto& d : compare_objects(source_, target_, schemas_, time, {}))
      out.push_back(d.kind + " " + d.name + ": " + d.what);
    return out;
  }

  static void expect_nothing_left(const ObjectReport& report) {
    for (const auto& object : report.not_created)
      ADD_FAILURE() << object.kind << " " << object.name << ": " << object.why;
  }
  static void expect_nothing_left(const AccountReport& report) {
    for (const auto& note : report.skipped)
      ADD_FAILURE() << note.account.text() << " " << note.what << ": " << note.why;
  }

  static std::unique_ptr<sandbox::TestServer> source_server_;
  static std::unique_ptr<sandbox::TestServer> target_server_;
  const std::vector<std::string> schemas_ = {"sh`op 2", "shop"};
  base::Log log_{base::Log::Level::quiet};
  Provisioner provisioner_{log_};
  Session source_;
  Session target_;
  AccountReport accounts_, grants_;
  ObjectReport objects_, triggers_, events_;
};

std::unique_ptr<sandbox::TestServer> Provisioning::source_server_;
std::unique_ptr<sandbox::TestServer> Provisioning::target_server_;

TEST_F(Provisioning, makes_the_target_what_the_source_is_step_by_step) {
  provision_up_to_the_switch();
  expect_nothing_left(accounts_);
  expect_nothing_left(objects_);
  expect_nothing_left(grants_);
  EXPECT_EQ(objects_.created, 10U);
  EXPECT_THAT(differences(CompareTime::before_switch), testing::IsEmpty());

  switch_over();
  expect_nothing_left(triggers_);
  expect_nothing_left(events_);
  EXPECT_EQ(target_.scalar("SELECT COUNT(*) FROM information_schema.EVENTS WHERE STATUS='ENABLED'"), "0");
  EXPECT_EQ(target_.scalar("SELECT COUNT(*) FROM information_schema.EVENTS WHERE EVENT_SCHEMA='shop'"), "5");
  target_.execute("SET GLOBAL event_scheduler=OFF");  // one of the events is due and would be gone
  provisioner_.enable_events(source_, target_, schemas_);
  EXPECT_THAT(differences(CompareTime::after_switch), testing::IsEmpty());
  EXPECT_EQ(target_.scalar("SELECT COUNT(*) FROM information_schema.INNODB_TABLESPACES WHERE NAME LIKE '%shop%' AND "
                           "ENCRYPTION<>'Y'"),
            "0");
  EXPECT_EQ(target_.scalar("SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME='shop'"),
            "utf8mb4_0900_as_cs");
  EXPECT_EQ(target_.scalar("SELECT @@sql_mode"), "NO_AUTO_VALUE_ON_ZERO,STRICT_ALL_TABLES,ALLOW_INVALID_DATES");
}

TEST_F(Provisioning, changes_nothing_when_it_runs_again) {
  provision_up_to_the_switch();
  switch_over();
  EXPECT_EQ(accounts_.created + objects_.created + triggers_.created + events_.created + grants_.grants, 0U);
  EXPECT_EQ(accounts_.present, 7U);
  EXPECT_EQ(triggers_.present, 5U);
  EXPECT_THAT(differences(CompareTime::after_switch), testing::IsEmpty());
}

TEST_F(Provisioning, runs_an_application_user_on_the_target_with_its_password) {
  auto endpoint = target_server_->endpoint();
  endpoint.user = "app";
  endpoint.password = base::Secret("One-Word-1");
  Session app(endpoint, Side::target);
  app.execute("CALL shop.p(7, @b)");
  EXPECT_EQ(app.scalar("SELECT @b"), "$$7");
  EXPECT_TRUE(app.query("SELECT mail FROM shop.z_view").empty());
  EXPECT_TRUE(app.query("SELECT * FROM shop.item").empty());
}

TEST_F(Provisioning, finds_triggers_and_events_that_are_there_too_early) {
  EXPECT_THAT(differences(CompareTime::before_switch), Contains("trigger shop.t1: on the target before the switch"));
  EXPECT_THAT(differences(CompareTime::before_switch), Contains("event shop.nightly: on the target before the switch"));
  provisioner_.drop_triggers(target_, schemas_);
  provisioner_.drop_events(target_, schemas_);
  EXPECT_THAT(differences(CompareTime::before_switch), testing::IsEmpty());
  EXPECT_THAT(differences(CompareTime::after_switch), Contains("trigger shop.t1: missing on the target"));
  switch_over();
  EXPECT_EQ(triggers_.created, 5U);
  EXPECT_THAT(differences(CompareTime::after_switch), Contains(HasSubstr("event shop.nightly: its status differs")));
  provisioner_.enable_events(source_, target_, schemas_);
}

struct Planted {
  const char* harm;
  const char* found;
  const char* mend;  ///< on the target too
};

TEST_F(Provisioning, finds_every_planted_difference) {
  ASSERT_THAT(differences(CompareTime::after_switch), testing::IsEmpty());
  const Planted faults[] = {
      // Altering an event without care for its stored settings loses the database collation.
      {"ALTER DATABASE shop COLLATE utf8mb4_bin", "database shop: character set",
       "ALTER DATABASE shop COLLATE utf8mb4_0900_as_cs"},
      {"ALTER TABLE shop.customer DROP KEY upper_mail",
       "table shop.customer: key `upper_mail` is missing on the target",
       "ALTER TABLE shop.customer ADD KEY upper_mail ((UPPER(email)))"},
      {"ALTER TABLE shop.customer ALTER INDEX hidden VISIBLE", "table shop.customer: key `hidden` differs",
       "ALTER TABLE shop.customer ALTER INDEX hidden INVISIBLE"},
      {"ALTER TABLE shop.item MODIFY name VARCHAR(91)", "table shop.item: column `name` differs",
       "ALTER TABLE shop.item MODIFY name VARCHAR(90)"},
      {"ALTER TABLE shop.item MODIFY name VARCHAR(90) AFTER text", "table shop.item: the order of columns",
       "ALTER TABLE shop.item MODIFY name VARCHAR(90) AFTER id"},
      {"ALTER TABLE shop.item ALTER CHECK item_chk_1 NOT ENFORCED", "table shop.item: check `item_chk_1` differs",
       "ALTER TABLE shop.item ALTER CHECK item_chk_1 ENFORCED"},
      {"ALTER TABLE shop.orders DROP FOREIGN KEY orders_ibfk_1", "foreign key `orders_ibfk_1` is missing on the target",
       "ALTER TABLE shop.orders ADD CONSTRAINT orders_ibfk_1 FOREIGN KEY (customer) REFERENCES shop.customer (id) ON "
       "DELETE "
       "CASCADE"},
      {"ALTER TABLE shop.item COMMENT 'x'", "table shop.item: options differ", "ALTER TABLE shop.item COMMENT ''"},
      {"ALTER TABLE shop.log DROP PARTITION now", "table shop.log: partitions differ",
       "ALTER TABLE shop.log ADD PARTITION (PARTITION now VALUES LESS THAN (MAXVALUE))"},
      {"CREATE TABLE shop.stray (a INT)", "table shop.stray: on the target only", "DROP TABLE shop.stray"},
      {"DROP VIEW shop.uses_f", "view shop.uses_f: missing on the target", nullptr},
      {"ALTER DEFINER=definer@localhost VIEW shop.a_on_z AS SELECT id FROM shop.item",
       "view shop.a_on_z: its text differs", "DROP VIEW shop.a_on_z"},
      {"ALTER DEFINER=boss@localhost SQL SECURITY DEFINER VIEW shop.a_on_z AS SELECT * FROM shop.item",
       "view shop.a_on_z: its text differs (definer", "DROP VIEW shop.a_on_z"},
      {"ALTER PROCEDURE shop.p COMMENT 'other'", "procedure shop.p: its text differs", "DROP PROCEDURE shop.p"},
      {"DROP FUNCTION `sh``op 2`.f", "function sh`op 2.f: missing on the target", nullptr},
      {"DROP TRIGGER shop.after_it", "trigger shop.after_it: missing on the target", nullptr},
      {"ALTER EVENT shop.nightly DISABLE", "event shop.nightly: database collation", "DROP EVENT shop.nightly"},
      {"ALTER DEFINER=definer@localhost EVENT shop.off ENABLE", "event shop.off: database collation",
       "DROP EVENT shop.off"},
      {"REVOKE DELETE ON shop.orders FROM `writer`@`%`", "grant writer@%: missing on the target: GRANT", nullptr},
      {"REVOKE BACKUP_ADMIN ON *.* FROM definer@localhost", "grant definer@localhost: missing on the target: GRANT",
       nullptr},
      {"GRANT FILE ON *.* TO app@'%'", "grant app@%: on the target only: GRANT FILE",
       "REVOKE FILE ON *.* FROM app@'%'"},
      {"ALTER USER app@'%' DEFAULT ROLE ALL", "account app@%: default roles differ", nullptr},
      {"ALTER USER ''@localhost ACCOUNT LOCK", "account @localhost: its password, plugin or options differ",
       "ALTER USER ''@localhost ACCOUNT UNLOCK"},
      {"ALTER USER ''@localhost IDENTIFIED BY 'Another-4'",
       "account @localhost: its password, plugin or options differ", "DROP USER ''@localhost"},
      {"DROP USER 'o''dd @ \"one'@'10.0.0.%'", "account o'dd @ \"one@10.0.0.%: missing on the target", nullptr},
  };
  for (const auto& fault : faults) {
    target_.execute(fault.harm);
    EXPECT_THAT(differences(CompareTime::after_switch), Contains(HasSubstr(fault.found))) << fault.harm;
    if (fault.mend != nullptr) target_.execute(fault.mend);
    provision_up_to_the_switch();
    switch_over();
    provisioner_.enable_events(source_, target_, schemas_);
    EXPECT_THAT(differences(CompareTime::after_switch), testing::IsEmpty()) << "after mending " << fault.harm;
  }
}

TEST_F(Provisioning, reports_what_the_target_cannot_take_and_goes_on) {
  source_.execute("CREATE TABLE shop.passing (a INT)");
  source_.execute("CREATE VIEW shop.dangling AS SELECT a FROM shop.passing");
  source_.execute("DROP TABLE shop.passing");
  source_.execute("CREATE USER other@'%' IDENTIFIED WITH caching_sha2_password BY 'Four-4'");
  source_.execute("GRANT SELECT ON shop.* TO other@'%'");
  target_.execute("CREATE USER other@'%' IDENTIFIED WITH caching_sha2_password BY 'Five-5'");
  source_.execute("INSTALL PLUGIN mysql_no_login SONAME 'mysql_no_login.so'");
  source_.execute("CREATE USER no_login@'%' IDENTIFIED WITH mysql_no_login");
  source_.execute("SET GLOBAL log_bin_trust_function_creators=1");
  source_.execute("CREATE FUNCTION shop.unsafe() RETURNS INT RETURN RAND()");
  source_.execute("CREATE TABLE shop.only_here (a INT PRIMARY KEY)");
  source_.execute("GRANT SELECT, UPDATE ON shop.only_here TO app@'%'");
  const auto accounts = create_accounts(source_, target_, {});
  const auto grants = grant_privileges(source_, target_, {});
  const auto objects = provisioner_.create_views_and_routines(source_, target_, schemas_);
  std::vector<std::string> said;
  for (const auto& note : accounts.skipped) said.push_back(note.account.text() + " " + note.what + ": " + note.why);
  for (const auto& note : grants.skipped) said.push_back(note.account.text() + " " + note.what + ": " + note.why);
  for (const auto& object : objects.not_created) said.push_back(object.kind + " " + object.name + ": " + object.why);
  EXPECT_THAT(said, Contains(HasSubstr("other@% account: the target has this account with another password")));
  EXPECT_THAT(said, Contains(HasSubstr("no_login@% account:")));
  EXPECT_THAT(said, Contains(HasSubstr("other@% grants:")));
  EXPECT_THAT(said, Contains(HasSubstr("app@% GRANT SELECT ON `shop`.`only_here`")));
  EXPECT_THAT(said, Contains(HasSubstr("view shop.dangling:")));
  EXPECT_THAT(said, Contains(testing::AllOf(HasSubstr("function shop.unsafe:"), HasSubstr("log_bin_trust"))));
  for (const auto& line : said) EXPECT_EQ(line.find("2441"), std::string::npos) << "a hash in: " << line;
  EXPECT_FALSE(differences(CompareTime::after_switch).empty());
}

}  // namespace
}  // namespace reseal::provision

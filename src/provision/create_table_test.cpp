// SPDX-License-Identifier: Apache-2.0
#include "provision/create_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/failure.hpp"
#include "provision/sql_tokens.hpp"

namespace reseal::provision {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

CreateTable parsed(std::string_view statement) {
  auto table = parse_create_table(statement);
  EXPECT_TRUE(table.ok()) << (table.ok() ? "" : table.error());
  return table.ok() ? table.value() : CreateTable();
}

std::vector<std::string> names(const std::vector<const Element*>& elements) {
  std::vector<std::string> out;
  for (const auto* element : elements) out.push_back(element->name);
  return out;
}

std::string full_statement(const CreateTable& table) {
  CreatePlan plan;
  for (const auto& element : table.elements) plan.now.push_back(&element);
  return create_statement(table, "s", plan);
}

const char* const orders_table = R"(CREATE TABLE `orders` (
  `id` bigint unsigned NOT NULL AUTO_INCREMENT,
  `customer` int NOT NULL,
  `note` varchar(20) DEFAULT 'a,b) KEY `x` (`y`)' COMMENT 'it''s, PRIMARY KEY (`no`) */ /*!50100',
  `total` decimal(10,2) GENERATED ALWAYS AS ((`customer` * 1.5)) STORED /*!80023 INVISIBLE */,
  PRIMARY KEY (`id`),
  UNIQUE KEY `u` (`customer`,`note`(5)),
  KEY `plain` (`note`) COMMENT 'KEY, here' /*!80000 INVISIBLE */,
  KEY `func` ((lower(`note`)),`id` DESC),
  FULLTEXT KEY `ft` (`note`) /*!50100 WITH PARSER `ngram` */ ,
  CONSTRAINT `fk` FOREIGN KEY (`customer`) REFERENCES `customers` (`id`) ON DELETE CASCADE,
  CONSTRAINT `c` CHECK ((`customer` > 0)) /*!80016 NOT ENFORCED */
) ENGINE=InnoDB AUTO_INCREMENT=17 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci COMMENT='ENGINE=MyISAM ENCRYPTION=''N''' /*!80016 ENCRYPTION='N' */
/*!50100 PARTITION BY RANGE (`id`)
(PARTITION p0 VALUES LESS THAN (10) ENGINE = InnoDB,
 PARTITION p1 VALUES LESS THAN MAXVALUE ENGINE = InnoDB) */)";

TEST(CreateTable, splits_elements_as_the_server_printed_them) {
  const auto table = parsed(orders_table);
  ASSERT_EQ(table.elements.size(), 11U);
  EXPECT_EQ(table.name, "orders");
  EXPECT_EQ(table.engine, "InnoDB");
  EXPECT_EQ(table.auto_increment, "17");
  EXPECT_TRUE(table.elements[0].auto_increment);
  EXPECT_THAT(table.elements[2].text, HasSubstr("COMMENT 'it''s, PRIMARY KEY (`no`) */ /*!50100'"));
  EXPECT_THAT(table.elements[3].text, HasSubstr("STORED /*!80023 INVISIBLE */"));
  EXPECT_EQ(table.elements[7].first_column, "");
  EXPECT_EQ(table.elements[8].kind, ElementKind::fulltext_key);
  EXPECT_EQ(table.elements[8].text, "FULLTEXT KEY `ft` (`note`) /*!50100 WITH PARSER `ngram` */");
  EXPECT_EQ(table.elements[10].text, "CONSTRAINT `c` CHECK ((`customer` > 0)) /*!80016 NOT ENFORCED */");
  EXPECT_TRUE(table.refused_options.empty());
}

TEST(CreateTable, cuts_out_encryption_and_the_counter_only_where_they_are_options) {
  const auto table = parsed(orders_table);
  EXPECT_EQ(
      table.options,
      "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci COMMENT='ENGINE=MyISAM ENCRYPTION=''N'''");
  const auto statement = full_statement(table);
  EXPECT_THAT(statement, HasSubstr("AUTO_INCREMENT=17 ENCRYPTION='Y'\n/*!50100 PARTITION BY RANGE (`id`)\n(PARTITION"));
  EXPECT_THAT(statement, Not(HasSubstr("ENCRYPTION='N'")));
  // Reading the rebuilt statement finds the same table.
  const auto again = parsed(std::string(statement).erase(13, 4));
  EXPECT_EQ(again.options, table.options);
  EXPECT_EQ(again.partitions, table.partitions);
  EXPECT_EQ(again.elements.size(), table.elements.size());
}

TEST(CreateTable, replaces_encryption_however_it_is_written) {
  for (const std::string option : {"ENCRYPTION='N'", "ENCRYPTION = 'N'", "encryption 'n'", "/*!80016 ENCRYPTION='N' */",
                                   "/*!80016 ENCRYPTION='Y' */"}) {
    const auto table = parsed("CREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB " + option + " COMMENT='x'");
    EXPECT_EQ(table.options, "ENGINE=InnoDB COMMENT='x'") << option;
  }
  const auto table =
      parsed("CREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB /*!80023 AUTOEXTEND_SIZE=4M ENCRYPTION='N' */");
  EXPECT_THAT(table.options, Not(HasSubstr("ENCRYPTION")));
  EXPECT_THAT(table.options, HasSubstr("AUTOEXTEND_SIZE=4M"));
}

TEST(CreateTable, cuts_encryption_out_of_a_partition) {
  const auto table = parsed(
      "CREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB\n/*!50100 PARTITION BY HASH (`a`)\n(PARTITION p0 ENCRYPTION = "
      "'N' "
      "ENGINE = InnoDB) */");
  EXPECT_EQ(table.partitions, "/*!50100 PARTITION BY HASH (`a`)\n(PARTITION p0 ENGINE = InnoDB) */");
}

TEST(CreateTable, plans_what_comes_when) {
  const auto table = parsed(orders_table);
  const auto plan = plan_create(table, "PRIMARY");
  EXPECT_EQ(plan.now.size(), 6U);
  EXPECT_THAT(names(plan.plain), ElementsAre("plain", "func", "ft"));
  EXPECT_THAT(names(plan.unique), ElementsAre("u"));
  EXPECT_THAT(names(plan.foreign), ElementsAre("fk"));
  EXPECT_EQ(plan.stand_in, nullptr);
  EXPECT_EQ(alter_statement(table, "s", plan.foreign),
            "ALTER TABLE `s`.`orders` ADD CONSTRAINT `fk` FOREIGN KEY (`customer`) REFERENCES `customers` (`id`) ON "
            "DELETE CASCADE");
}

TEST(CreateTable, keeps_the_chosen_unique_key_when_there_is_no_primary_key) {
  const auto table =
      parsed("CREATE TABLE `t` (\n  `a` int NOT NULL,\n  UNIQUE KEY `u` (`a`),\n  KEY `k` (`a`)\n) ENGINE=InnoDB");
  EXPECT_THAT(names(plan_create(table, "u").now), ElementsAre("a", "u"));
  EXPECT_THAT(names(plan_create(table, "").unique), ElementsAre("u"));
}

TEST(CreateTable, keeps_the_key_that_the_counter_needs_and_those_ahead_of_it) {
  const auto table = parsed(
      "CREATE TABLE `t` (\n  `a` int NOT NULL,\n  `n` int NOT NULL AUTO_INCREMENT,\n  PRIMARY KEY (`a`),\n"
      "  KEY `first` (`a`,`n`),\n  KEY `n` (`n`,`a`),\n  KEY `last` (`a`)\n) ENGINE=InnoDB");
  const auto plan = plan_create(table, "PRIMARY");
  EXPECT_EQ(plan.now.size(), 5U);
  EXPECT_THAT(names(plan.plain), ElementsAre("last"));
}

TEST(CreateTable, lets_a_plain_key_stand_in_for_a_unique_key_that_the_counter_needs) {
  const auto table = parsed(
      "CREATE TABLE `t` (\n  `a` int NOT NULL,\n  `n` int NOT NULL AUTO_INCREMENT,\n  PRIMARY KEY (`a`),\n"
      "  UNIQUE KEY `n` (`n`)\n) ENGINE=InnoDB");
  const auto plan = plan_create(table, "PRIMARY");
  ASSERT_NE(plan.stand_in, nullptr);
  EXPECT_THAT(create_statement(table, "s", plan), HasSubstr(",\n  KEY `n` (`n`)\n)"));
  EXPECT_EQ(alter_statement(table, "s", plan.unique, "DROP KEY `n`"),
            "ALTER TABLE `s`.`t` DROP KEY `n`, ADD UNIQUE KEY `n` (`n`)");
}

TEST(CreateTable, reads_names_that_look_like_syntax) {
  const auto table = parsed(
      "CREATE TABLE `a``b */ (\n x` (\n  `PRIMARY KEY (``)` int COMMENT 'x\\'),\\n',\n  `,` int,\n  KEY `ENGINE=X` "
      "(`,`)\n"
      ") ENGINE=InnoDB COMMENT='/*!50100 PARTITION BY'");
  EXPECT_EQ(table.name, "a`b */ (\n x");
  ASSERT_EQ(table.elements.size(), 3U);
  EXPECT_EQ(table.elements[0].name, "PRIMARY KEY (`)");
  EXPECT_EQ(table.elements[1].name, ",");
  EXPECT_EQ(table.elements[2].name, "ENGINE=X");
  EXPECT_EQ(table.partitions, "");
  EXPECT_EQ(full_statement(table).substr(0, 35), "CREATE TABLE `s`.`a``b */ (\n x` (\n ");
}

TEST(CreateTable, refuses_what_ties_a_table_to_a_place_and_names_the_table) {
  for (const std::string option : {"DATA DIRECTORY='/d'", "INDEX DIRECTORY='/d'", "/*!50100 TABLESPACE `ts` */",
                                   "CONNECTION='mysql://h/d'", "UNION=(`a`,`b`)"}) {
    const auto table = parsed("CREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB " + option);
    try {
      full_statement(table);
      ADD_FAILURE() << option << " passed";
    } catch (const base::Failure& failure) {
      EXPECT_EQ(failure.kind(), base::FailureKind::refused);
      EXPECT_THAT(failure.what(), HasSubstr("s.t"));
    }
  }
}

TEST(CreateTable, refuses_a_data_directory_of_a_partition_and_of_a_subpartition) {
  const std::string head = "CREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB\n/*!50100 PARTITION BY RANGE (`a`)\n";
  EXPECT_THAT(
      parsed(head + "(PARTITION p0 VALUES LESS THAN (1) DATA DIRECTORY = '/d' ENGINE = InnoDB) */").refused_options,
      ElementsAre("DATA DIRECTORY"));
  EXPECT_THAT(
      parsed(head + "SUBPARTITION BY HASH (`a`)\n(PARTITION p0 VALUES LESS THAN (1)\n (SUBPARTITION s0 TABLESPACE = "
                    "`ts` ENGINE = InnoDB)) */")
          .refused_options,
      ElementsAre("TABLESPACE"));
  EXPECT_THAT(parsed(head + "(PARTITION connection VALUES LESS THAN (1) ENGINE = InnoDB) */").refused_options,
              ElementsAre());
}

TEST(CreateTable, leaves_an_inherited_collation_to_the_table) {
  const auto table = parsed(
      "CREATE TABLE `t` (\n  `a` text COLLATE latin1_bin NOT NULL COMMENT 'COLLATE x',\n"
      "  `b` text CHARACTER SET latin1 COLLATE latin1_bin,\n  `c` text COLLATE latin1_bin,\n"
      "  `d` int GENERATED ALWAYS AS ((`a` COLLATE latin1_bin)) VIRTUAL\n) ENGINE=InnoDB COLLATE=latin1_bin");
  EXPECT_EQ(table.elements[0].create_text, "`a` text NOT NULL COMMENT 'COLLATE x'");
  EXPECT_EQ(table.elements[1].create_text, table.elements[1].text);
  EXPECT_EQ(table.elements[2].create_text, "`c` text");
  EXPECT_EQ(table.elements[3].create_text, table.elements[3].text);
}

TEST(CreateTable, refuses_other_engines) {
  EXPECT_THROW(full_statement(parsed("CREATE TABLE `t` (\n  `a` int\n) ENGINE=MyISAM")), base::Failure);
  EXPECT_THROW(full_statement(parsed("CREATE TABLE `t` (\n  `a` int\n) ENGINE=MEMORY")), base::Failure);
}

TEST(CreateTable, says_what_is_wrong_with_broken_text) {
  const std::string whole = orders_table;
  for (const std::string_view text :
       {"", "CREATE", "CREATE TABLE", "CREATE TABLE `t", "CREATE TABLE `t` (", "SELECT 1", "CREATE TABLE `t` ()",
        "CREATE TABLE `t` (`a` int,) ENGINE=InnoDB", "CREATE TABLE `t` (`a` int)",
        "CREATE TABLE `t` (KEY) ENGINE=InnoDB", "CREATE TABLE `t` (CONSTRAINT `c`) ENGINE=InnoDB",
        "CREATE TABLE `t` (`a` int)) ENGINE=InnoDB"})
    EXPECT_FALSE(parse_create_table(text).ok()) << text;
  // No prefix may crash; one that ends inside the columns must be bad.
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto table = parse_create_table(std::string_view(whole).substr(0, size));
    if (size < whole.find("\n) ENGINE")) {
      EXPECT_FALSE(table.ok()) << size;
    }
  }
}

TEST(SqlTokens, tells_versioned_comments_from_plain_ones) {
  const auto tokens = tokenize("a /* b ( ' */ /*!80016 c */ `*/` '*/'");
  ASSERT_TRUE(tokens.ok());
  std::vector<std::string> texts;
  for (const auto& token : tokens.value()) texts.emplace_back(token.text);
  EXPECT_THAT(texts, ElementsAre("a", "/*!80016", "c", "*/", "`*/`", "'*/'"));
}

TEST(SqlTokens, keeps_the_head_of_a_statement_whose_body_cannot_be_split) {
  EXPECT_EQ(leading_tokens("ON COMPLETION PRESERVE ENABLE DO SET @a='x\\'").size(), 9U);
}

}  // namespace
}  // namespace reseal::provision

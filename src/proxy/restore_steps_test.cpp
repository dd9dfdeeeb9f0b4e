// SPDX-License-Identifier: Apache-2.0
#include "proxy/restore_steps.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reseal::proxy {
namespace {

using testing::ElementsAre;

WholeState wanted_in(const std::optional<std::string>& schema) {
  WholeState state;
  state.session.roles = "NONE";
  state.session.schema = schema;
  return state;
}

SessionState fresh() {
  SessionState state;
  state.roles = "NONE";
  return state;
}

OpenStatement statement(const std::string& text, std::optional<std::string> schema = {}) {
  OpenStatement made;
  made.text = text;
  made.schema = std::move(schema);
  return made;
}

std::vector<std::string> texts(const RestoreSteps& plan) {
  std::vector<std::string> all;
  for (const auto& step : plan.steps)
    all.push_back((step.kind == RestoreStep::Kind::prepare ? "prepare " : "") + step.text);
  return all;
}

TEST(RestoreStepsTest, statements_are_prepared_under_their_schemas_and_the_session_ends_in_its_own) {
  OpenStatements statements;
  statements.add(1, statement("one", "b"));
  statements.add(2, statement("two", ""));
  statements.add(3, statement("three", "a"));
  auto wanted = wanted_in("b");
  wanted.schema_changes = wanted.schema_changes_seen = 3;
  wanted.session.variables["sql_mode"] = "ANSI";
  const auto plan = restore_steps(fresh(), wanted, statements, 0);
  const std::string set = "SET SESSION sql_mode=_utf8mb4 0x414E5349";
  EXPECT_THAT(texts(plan),
              ElementsAre(set, "prepare two", "USE `a`", "prepare three", "USE `b`", "prepare one", "USE `b`", set));
  EXPECT_EQ(plan.schema_changes, 3U);
  EXPECT_EQ(plan.schema_of.at(2), "");
  EXPECT_EQ(plan.schema_of.at(3), "a");
}

TEST(RestoreStepsTest, without_statements_the_schema_is_enough) {
  const auto plan = restore_steps(fresh(), wanted_in("b"), {}, 0);
  EXPECT_THAT(texts(plan), ElementsAre("USE `b`"));
  EXPECT_EQ(plan.schema_changes, 1U);
}

TEST(RestoreStepsTest, a_schema_that_nobody_saw_is_not_guessed) {
  OpenStatements statements;
  statements.add(1, statement("one"));
  auto wanted = wanted_in("b");
  EXPECT_EQ(restore_steps(fresh(), wanted, statements, 0).impossible_because, "");
  wanted.schema_changes = wanted.schema_changes_seen = 1;
  EXPECT_NE(restore_steps(fresh(), wanted, statements, 0).impossible_because, "");
  OpenStatements known;
  known.add(1, statement("one", "a"));
  EXPECT_EQ(restore_steps(fresh(), wanted, known, 0).impossible_because, "");
  wanted.schema_changes = 2;
  EXPECT_NE(restore_steps(fresh(), wanted, known, 0).impossible_because, "");
  EXPECT_EQ(restore_steps(fresh(), wanted, {}, 0).impossible_because, "");
}

TEST(RestoreStepsTest, there_is_no_way_back_to_no_schema) {
  OpenStatements statements;
  statements.add(1, statement("one", "a"));
  EXPECT_NE(restore_steps(fresh(), wanted_in(std::nullopt), statements, 0).impossible_because, "");
}

TEST(RestoreStepsTest, what_a_statement_has_begun_cannot_be_carried) {
  const auto refused = [](const OpenStatement& one) {
    OpenStatements statements;
    statements.add(1, one);
    return !restore_steps(fresh(), wanted_in("a"), statements, 0).impossible_because.empty();
  };
  auto one = statement("one");
  EXPECT_FALSE(refused(one));
  one.cursor_open = true;
  EXPECT_TRUE(refused(one));
  one = statement("one");
  one.long_data_pending = true;
  EXPECT_TRUE(refused(one));
  one = statement("one");
  one.types_readable = false;
  EXPECT_TRUE(refused(one));
  one.text.reset();
  EXPECT_TRUE(refused(one));
}

TEST(OpenStatementsTest, keep_texts_up_to_a_bound_and_ids_for_ever) {
  OpenStatements statements;
  statements.add(7, statement(std::string(OpenStatements::most_text, 'x')));
  statements.add(8, statement("y"));
  EXPECT_TRUE(statements.find(7)->text.has_value());
  EXPECT_FALSE(statements.find(8)->text.has_value());
  statements.close(7);
  statements.add(9, statement("z"));
  EXPECT_TRUE(statements.find(9)->text.has_value());
  statements.find(9)->types = "t";
  statements.moved({{8, 1}, {9, 2}}, {{8, ""}, {9, "a"}});
  EXPECT_TRUE(statements.renumbered());
  EXPECT_EQ(statements.find(9)->server_id, 2U);
  EXPECT_TRUE(statements.find(9)->types_due);
  EXPECT_FALSE(statements.find(8)->types_due);
  statements.clear();
  EXPECT_EQ(statements.next_id(), 10U);
  EXPECT_TRUE(statements.renumbered());
}

TEST(UserVariablesTest, are_set_by_what_keeps_their_type) {
  using Kind = UserVariable::Kind;
  EXPECT_EQ(set_user_variables({{"a`b", Kind::integer, "-5", "binary", "binary"},
                                {"d", Kind::decimal, "1.50", "binary", "binary"},
                                {"r", Kind::real, std::nullopt, "binary", "binary"},
                                {"t", Kind::bytes, "\xE4", "latin1", "latin1_bin"},
                                {"n", Kind::bytes, std::nullopt, "binary", "binary"}}),
            "SET @`a``b`:=CAST('-5' AS SIGNED),@`d`:=CAST('1.50' AS DECIMAL(65,2)),@`r`:=CAST(NULL AS DOUBLE),"
            "@`t`:=_latin1 0xE4 COLLATE latin1_bin,@`n`:=CONVERT(NULL USING binary)");
}

}  // namespace
}  // namespace reseal::proxy

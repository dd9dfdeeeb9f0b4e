// SPDX-License-Identifier: Apache-2.0
#include "proxy/session_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reseal::proxy {
namespace {

using testing::ElementsAre;

constexpr double now = 1'795'000'000;

SessionState state(std::map<std::string, std::optional<std::string>> variables) {
  SessionState made;
  made.variables = std::move(variables);
  made.variables.emplace("timestamp", "1795000000");
  made.roles = "NONE";
  return made;
}

TEST(SessionStateNames, keep_what_is_state_and_is_on_both_servers) {
  auto names = read_names({{"autocommit", "1"}, {"warning_count", "0"}, {"new_here", "1"}, {"insert_id", "0"}});
  EXPECT_THAT(names.all, ElementsAre("autocommit", "new_here", "insert_id"));
  EXPECT_THAT(names.global, ElementsAre("autocommit", "new_here"));
  names.keep_common(read_names({{"insert_id", "0"}, {"autocommit", "1"}}));
  EXPECT_THAT(names.all, ElementsAre("autocommit", "insert_id"));
  EXPECT_THAT(names.global, ElementsAre("autocommit"));
}

TEST(SessionStateRow, is_read_by_the_order_of_the_names) {
  const VariableNames names{{"autocommit", "insert_id"}, {"autocommit"}};
  EXPECT_EQ(state_query(names),
            "SELECT 'reseal',DATABASE(),CURRENT_ROLE(),@@session.autocommit,@@session.insert_id LIMIT 1");
  EXPECT_EQ(globals_query(names), "SELECT @@global.autocommit LIMIT 1");
  SessionState read;
  EXPECT_TRUE(read_state({{"reseal", "shop", "NONE", "1", std::nullopt}}, names, read));
  EXPECT_EQ(read.schema, "shop");
  EXPECT_EQ(read.variables["autocommit"], "1");
  EXPECT_EQ(read.variables["insert_id"], std::nullopt);
  leave_what_is_given(read, names, {{"1"}});
  EXPECT_EQ(read.variables.count("autocommit"), 0U);
  EXPECT_EQ(read.variables.count("insert_id"), 1U);
}

TEST(SessionStateRow, of_another_kind_of_text_is_not_read) {
  const VariableNames names{{"autocommit"}, {}};
  SessionState read;
  EXPECT_FALSE(read_state({{std::string("\0r\0e", 4), "shop", "NONE", "1"}}, names, read));
  EXPECT_FALSE(read_state({}, names, read));
  EXPECT_FALSE(read_state({{"reseal", "shop", "NONE"}}, names, read));
}

TEST(SessionStatePlan, an_untouched_session_needs_nothing) {
  const auto plan = plan_restore(state({{"insert_id", "0"}, {"timestamp", "1795000000.5"}}),
                                 state({{"insert_id", "0"}, {"timestamp", "1794999999.5"}}), now);
  EXPECT_EQ(plan.roles + plan.schema + plan.variables + plan.impossible_because, "");
}

TEST(SessionStatePlan, sets_what_differs_by_kind_of_value) {
  const auto wanted =
      state({{"lc_time_names", "de"}, {"last_insert_id", "7"}, {"long_query_time", "0.5"}, {"sql_mode", ""}});
  EXPECT_EQ(plan_restore(state({{"last_insert_id", "0"}}), wanted, now).variables,
            "SET SESSION last_insert_id=7,SESSION lc_time_names=_utf8mb4 0x6465,SESSION long_query_time=0.5,"
            "SESSION sql_mode=_utf8mb4 ''");
  EXPECT_EQ(plan_restore(state({}), state({{"character_set_results", std::nullopt}}), now).variables,
            "SET SESSION character_set_results=NULL");
}

TEST(SessionStatePlan, what_only_the_new_session_has_goes_back_to_the_default) {
  EXPECT_EQ(plan_restore(state({{"character_set_client", "latin1"}}), state({}), now).variables,
            "SET SESSION character_set_client=DEFAULT");
}

TEST(SessionStatePlan, roles_and_schema_are_set_by_statements_of_their_own) {
  auto wanted = state({{"autocommit", "0"}});
  wanted.roles = "`boss`@`%`";
  wanted.schema = "a`b";
  const auto plan = plan_restore(state({}), wanted, now);
  EXPECT_EQ(plan.roles, "SET ROLE `boss`@`%`");
  EXPECT_EQ(plan.schema, "USE `a``b`");
  EXPECT_EQ(plan.variables, "SET SESSION autocommit=0");
}

TEST(SessionStatePlan, a_clock_that_the_client_stopped_is_carried) {
  EXPECT_EQ(plan_restore(state({{"timestamp", "1795000000"}}), state({{"timestamp", "1000000000.5"}}), now).variables,
            "SET SESSION timestamp=1000000000.5");
}

TEST(SessionStatePlan, what_is_beyond_ascii_or_would_wait_is_not_carried) {
  EXPECT_FALSE(plan_restore(state({}), state({{"init_connect", "\xC3\xA4"}}), now).impossible_because.empty());
  EXPECT_FALSE(plan_restore(state({}), state({{"gtid_next", "ANONYMOUS"}}), now).impossible_because.empty());
}

}  // namespace
}  // namespace reseal::proxy

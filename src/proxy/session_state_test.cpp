// SPDX-License-Identifier: Apache-2.0
#include "proxy/session_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reseal::proxy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr double now = 1'795'000'000;

SessionState state(std::map<std::string, std::string> variables) {
  SessionState made;
  made.variables = std::move(variables);
  made.variables.emplace("timestamp", "1795000000");
  made.roles = "NONE";
  return made;
}

TEST(SessionStatePlan, an_untouched_session_needs_nothing) {
  const auto fresh = state({{"insert_id", "0"}, {"timestamp", "1795000000.5"}, {"statement_id", "7"}});
  const auto wanted = state({{"insert_id", "0"}, {"timestamp", "1794999999.5"}, {"statement_id", "99"}});
  EXPECT_THAT(plan_restore(fresh, wanted, now).statements, IsEmpty());
}

TEST(SessionStatePlan, what_the_server_gives_to_all_is_no_state) {
  auto wanted = state({{"sql_mode", "ANSI"}, {"port", "3306"}, {"insert_id", "0"}});
  leave_what_is_given(wanted, {{"sql_mode", "ansi"}, {"port", "3306"}});
  EXPECT_EQ(wanted.variables.count("port"), 0U);
  EXPECT_EQ(wanted.variables.count("sql_mode"), 1U);
  EXPECT_EQ(wanted.variables.count("insert_id"), 1U);
}

TEST(SessionStatePlan, sets_what_differs_by_kind_of_value) {
  const auto wanted =
      state({{"autocommit", "OFF"}, {"last_insert_id", "7"}, {"long_query_time", "0.5"}, {"sql_mode", ""}});
  EXPECT_THAT(plan_restore(state({{"last_insert_id", "0"}}), wanted, now).statements,
              ElementsAre("SET SESSION autocommit=_utf8mb4 0x4F4646", "SET SESSION last_insert_id=7",
                          "SET SESSION long_query_time=0.5", "SET SESSION sql_mode=''"));
  EXPECT_THAT(plan_restore(state({}), state({{"character_set_results", ""}}), now).statements,
              ElementsAre("SET SESSION character_set_results=NULL"));
}

TEST(SessionStatePlan, what_only_the_new_session_has_goes_back_to_the_default) {
  EXPECT_THAT(plan_restore(state({{"character_set_client", "latin1"}}), state({}), now).statements,
              ElementsAre("SET SESSION character_set_client=DEFAULT"));
}

TEST(SessionStatePlan, roles_and_schema_come_first) {
  auto wanted = state({{"autocommit", "OFF"}});
  wanted.roles = "`boss`@`%`";
  wanted.schema = "a`b";
  const auto statements = plan_restore(state({}), wanted, now).statements;
  ASSERT_EQ(statements.size(), 3U);
  EXPECT_EQ(statements[0], "SET ROLE `boss`@`%`");
  EXPECT_EQ(statements[1], "USE `a``b`");
}

TEST(SessionStatePlan, a_clock_that_the_client_stopped_is_carried) {
  EXPECT_THAT(
      plan_restore(state({{"timestamp", "1795000000"}}), state({{"timestamp", "1000000000.5"}}), now).statements,
      ElementsAre("SET SESSION timestamp=1000000000.5"));
}

TEST(SessionStatePlan, what_was_not_read_whole_is_not_carried) {
  EXPECT_FALSE(
      plan_restore(state({}), state({{"init_connect", std::string(1024, 'x')}}), now).impossible_because.empty());
}

}  // namespace
}  // namespace reseal::proxy

// SPDX-License-Identifier: Apache-2.0
#include "check/privileges.hpp"

#include <gtest/gtest.h>

namespace reseal::check {
namespace {

Privileges of(const std::vector<std::string>& lines) {
  Privileges privileges;
  for (const auto& line : lines) privileges.add(parse_grant(line).value());
  return privileges;
}

TEST(Privileges, reads_static_and_dynamic_privileges_on_everything) {
  const auto account = of({"GRANT SELECT, REPLICATION SLAVE, SHOW VIEW ON *.* TO `u`@`%` WITH GRANT OPTION",
                           "GRANT BACKUP_ADMIN,CONNECTION_ADMIN ON *.* TO `u`@`%`"});
  EXPECT_TRUE(account.has("REPLICATION SLAVE"));
  EXPECT_TRUE(account.has("CONNECTION_ADMIN"));
  EXPECT_TRUE(account.has_on("SHOW VIEW", "shop"));
  EXPECT_TRUE(account.may_grant());
  EXPECT_FALSE(account.has("INSERT"));
}

TEST(Privileges, usage_gives_nothing) {
  const auto account = of({"GRANT USAGE ON *.* TO `u`@`%`"});
  EXPECT_FALSE(account.has("SELECT"));
  EXPECT_FALSE(account.may_grant());
}

TEST(Privileges, grant_option_on_one_schema_is_no_grant_option_on_everything) {
  EXPECT_FALSE(of({"GRANT ALL PRIVILEGES ON `shop`.* TO `u`@`%` WITH GRANT OPTION"}).may_grant());
}

TEST(Privileges, all_privileges_on_a_schema_pattern_cover_matching_schemas_only) {
  const auto account = of({R"(GRANT ALL PRIVILEGES ON `shop\_%`.* TO `u`@`%`)"});
  EXPECT_TRUE(account.has_on("TRIGGER", "shop_eu"));
  EXPECT_FALSE(account.has_on("TRIGGER", "shopXeu"));
  EXPECT_FALSE(account.has("TRIGGER"));
}

TEST(Privileges, a_partial_revoke_takes_a_schema_out) {
  const auto account = of({"GRANT SELECT, UPDATE ON *.* TO `u`@`%`", "REVOKE UPDATE ON `shop`.* FROM `u`@`%`"});
  EXPECT_TRUE(account.has_on("SELECT", "shop"));
  EXPECT_FALSE(account.has_on("UPDATE", "shop"));
  EXPECT_TRUE(account.has_on("UPDATE", "other"));
}

TEST(Privileges, column_table_and_routine_grants_do_not_cover_a_schema) {
  const auto account = of({"GRANT SELECT (`id`, `a b`), INSERT ON `shop`.`t` TO `u`@`%`",
                           "GRANT EXECUTE ON PROCEDURE `shop`.`p` TO `u`@`%`", "GRANT PROXY ON ``@`` TO `u`@`%`"});
  EXPECT_FALSE(account.has_on("SELECT", "shop"));
  EXPECT_FALSE(account.has_on("INSERT", "shop"));
  EXPECT_FALSE(account.has_on("EXECUTE", "shop"));
}

TEST(Privileges, a_role_gives_nothing_by_its_name) {
  EXPECT_FALSE(of({"GRANT `SELECT`@`%`,`r2`@`%` TO `u`@`%`"}).has("SELECT"));
}

TEST(Privileges, quoted_schema_names_may_hold_anything) {
  EXPECT_TRUE(of({"GRANT SELECT ON `a``b ON c`.* TO `u`@`%`"}).has_on("SELECT", "a`b ON c"));
}

TEST(Privileges, super_stands_for_the_admin_privileges_it_was_split_into) {
  const auto account = of({"GRANT SUPER ON *.* TO `u`@`%`"});
  EXPECT_TRUE(account.has("SYSTEM_VARIABLES_ADMIN"));
  EXPECT_FALSE(account.has("SELECT"));
}

TEST(Privileges, refuses_what_is_no_grant) {
  EXPECT_FALSE(parse_grant("DROP TABLE t").ok());
  EXPECT_FALSE(parse_grant("GRANT SELECT ON nothing").ok());
}

}  // namespace
}  // namespace reseal::check

// SPDX-License-Identifier: Apache-2.0
#include "follow/changed_keys.hpp"

#include <gtest/gtest.h>

namespace reseal::follow {
namespace {

const sql::TableName orders{"shop", "orders"};

TEST(changed_keys, what_is_taken_is_forgotten_until_it_is_put_back_or_changes_again) {
  ChangedKeys changed;
  changed.put_back(orders, {{"1"}, {"2"}, {"3"}});
  changed.add_whole({"shop", "heap"});
  const auto taken = changed.take();
  EXPECT_EQ(taken.at(orders).size(), 3U);
  EXPECT_EQ(changed.size(), 0U);
  changed.put_back(orders, {{"2"}});
  changed.put_back(orders, {{"2"}});
  EXPECT_EQ(changed.size(), 1U);
  EXPECT_EQ(changed.snapshot().keys.at(orders), (std::set<sql::KeyValues>{{"2"}}));
  EXPECT_EQ(changed.snapshot().whole_tables.size(), 1U) << "whole tables are for the switch alone";
}

TEST(changed_keys, too_many_stays_too_many_until_a_full_comparison_begins) {
  ChangedKeys changed(2);
  changed.put_back(orders, {{"1"}, {"2"}, {"3"}});
  EXPECT_TRUE(changed.snapshot().too_many);
  EXPECT_TRUE(changed.take().empty());
  changed.put_back(orders, {{"1"}});
  EXPECT_TRUE(changed.snapshot().too_many) << "a list that lost keys must not look whole";
  EXPECT_GT(changed.size(), 2U);
  changed.clear();
  EXPECT_FALSE(changed.snapshot().too_many);
}

TEST(changed_keys, takes_over_another_list_with_all_that_it_says) {
  ChangedKeys parts(2);
  parts.put_back(orders, {{"1"}, {"2"}});
  parts.add_whole({"shop", "heap"});
  ChangedKeys changed;
  changed.put_back(orders, {{"2"}, {"3"}});
  changed.add(parts.snapshot());
  EXPECT_EQ(changed.size(), 3U);
  EXPECT_EQ(changed.snapshot().whole_tables.size(), 1U);
  parts.put_back(orders, {{"4"}});
  changed.add(parts.snapshot());
  EXPECT_TRUE(changed.snapshot().too_many) << "a list that lost keys must not look whole";
}

}  // namespace
}  // namespace reseal::follow

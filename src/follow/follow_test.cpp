// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/failure.hpp"
#include "follow/lane_split.hpp"
#include "follow/progress.hpp"
#include "follow/statement_policy.hpp"

namespace reseal::follow {
namespace {

using binlog::Field;
using binlog::RowChange;

TEST(statement_policy, lets_only_what_changes_nothing_through) {
  EXPECT_EQ(judge_statement("ANALYZE TABLE t"), StatementVerdict::harmless);
  EXPECT_EQ(judge_statement("/* x */ FLUSH TABLES"), StatementVerdict::harmless);
  EXPECT_EQ(judge_statement("DROP /*!40005 TEMPORARY */ TABLE IF EXISTS `t`"), StatementVerdict::harmless);
  EXPECT_EQ(judge_statement("CREATE DEFINER=`a`@`b` TRIGGER t"), StatementVerdict::compared_later);
  EXPECT_EQ(judge_statement("CREATE OR REPLACE ALGORITHM=UNDEFINED DEFINER=`a`@`%` VIEW v AS SELECT 1"),
            StatementVerdict::compared_later);
  EXPECT_EQ(judge_statement("GRANT SELECT ON *.* TO u"), StatementVerdict::compared_later);
}

TEST(statement_policy, stops_at_table_definitions_dml_and_the_unknown) {
  for (const auto* text :
       {"ALTER TABLE t ADD c INT", "TRUNCATE t", "create table t (a int)", "DROP TABLE `view`", "RENAME TABLE a TO b",
        "DROP DATABASE d", "CREATE UNIQUE INDEX i ON t(a)", "CREATE TABLE IF NOT EXISTS `procedure` (a int)"})
    EXPECT_EQ(judge_statement(text), StatementVerdict::changes_a_table) << text;
  for (const auto* text :
       {"INSERT INTO t VALUES (1)", "/* c */ update t set a=1", "DELETE FROM t", "", "(SELECT 1)", "FROBNICATE t"})
    EXPECT_EQ(judge_statement(text), StatementVerdict::changes_rows) << text;
}

TEST(statement_policy, messages_show_keywords_and_never_values) {
  EXPECT_EQ(leading_words("INSERT INTO t VALUES ('secret')"), "INSERT INTO T");
  EXPECT_EQ(leading_words("'secret'"), "a statement");
}

/// A table with an INT primary key and a unique INT, as the log shows its rows.
class TwoKeys : public ::testing::Test {
 protected:
  TwoKeys() {
    table_.name = {"s", "t"};
    table_.columns = {{.name = "id", .family = sql::ColumnFamily::integer, .nullable = false},
                      {.name = "u", .family = sql::ColumnFamily::integer}};
    table_.keys = {{"PRIMARY", true, {{0, std::nullopt, false}}}, {"u", true, {{1, std::nullopt, false}}}};
    auto map = std::make_shared<binlog::TableMap>();
    map->name = table_.name;
    map->columns.resize(2);
    for (auto& column : map->columns) column.type = binlog::FieldType::int32;
    auto binding = std::make_shared<TableBinding>();
    binding->table = &table_;
    binding->map = map;
    binding->key = {0};
    binding->writable = {0, 1};
    binding_ = binding;
  }

  Field field(int value) {
    std::string bytes(4, '\0');
    for (unsigned i = 0; i < 4; ++i) bytes[i] = static_cast<char>(value >> 8 * i & 0xFF);
    kept_.push_back(std::make_unique<std::string>(bytes));
    return {Field::State::present, *kept_.back()};
  }
  binlog::RowImage row(int id, int unique) { return {{field(id), field(unique)}}; }
  RowChange insert(int id, int unique) { return {RowChange::Kind::insert, {}, row(id, unique), nullptr}; }
  RowChange remove(int id, int unique) { return {RowChange::Kind::remove, row(id, unique), {}, nullptr}; }
  RowChange update(int id, int unique, int new_id, int new_unique) {
    return {RowChange::Kind::update, row(id, unique), row(new_id, new_unique), nullptr};
  }
  Batch batch(const std::vector<RowChange>& changes) {
    Batch made;
    for (const auto& change : changes) made.add(binding_, change);
    return made;
  }
  static const NetRow* find(const Batch& batch, const std::string& key) {
    for (const auto& row : std::get<NetChanges>(batch.tables.begin()->second.segments.front()).rows())
      if (row.key_literal == key) return &row;
    return nullptr;
  }
  /// Which lane each key went to.
  static std::map<std::string, std::size_t> lanes_of(const Batch& batch, std::size_t lanes) {
    std::map<std::string, std::size_t> out;
    const auto work = split_into_lanes(batch, lanes);
    for (std::size_t lane = 0; lane < work.size(); ++lane)
      for (const auto& part : work[lane])
        for (const auto* row : part.rows) out[row->key_literal] = lane;
    return out;
  }

  sql::Table table_;
  std::shared_ptr<const TableBinding> binding_;
  std::vector<std::unique_ptr<std::string>> kept_;
};

TEST_F(TwoKeys, the_last_image_of_a_key_stands_and_its_first_change_says_whether_it_existed) {
  const auto changes = batch({insert(1, 10), update(1, 10, 1, 11), update(2, 20, 2, 21), remove(2, 21), insert(3, 30),
                              remove(3, 30), remove(4, 40), insert(4, 41)});
  EXPECT_FALSE(find(changes, "1")->existed);
  EXPECT_TRUE(find(changes, "1")->last.has_value());
  EXPECT_TRUE(find(changes, "2")->existed);
  EXPECT_FALSE(find(changes, "2")->last.has_value());
  EXPECT_FALSE(find(changes, "3")->existed);
  EXPECT_FALSE(find(changes, "3")->last.has_value());
  EXPECT_TRUE(find(changes, "4")->existed);
  EXPECT_TRUE(find(changes, "4")->last.has_value());
}

TEST_F(TwoKeys, a_row_that_moves_leaves_one_key_and_takes_another) {
  const auto changes = batch({update(1, 10, 2, 10)});
  EXPECT_TRUE(find(changes, "1")->existed);
  EXPECT_FALSE(find(changes, "1")->last.has_value());
  EXPECT_FALSE(find(changes, "2")->existed);
  EXPECT_TRUE(find(changes, "2")->last.has_value());
}

TEST_F(TwoKeys, rows_that_hand_over_a_unique_value_share_a_lane) {
  std::vector<RowChange> changes;
  for (int i = 0; i < 200; ++i) changes.push_back(update(i, 1000 + i, i, 2000 + i));
  // 3 gives its value to 150, and 150 its own to 77.
  changes.push_back(update(3, 2003, 3, 9));
  changes.push_back(update(150, 2150, 150, 2003));
  changes.push_back(update(77, 2077, 77, 2150));
  const auto lanes = lanes_of(batch(changes), 4);
  EXPECT_EQ(lanes.at("3"), lanes.at("150"));
  EXPECT_EQ(lanes.at("150"), lanes.at("77"));
  std::set<std::size_t> used;
  for (const auto& [key, lane] : lanes) used.insert(lane);
  EXPECT_EQ(used.size(), 4U) << "unrelated rows spread";
}

TEST_F(TwoKeys, the_split_is_the_same_whatever_the_order_of_arrival) {
  std::vector<RowChange> changes;
  for (int i = 0; i < 100; ++i) changes.push_back(update(i, i, i, 500 + (i * 7) % 60));
  const auto forward = lanes_of(batch(changes), 3);
  const auto backward = lanes_of(batch({changes.rbegin(), changes.rend()}), 3);
  EXPECT_EQ(forward, backward);
}

TEST_F(TwoKeys, an_image_that_leaves_columns_out_is_kept_in_order_and_in_one_lane) {
  auto partial = update(1, 10, 1, 11);
  partial.after.fields[0] = {};
  const auto changes = batch({insert(5, 50), partial, insert(6, 60)});
  const auto& table = changes.tables.begin()->second;
  ASSERT_EQ(table.segments.size(), 2U) << "what follows an ordered change stays behind it";
  EXPECT_TRUE(table.ordered());
  std::size_t parts = 0;
  for (const auto& lane : split_into_lanes(changes, 4)) parts += lane.size();
  EXPECT_EQ(parts, 1U);
}

LaneProgress lane_at(std::uint64_t batch) {
  LaneProgress progress;
  progress.batch = batch;
  progress.start.binlog = {"binlog.000001", 100 * batch};
  progress.end.binlog = {"binlog.000001", 100 * batch + 100};
  return progress;
}

TEST(progress, lanes_that_agree_leave_nothing_half_done) {
  const auto resume = resume_from({lane_at(7), lane_at(7)});
  EXPECT_FALSE(resume.half_done.has_value());
  EXPECT_EQ(resume.from.end.binlog.offset, 800U);
}

TEST(progress, a_kill_between_two_lanes_names_the_batch_and_the_lanes_that_have_it) {
  const auto resume = resume_from({lane_at(7), lane_at(8), lane_at(7)});
  ASSERT_TRUE(resume.half_done.has_value());
  EXPECT_EQ(resume.from.batch, 7U);
  EXPECT_EQ(resume.half_done->end.binlog.offset, 900U);
  EXPECT_EQ(resume.half_done->done, (std::vector<bool>{false, true, false}));
}

TEST(progress, lanes_further_apart_are_a_divergence) {
  EXPECT_THROW(resume_from({lane_at(5), lane_at(8)}), base::Failure);
}

}  // namespace
}  // namespace reseal::follow

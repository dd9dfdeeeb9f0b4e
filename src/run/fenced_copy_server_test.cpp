// SPDX-License-Identifier: Apache-2.0
// The way whose fence comes before the copy: what it moves, and that the source takes writes again whenever it fails.
#include "run/fenced_copy.hpp"
#include "run/moves_fixture_for_tests.hpp"

namespace reseal::run {
namespace {

constexpr const char* small_shop =
    "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, u VARCHAR(30) UNIQUE, j JSON);\n"
    "CREATE TABLE child (id INT PRIMARY KEY, t INT, FOREIGN KEY (t) REFERENCES t (id));\n"
    "CREATE TABLE heap (a INT, b VARCHAR(20));\n"
    "INSERT INTO t (u, j) VALUES ('one', JSON_OBJECT('dec', CAST('1.10' AS DECIMAL(10,2)))), ('two', NULL),"
    " ('three', '[1.0, {}]');\n"
    "INSERT INTO child VALUES (1,1),(2,3);\n"
    "INSERT INTO heap VALUES (1,'x'),(1,'x'),(NULL,NULL);\n"
    "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.u = UPPER(NEW.u);\n";

class Dump : public Moves {
 protected:
  run::Run& open_dump() {
    auto with_way = options();
    with_way.way = Way::dump;
    return open(with_way);
  }
  bool source_takes_writes() {
    mysql::Session session(server_->endpoint(), mysql::Side::source);
    return !fence::SourceFence(session).up();
  }
  void expect_moved() {
    expect_same("SELECT id, u, CAST(j AS CHAR), JSON_TYPE(JSON_EXTRACT(j,'$.dec')) FROM t ORDER BY id");
    expect_same("SELECT * FROM child ORDER BY id");
    expect_same("SELECT a, b, COUNT(*) FROM heap GROUP BY a, b ORDER BY a");
  }
};

TEST_F(Dump, everything_moves_under_the_fence_and_the_source_follows_afterwards) {
  begin(source_server(), small_shop);
  auto& run = open_dump();
  run.advance(Until::provisioned, {});
  EXPECT_TRUE(source_takes_writes());
  sql("INSERT INTO t (u) VALUES ('late')");
  const auto report = cut_over(run, {}, {});
  ASSERT_TRUE(report.switched) << report.given_up_because;
  EXPECT_GE(report.downtime, report.stall);
  EXPECT_EQ(run.phase(), Phase::switched);
  EXPECT_FALSE(source_takes_writes());
  expect_moved();
  mysql::Session target(target_server().endpoint(), mysql::Side::target);
  target.execute("INSERT INTO app.t (u) VALUES ('after')");
  EXPECT_EQ(target.scalar("SELECT u FROM app.t ORDER BY id DESC LIMIT 1"), "AFTER");
  run.make_ready_for_rollback({});
  const auto back = SwitchOver(run, {}).execute({});
  ASSERT_TRUE(back.switched) << back.given_up_because;
  EXPECT_TRUE(source_takes_writes());
  expect_moved();
  // From here on each side follows the other: the next switch needs no fence before its copy.
  EXPECT_FALSE(run.fences_first());
}

TEST_F(Dump, a_copy_that_fails_gives_the_source_back_and_the_next_one_begins_anew) {
  begin(source_server(), small_shop);
  auto& run = open_dump();
  run.advance(Until::provisioned, {});
  mysql::Session target(target_server().endpoint(), mysql::Side::target);
  target.execute("INSERT INTO app.t (id, u) VALUES (2, 'in the way')");
  EXPECT_THROW(cut_over(run, {}, {}), Failure);
  EXPECT_TRUE(source_takes_writes());
  EXPECT_FALSE(run.copied_under_fence());
  sql("UPDATE t SET u = 'changed meanwhile' WHERE id = 1");
  sql("DELETE FROM child WHERE id = 2");
  const auto report = cut_over(run, {}, {});
  ASSERT_TRUE(report.switched) << report.given_up_because;
  expect_moved();
}

TEST_F(Dump, a_killed_copy_is_gone_on_with_under_its_fence_or_the_source_is_given_back) {
  begin(source_server(), small_shop);
  FencedCopy(open_dump(), {}).execute({});
  run_.reset();  // as a kill does: the fence stands
  EXPECT_FALSE(source_takes_writes());
  {
    FencedCopy copy(open(options()), {});
    ASSERT_TRUE(copy.unfinished());
    copy.back_out();
    EXPECT_FALSE(copy.unfinished());
  }
  EXPECT_TRUE(source_takes_writes());
  sql("INSERT INTO t (u) VALUES ('between')");
  FencedCopy(*run_, {}).execute({});
  run_.reset();
  EXPECT_EQ(open(options()).phase(), Phase::verified);
  const auto report = cut_over(*run_, {}, {});
  ASSERT_TRUE(report.switched) << report.given_up_because;
  expect_moved();
}

TEST_F(Dump, a_write_past_the_fence_is_seen_and_the_switch_given_up) {
  begin(source_server(), small_shop);
  auto& run = open_dump();
  FencedCopy(run, {}).execute({});
  sql("SET GLOBAL super_read_only=OFF");
  sql("UPDATE t SET u = 'past the fence' WHERE id = 1");
  sql("SET GLOBAL super_read_only=ON");
  const auto report = SwitchOver(run, {}).execute({});
  EXPECT_FALSE(report.switched);
  EXPECT_NE(report.given_up_because.find("moved since"), std::string::npos) << report.given_up_because;
  EXPECT_TRUE(source_takes_writes());
  const auto again = cut_over(run, {}, {});
  ASSERT_TRUE(again.switched) << again.given_up_because;
  expect_moved();
}

TEST_F(Dump, a_difference_gives_the_source_back_and_the_next_copy_lifts_the_poison) {
  begin(source_server(), small_shop);
  auto& run = open_dump();
  FencedCopy(run, {}).execute({});
  run_.reset();
  {
    mysql::Session target(target_server().endpoint(), mysql::Side::target);
    target.execute("UPDATE app.t SET u = 'other' WHERE id = 2");
  }
  EXPECT_THROW(cut_over(open(options()), {}, {}), Failure);
  EXPECT_TRUE(source_takes_writes());
  EXPECT_TRUE(run_->poisoned().has_value());
  const auto report = cut_over(*run_, {}, {});
  ASSERT_TRUE(report.switched) << report.given_up_because;
  EXPECT_FALSE(run_->poisoned().has_value());
  expect_moved();
}

TEST_F(Dump, a_stop_gives_the_source_back) {
  begin(source_server(), small_shop);
  auto& run = open_dump();
  run.advance(Until::provisioned, {});
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(cut_over(run, {}, stop.get_token()), Failure);
  EXPECT_TRUE(source_takes_writes());
}

TEST_F(Dump, the_source_is_given_back_though_the_target_is_away) {
  begin(source_server(), small_shop);
  FencedCopy copy(open_dump(), {});
  copy.execute({});
  target_server().kill_hard();
  copy.back_out();
  EXPECT_TRUE(source_takes_writes());
  run_.reset();
  target_server().start_again();
}

TEST_F(Dump, a_run_keeps_the_way_it_began_with) {
  begin(source_server(), small_shop);
  open_dump().advance(Until::provisioned, {});
  run_.reset();
  auto other = options();
  other.way = Way::stream;
  EXPECT_THROW(open(other), Failure);
  EXPECT_EQ(open(options()).way(), Way::dump);
}

TEST_F(Dump, settings_that_only_a_follow_needs_are_not_asked_for) {
  TestServer minimal([] {
    auto options = ServerOptions::plain_source();
    options.row_image = "MINIMAL";
    options.partial_json = true;
    options.gtid = false;
    return options;
  }());
  begin(minimal, small_shop);
  const auto report = cut_over(open_dump(), {}, {});
  EXPECT_TRUE(report.switched) << report.given_up_because;
  expect_moved();
  finish();
}

}  // namespace
}  // namespace reseal::run

// SPDX-License-Identifier: Apache-2.0
// The end of a run on real servers: refused, shown, done, killed within, and done again.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <csignal>
#include <thread>

#include "run/finish.hpp"
#include "run/finished_marker.hpp"
#include "run/moves_fixture_for_tests.hpp"
#include "run/settle_attempt.hpp"
#include "run/status.hpp"

namespace reseal::run {
namespace {

using cutover::Serves;
using testing::HasSubstr;

class Finishing : public Moves {
 protected:
  void begin_switched() {
    begin(source_server(),
          "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v INT);\nINSERT INTO t (v) VALUES (1),(2),(3);\n"
          "CREATE TABLE heap (a INT);\nINSERT INTO heap VALUES (1),(1);\n"
          "CREATE TRIGGER doubles BEFORE INSERT ON t FOR EACH ROW SET NEW.v = NEW.v * 2;\n");
    auto& run = open();
    run.advance(Until::armed, {});
    ASSERT_TRUE(SwitchOver(run, {}).execute({}).switched);
  }
  void follow_a_while() {
    run_->follow_back();
    mysql::Session(target_server().endpoint(), mysql::Side::target).execute("INSERT INTO app.t (v) VALUES (4)");
    run_->wait_followed({});
  }
  run::Run& open_to_finish(bool accept = false) {
    auto chosen = options();
    chosen.purpose = Purpose::finish;
    chosen.accept_source_writes = accept;
    return open(chosen);
  }
  std::string refusal() {
    try {
      Finish(open_to_finish()).execute();
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.kind(), FailureKind::refused) << failure.what();
      return failure.what();
    }
    return "";
  }

  /// Everything that a finish could change, of one server: schemas, tables, rows, accounts, settings, the log.
  static std::string seen(TestServer& server) {
    mysql::Session session(server.endpoint(), mysql::Side::source);
    std::string all;
    const auto add = [&](const std::string& query) {
      for (const auto& row : session.query(query)) {
        for (const auto& cell : row) all += cell.value_or("NULL") + "|";
        all += "\n";
      }
    };
    const auto tables = session.query(
        "SELECT CONCAT(TABLE_SCHEMA,'.',TABLE_NAME) FROM information_schema.TABLES WHERE TABLE_SCHEMA IN"
        " ('app','reseal') ORDER BY 1");
    for (const auto& table : tables) {
      all += *table[0] + "\n";
      add("CHECKSUM TABLE " + *table[0]);
      add("SHOW CREATE TABLE " + *table[0]);
    }
    add("SHOW DATABASES");
    add("SELECT user, host FROM mysql.user ORDER BY 1, 2");
    add("SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA='app'");
    add("SELECT EVENT_NAME FROM information_schema.EVENTS");
    add("SELECT CHANNEL_NAME FROM performance_schema.replication_connection_configuration");
    add("SELECT VARIABLE_NAME, VARIABLE_VALUE FROM performance_schema.global_variables WHERE VARIABLE_NAME NOT IN"
        " ('timestamp') ORDER BY 1");
    add("SELECT * FROM performance_schema.persisted_variables ORDER BY 1");
    return all;
  }
  static std::string seen_on_both() { return seen(source_server()) + seen(target_server()); }
  static std::string our_tables(TestServer& server) {
    mysql::Session session(server.endpoint(), mysql::Side::source);
    return session
        .scalar(
            "SELECT GROUP_CONCAT(TABLE_NAME ORDER BY TABLE_NAME) FROM information_schema.TABLES"
            " WHERE TABLE_SCHEMA='reseal'")
        .value_or("none");
  }
  /// As a proxy that starts asks.
  static Serves settled() {
    return settle_attempt(source_server().endpoint(), target_server().endpoint(), std::chrono::milliseconds(0));
  }
  void expect_finished() {
    run_.reset();
    EXPECT_EQ(our_tables(target_server()), "attempt,decision,run");
    EXPECT_EQ(our_tables(source_server()), "finished");
    EXPECT_EQ(source_->scalar("SELECT @@GLOBAL.super_read_only"), "1");
    EXPECT_EQ(source_->scalar("SELECT VARIABLE_VALUE FROM performance_schema.persisted_variables"
                              " WHERE VARIABLE_NAME='super_read_only'"),
              "ON");
    EXPECT_THROW(sql("INSERT INTO app.t (v) VALUES (1)"), Failure);
    EXPECT_EQ(settled(), Serves::target);
    mysql::Session target(target_server().endpoint(), mysql::Side::target);
    target.execute("INSERT INTO app.t (v) VALUES (50)");
    EXPECT_EQ(target.scalar("SELECT v FROM app.t ORDER BY id DESC LIMIT 1"), "100")
        << "the application's trigger stays";
    EXPECT_EQ(target.scalar("SELECT IS_FREE_LOCK('reseal.run')"), "1");
  }
};

TEST_F(Finishing, is_refused_while_the_source_serves) {
  begin(source_server(), "CREATE TABLE t (id INT PRIMARY KEY);\n");
  open().advance(Until::caught_up, {});
  run_.reset();
  const auto before = seen_on_both();
  EXPECT_THAT(refusal(), HasSubstr("the source serves (the run is in phase caught-up)"));
  EXPECT_EQ(seen_on_both(), before);
}

TEST_F(Finishing, is_refused_while_a_switch_is_cut_off) {
  begin_switched();
  follow_a_while();  // as a rollback does before it begins an attempt
  run_.reset();
  {
    mysql::Session target(target_server().endpoint(), mysql::Side::target);
    mysql::without_binlog(target);
    cutover::begin_attempt(target, "some-run", Serves::target);
  }
  const auto before = seen_on_both();
  EXPECT_THAT(refusal(), HasSubstr("a switch was cut off"));
  EXPECT_EQ(seen_on_both(), before);
  SwitchOver(open(), {}).recover();
  EXPECT_EQ(refusal(), "") << "backed out, it is in nobody's way";
}

TEST_F(Finishing, is_refused_while_others_write_on_the_source_until_that_is_accepted) {
  begin_switched();
  follow_a_while();
  sql("UPDATE app.t SET v = 9 WHERE id = 1");  // our account passes read_only
  EXPECT_THAT(refusal(), HasSubstr("app.t"));
  EXPECT_EQ(run_->phase(), Phase::switched);
  const auto report = Finish(open_to_finish(true)).execute();
  EXPECT_EQ(report.left(), 0U);
  EXPECT_THAT(report.source_writes, HasSubstr("app.t"));
  expect_finished();
}

TEST_F(Finishing, a_dry_run_says_what_it_would_do_and_changes_nothing) {
  begin_switched();
  follow_a_while();
  run_.reset();
  const auto before = seen_on_both();
  const auto report = Finish(open_to_finish()).look();
  run_.reset();
  EXPECT_EQ(seen_on_both(), before);
  EXPECT_FALSE(report.executed);
  EXPECT_EQ(report.left(), report.items.size()) << "nothing of it is done";
  for (const auto& item : report.items) EXPECT_FALSE(item.what.empty() || item.where.empty() || item.why.empty());
  EXPECT_THAT(render_text(report), HasSubstr("reseal.lane, reseal.marker"));
  EXPECT_THAT(render_text(report), HasSubstr("FINISH executed=no done=0 left=5"));
  EXPECT_EQ(open().phase(), Phase::switched);
  run_->make_ready_for_rollback({});
}

TEST_F(Finishing, ends_the_way_back_and_clears_away_what_the_move_left) {
  begin_switched();
  follow_a_while();
  const auto report = Finish(open_to_finish()).execute();
  EXPECT_EQ(report.left(), 0U) << render_text(report);
  EXPECT_THAT(render_text(report), HasSubstr(source_server().data_folder().string()));
  expect_finished();
  EXPECT_EQ(read_status(state_).phase, Phase::finished);
  EXPECT_THAT(render_text(read_status(state_)), HasSubstr("finish all done"));
  try {
    open();
    FAIL() << "a finished run was opened";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.kind(), FailureKind::refused);
    EXPECT_THAT(failure.what(), HasSubstr("is finished: the target serves"));
  }
  source_.reset();
  server_->kill_hard();
  server_->start_again();
  source_.emplace(server_->endpoint(), mysql::Side::source);
  EXPECT_EQ(source_->scalar("SELECT @@GLOBAL.super_read_only"), "1");
}

TEST_F(Finishing, done_again_it_changes_nothing) {
  begin_switched();
  Finish(open_to_finish()).execute();
  run_.reset();
  const auto before = seen_on_both();
  const auto report = Finish(open_to_finish()).execute();
  run_.reset();
  EXPECT_EQ(report.left(), 0U);
  EXPECT_EQ(seen_on_both(), before);
  expect_finished();
}

TEST_F(Finishing, a_proxy_never_takes_the_old_source_for_the_one_that_serves) {
  begin_switched();
  Finish(open_to_finish()).execute();
  run_.reset();
  auto gone = source_server().endpoint();
  gone.port = 1;
  const auto ask = [&](const mysql::Endpoint& source) {
    return settle_attempt(source, target_server().endpoint(), std::chrono::milliseconds(0));
  };
  EXPECT_EQ(ask(gone), Serves::target) << "what is decided needs no word of the source";
  mysql::Session(target_server().endpoint(), mysql::Side::target).execute("DROP DATABASE reseal");
  EXPECT_EQ(ask(source_server().endpoint()), Serves::target) << "the source says itself that it serves no more";
  EXPECT_THROW(ask(gone), Failure) << "nobody can be asked: nothing is guessed";
  auto nameless = source_server().endpoint();
  nameless.user.clear();
  EXPECT_THROW(ask(nameless), Failure);
}

TEST_F(Finishing, what_a_server_refuses_is_left_with_the_way_to_do_it_by_hand) {
  begin_switched();
  follow_a_while();
  sql("CREATE USER IF NOT EXISTS clerk IDENTIFIED BY 'only-for-this-test'");
  sql("GRANT ALL ON *.* TO clerk");
  sql("SET GLOBAL partial_revokes=ON");
  sql("REVOKE DROP ON reseal.* FROM clerk");
  auto chosen = options();
  chosen.purpose = Purpose::finish;
  chosen.accept_source_writes = true;  // the account was made past the fence
  chosen.source.user = "clerk";
  chosen.source.password = base::Secret("only-for-this-test");
  auto report = Finish(open(chosen)).execute();
  EXPECT_EQ(report.left(), 1U) << render_text(report);
  EXPECT_THAT(render_text(report), HasSubstr("by hand: SET GLOBAL super_read_only=OFF; SET SESSION sql_log_bin=0;"
                                             " DROP TABLE IF EXISTS reseal.lane, reseal.marker"));
  EXPECT_THAT(render_text(read_status(state_)), HasSubstr("left 1 things for a person"));
  EXPECT_EQ(Finish(open_to_finish()).execute().left(), 0U) << "with the privilege it goes on";
  expect_finished();
  sql("SET GLOBAL super_read_only=OFF");
  sql("REVOKE ALL, GRANT OPTION FROM clerk");
  sql("DROP USER clerk");
  sql("SET GLOBAL partial_revokes=OFF");
}

class DroppedRecord : public Finishing {
 protected:
  std::string refused_to_drop() {
    try {
      Finish(open_to_finish()).drop_record();
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.kind(), FailureKind::refused) << failure.what();
      return failure.what();
    }
    return "";
  }
};

TEST_F(DroppedRecord, is_refused_before_the_run_is_finished_and_while_something_is_left) {
  begin_switched();
  follow_a_while();
  run_.reset();
  auto before = seen_on_both();
  EXPECT_THAT(refused_to_drop(), HasSubstr("the run is not finished (phase switched)"));
  run_.reset();
  EXPECT_EQ(seen_on_both(), before);
  Finish(open_to_finish()).execute();
  run_.reset();
  sql("SET GLOBAL super_read_only=OFF");
  sql("DROP TABLE reseal.finished");
  before = seen_on_both();
  EXPECT_THAT(refused_to_drop(), HasSubstr("not done yet: the old source is told that the target serves for good"));
  mysql::Session(target_server().endpoint(), mysql::Side::target).execute("CREATE TABLE reseal.theirs (id INT)");
  Finish(open_to_finish()).execute();
  EXPECT_THAT(refused_to_drop(), HasSubstr("not ours: theirs"));
  EXPECT_EQ(our_tables(target_server()), "attempt,decision,run,theirs");
}

TEST_F(DroppedRecord, leaves_nothing_on_the_target_and_proxies_ask_the_source) {
  begin_switched();
  follow_a_while();
  Finish(open_to_finish()).execute();
  EXPECT_EQ(refused_to_drop(), "");
  mysql::Session target(target_server().endpoint(), mysql::Side::target);
  EXPECT_TRUE(target.query("SHOW DATABASES LIKE 'reseal'").empty());
  EXPECT_EQ(settled(), Serves::target);
  run_.reset();
  EXPECT_THAT(refused_to_drop(), HasSubstr("the record of who serves was dropped: nothing is left to do"));
  EXPECT_THROW(open(), Failure);
}

// As after a kill between two of its statements.
TEST_F(DroppedRecord, whatever_part_of_it_is_gone_the_target_serves_and_it_goes_on) {
  begin_switched();
  Finish(open_to_finish()).execute();
  mysql::Session target(target_server().endpoint(), mysql::Side::target);
  for (const auto* table : {"attempt", "decision"}) {
    target.execute(std::string("DROP TABLE reseal.") + table);
    EXPECT_EQ(settled(), Serves::target) << table;
  }
  EXPECT_EQ(refused_to_drop(), "");
  EXPECT_TRUE(target.query("SHOW DATABASES LIKE 'reseal'").empty());
}

class KilledWithin : public Finishing {
 protected:
  /// Runs a finish in a process of its own and kills that as soon as `seen` holds. Whether it was killed, and did not
  /// end before.
  bool kill_when(const std::function<bool()>& holds) {
    run_.reset();
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        Finish(open_to_finish()).execute();
      } catch (const std::exception&) {
        ::_exit(1);
      }
      ::_exit(0);
    }
    while (!holds() && ::waitpid(child, nullptr, WNOHANG) == 0) {
    }
    ::kill(child, SIGKILL);
    int status = 0;
    return ::waitpid(child, &status, 0) == child && WIFSIGNALED(status);
  }
  std::function<bool()> holds(mysql::Session& session, const std::string& query) {
    return [&session, query] { return session.scalar(query) == "1"; };
  }
};

TEST_F(KilledWithin, goes_on_from_anywhere) {
  begin_switched();
  follow_a_while();
  run_.reset();
  mysql::Session target(target_server().endpoint(), mysql::Side::target);
  const auto there = [](const std::string& table) {
    return "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA='reseal' AND TABLE_NAME='" + table + "'";
  };
  unsigned killed = 0;
  killed += kill_when(holds(target, "SELECT value='finished' FROM reseal.run WHERE name='phase'")) ? 1 : 0;
  EXPECT_EQ(killed, 1U) << "not killed at the point of no return: this proves nothing";
  EXPECT_EQ(settled(), Serves::target);
  EXPECT_THROW(open(), Failure) << "from the first step on there is no way back";
  killed += kill_when(holds(*source_, there("finished"))) ? 1 : 0;
  EXPECT_EQ(settled(), Serves::target);
  killed += kill_when([&] { return source_->scalar(there("lane")) == "0"; }) ? 1 : 0;
  EXPECT_EQ(settled(), Serves::target);
  EXPECT_GE(killed, 2U);
  const auto report = Finish(open_to_finish()).execute();
  EXPECT_EQ(report.left(), 0U) << render_text(report);
  expect_finished();
}

}  // namespace
}  // namespace reseal::run

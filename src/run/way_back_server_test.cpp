// SPDX-License-Identifier: Apache-2.0
// The time in which the target serves and the source follows it: writers who get past the source's fence, and what
// breaks the way back.
#include <gmock/gmock.h>

#include <thread>

#include "check/check.hpp"
#include "run/finish.hpp"
#include "run/moves_fixture_for_tests.hpp"
#include "run/status.hpp"

namespace reseal::run {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class WayBack : public Moves {
 protected:
  void TearDown() override {
    finish();
    for (auto* server : {server_, &target_server()})
      mysql::Session(server->endpoint(), mysql::Side::target).execute("DROP USER IF EXISTS admin, mover");
  }
  static TestServer& source_without_gtid() {
    static TestServer server([] {
      auto options = ServerOptions::plain_source();
      options.gtid = false;
      return options;
    }());
    return server;
  }

  /// Moves a small schema and switches to the target.
  void begin_switched(TestServer& source) {
    begin(source,
          "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v INT);\nINSERT INTO t (v) VALUES (1),(2),(3);\n"
          "CREATE TABLE other (id INT PRIMARY KEY);\n"
          "CREATE USER IF NOT EXISTS admin IDENTIFIED BY 'only-for-this-test';\n"
          "GRANT ALL ON app.* TO admin;\nGRANT ALL ON aside.* TO admin;\nGRANT CONNECTION_ADMIN ON *.* TO admin;\n");
    auto& run = open();
    run.advance(Until::armed, {});
    ASSERT_TRUE(SwitchOver(run, {}).execute({}).switched);
  }
  /// An account that passes read_only.
  void admin_writes(const std::string& statement) {
    auto endpoint = server_->endpoint();
    endpoint.user = "admin";
    endpoint.password = base::Secret("only-for-this-test");
    mysql::Session(endpoint, mysql::Side::source).execute(statement);
  }
  void on_target(const std::string& statement) {
    mysql::Session(target_server().endpoint(), mysql::Side::target).execute(statement);
  }
  std::string refusal_of_rollback(bool accept = false) {
    auto chosen = options();
    chosen.accept_source_writes = accept;
    try {
      open(chosen).make_ready_for_rollback({});
    } catch (const Failure& failure) {
      return failure.what();
    }
    return "";
  }
  void expect_rogue_is_found(TestServer& source) {
    begin_switched(source);
    run_->follow_back();
    on_target("INSERT INTO app.t (v) VALUES (4)");
    run_->wait_followed({});
    EXPECT_TRUE(run_->written_on_source().none()) << "what the follow writes is ours";
    admin_writes("INSERT INTO app.other VALUES (7)");
    const auto refusal = refusal_of_rollback();
    EXPECT_THAT(refusal, HasSubstr("1 transactions (app.other), the first: app.other at 20"));
    EXPECT_THAT(refusal, HasSubstr("UTC by connection "));
    EXPECT_THAT(refusal_of_rollback(), HasSubstr("app.other")) << "refused once, it is not forgotten";
    EXPECT_EQ(open().serves(), cutover::Serves::target);
    // Accepted, it still is a difference, until the target has the row too.
    EXPECT_THAT(refusal_of_rollback(true), HasSubstr("differ"));
    EXPECT_EQ(source_->scalar("SELECT COUNT(*) FROM app.other"), "1") << "the row is not lost";
    admin_writes("DELETE FROM app.other");
    on_target("INSERT INTO app.other VALUES (7)");
    EXPECT_EQ(refusal_of_rollback(true), "");
    EXPECT_FALSE(run_->poisoned().has_value()) << "a clean comparison lifts what a comparison found";
    EXPECT_TRUE(SwitchOver(*run_, {}).execute({}).switched);
    expect_same("SELECT id FROM app.other");
    expect_same("SELECT id, v FROM app.t ORDER BY id");
  }
};

TEST_F(WayBack, a_rollback_refuses_when_others_wrote_past_the_fence) { expect_rogue_is_found(source_server()); }
TEST_F(WayBack, a_rollback_refuses_when_others_wrote_past_the_fence_without_gtid) {
  expect_rogue_is_found(source_without_gtid());
}

TEST_F(WayBack, what_is_written_on_the_source_after_the_comparison_gives_the_rollback_up) {
  begin_switched(source_server());
  run_->make_ready_for_rollback({});
  admin_writes("INSERT INTO app.other VALUES (8)");
  const auto report = SwitchOver(*run_, {}).execute({});
  EXPECT_FALSE(report.switched);
  EXPECT_THAT(report.given_up_because, HasSubstr("app.other"));
  on_target("INSERT INTO app.t (v) VALUES (5)");  // the target serves
}

TEST_F(WayBack, a_restart_and_rows_elsewhere_are_no_writes_of_others_and_an_unknown_statement_is) {
  begin_switched(source_without_gtid());
  run_->follow_back();
  on_target("INSERT INTO app.t (v) VALUES (4)");
  run_->wait_followed({});
  run_.reset();
  source_.reset();
  server_->stop();
  server_->start_again();
  source_.emplace(server_->endpoint(), mysql::Side::source);
  sql("USE app");
  admin_writes("CREATE DATABASE IF NOT EXISTS aside");
  admin_writes("DROP DATABASE aside");
  EXPECT_THAT(refusal_of_rollback(), HasSubstr("CREATE DATABASE")) << "a statement is not known to be elsewhere";
  EXPECT_EQ(refusal_of_rollback(true), "");
  sql("FLUSH BINARY LOGS");
  sql("REPLACE INTO reseal.marker VALUES (9, 'elsewhere', 1)");
  sql("ANALYZE TABLE t");
  EXPECT_TRUE(SwitchOver(*run_, {}).execute({}).switched);
}

TEST_F(WayBack, a_rollback_that_was_given_up_leaves_nothing_that_looks_like_a_writer) {
  begin_switched(source_server());
  run_->make_ready_for_rollback({});
  on_target("CREATE TRIGGER app.noted BEFORE INSERT ON app.t FOR EACH ROW SET NEW.v = NEW.v + 1");
  on_target("INSERT INTO app.t (v) VALUES (10),(11)");
  run_->wait_followed({});
  admin_writes("UPDATE app.t SET v = 0 WHERE id = 1");
  EXPECT_FALSE(SwitchOver(*run_, {}).execute({}).switched) << "given up after triggers and counters were made";
  const auto refusal = refusal_of_rollback();
  EXPECT_THAT(refusal, HasSubstr("1 transactions (app.t)"));
}

TEST_F(WayBack, a_follow_that_fails_breaks_the_way_back_for_good) {
  begin_switched(source_server());
  run_->follow_back();
  on_target("ALTER TABLE app.t ADD w INT");
  EXPECT_THROW(run_->hold({}), Failure);
  EXPECT_THAT(read_status(state_).way_back_broken, HasSubstr("ALTER TABLE"));
  EXPECT_THAT(render_text(read_status(state_)), HasSubstr("WAY BACK BROKEN: "));
  const auto refusal = refusal_of_rollback();
  EXPECT_THAT(refusal, HasSubstr("There is no way back to the source"));
  EXPECT_EQ(open().serves(), cutover::Serves::target);
  EXPECT_THROW(run_->follow_back(), Failure);
}

TEST_F(WayBack, a_server_that_is_away_breaks_nothing) {
  begin_switched(source_server());
  run_->follow_back();
  std::stop_source stop;
  std::string failed;
  std::jthread holder([&] {
    try {
      run_->hold(stop.get_token());
    } catch (const Failure& failure) {
      failed = failure.what();
    }
  });
  source_.reset();
  server_->kill_hard();
  server_->start_again();
  source_.emplace(server_->endpoint(), mysql::Side::source);
  on_target("INSERT INTO app.t (v) VALUES (44)");
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (source_->scalar("SELECT COUNT(*) FROM app.t WHERE v=44") == "0" && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(source_->scalar("SELECT COUNT(*) FROM app.t WHERE v=44"), "1");
  stop.request_stop();
  holder.join();
  EXPECT_EQ(failed, "");
  EXPECT_THAT(read_status(state_).way_back_broken, IsEmpty());
  EXPECT_EQ(refusal_of_rollback(), "");
}

/// The privileges that docs/operations.md names and check asks for are enough: there, back, there again, finished.
TEST_F(WayBack, an_account_with_no_more_than_check_asks_for_goes_there_and_back) {
  begin(source_server(),
        "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v INT);\nINSERT INTO t (v) VALUES (1),(2),(3);\n"
        "CREATE TABLE heap (a INT);\nINSERT INTO heap VALUES (1),(1);\n"
        "CREATE TRIGGER doubles BEFORE INSERT ON t FOR EACH ROW SET NEW.v = NEW.v * 2;\n"
        "CREATE EVENT far ON SCHEDULE EVERY 1 YEAR STARTS '2090-01-01 00:00:00' DO DELETE FROM t;\n"
        "CREATE USER IF NOT EXISTS mover IDENTIFIED BY 'only-for-this-test' REQUIRE SSL;\n"
        "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON app.* TO mover;\n"
        "GRANT CREATE, SELECT, INSERT, UPDATE, DELETE ON reseal.* TO mover;\n"
        "GRANT SELECT ON mysql.* TO mover;\nGRANT SELECT ON performance_schema.* TO mover;\n"
        "GRANT PROCESS, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO mover;\n"
        "GRANT SHOW_ROUTINE, SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN, XA_RECOVER_ADMIN ON *.* TO mover;\n");
  auto chosen = options();
  chosen.source.user = "mover";
  chosen.source.password = base::Secret("only-for-this-test");
  const auto missing = [&] {
    check::CheckRequest request;
    request.source = chosen.source;
    request.target = chosen.target;
    std::vector<std::string> found;
    for (const auto& finding : check::check_all(request))
      if (finding.code.starts_with("privilege-missing") || finding.code == "triggers-for-the-way-back")
        found.push_back(finding.mend);
    return found;
  };
  for (const auto& grant : missing()) sql(grant);
  EXPECT_THAT(missing(), IsEmpty());
  auto& run = open(chosen);
  run.advance(Until::armed, {});
  ASSERT_TRUE(SwitchOver(run, {}).execute({}).switched);
  on_target("INSERT INTO app.t (v) VALUES (4),(5)");
  on_target("UPDATE app.t SET v = v + 1");
  on_target("DELETE FROM app.heap LIMIT 1");
  run.make_ready_for_rollback({});
  ASSERT_TRUE(SwitchOver(run, {}).execute({}).switched);
  expect_same("SELECT * FROM app.t ORDER BY id");
  EXPECT_EQ(source_->scalar("SELECT COUNT(*) FROM information_schema.EVENTS WHERE STATUS='ENABLED'"), "1");
  run.advance(Until::armed, {});
  ASSERT_TRUE(SwitchOver(run, {}).execute({}).switched);
  run.follow_back();
  chosen.purpose = Purpose::finish;
  EXPECT_EQ(Finish(open(chosen)).execute().left(), 0U);
  sql("SET GLOBAL log_bin_trust_function_creators=0");
}

}  // namespace
}  // namespace reseal::run

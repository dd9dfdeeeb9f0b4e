// SPDX-License-Identifier: Apache-2.0
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "proxy/proxy_move_fixture_for_tests.hpp"

namespace reseal::proxy {
namespace {

TEST_F(ProxyMove, clients_go_on_at_the_other_server_and_come_back) {
  start();
  Client with_tls(as("anna", "secret", true));
  Client plain(as("anna", "secret", false));
  Client empty(as("nopass", "", true));
  for (auto* client : {&with_tls, &plain, &empty}) EXPECT_EQ(who(*client), "source");
  const auto there = move_all();
  EXPECT_EQ(there.moved, 3U);
  EXPECT_EQ(there.closed, 0U);
  for (auto* client : {&with_tls, &plain, &empty}) EXPECT_EQ(who(*client), "target") << client->error_text();
  Client fresh(as("anna", "secret"));
  EXPECT_EQ(who(fresh), "target");
  const auto back = move_all(Where::source);
  EXPECT_EQ(back.moved, 4U);
  for (auto* client : {&with_tls, &plain, &empty, &fresh}) EXPECT_EQ(who(*client), "source") << client->error_text();
}

TEST_F(ProxyMove, a_command_that_waits_is_answered_by_the_other_server) {
  start();
  Client client(as("anna", "secret"));
  EXPECT_EQ(who(client), "source");
  proxy->hold(1, 60s, 10s);
  std::string answer;
  std::thread waiting([&] { answer = who(client); });
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(proxy->move(1, Where::target, 10s).moved, 1U);
  proxy->release(1);
  waiting.join();
  EXPECT_EQ(answer, "target");
}

TEST_F(ProxyMove, clients_that_come_in_a_hold_log_in_where_it_ends) {
  start();
  for (const auto to : {Where::target, Where::source}) {
    proxy->hold(1, 60s, 10s);
    std::string answer;
    std::thread coming([&] {
      Client client(as("anna", "secret"));
      answer = who(client);
    });
    EXPECT_TRUE(soon([&] {
      const auto known = proxy->sessions();
      return std::any_of(known.begin(), known.end(), [](const auto& session) { return session.phase == "waiting"; });
    }));
    EXPECT_EQ(proxy->move(1, to, 10s).moved, 0U);
    proxy->release(1);
    coming.join();
    EXPECT_EQ(answer, to == Where::target ? "target" : "source");
  }
}

TEST_F(ProxyMove, nothing_moves_while_a_transaction_is_open) {
  start();
  Client client(as("anna", "secret"));
  client.run("BEGIN");
  EXPECT_FALSE(proxy->hold(1, 60s, 50ms).all_quiet);
  EXPECT_THROW(proxy->move(1, Where::target, 1s), base::Failure);
  EXPECT_THROW(proxy->move(2, Where::target, 1s), base::Failure);
  proxy->release(1);
  EXPECT_TRUE(client.run("COMMIT"));
  EXPECT_EQ(who(client), "source");
}

TEST_F(ProxyMove, a_lease_that_ends_after_the_way_back_was_decided_moves_the_sessions_back) {
  std::atomic<Decision> decision{Decision::target};
  ProxyOptions options;
  options.ask_decision = [&](std::uint64_t) { return decision.load(); };
  start(options);
  Client client(as("anna", "secret"));
  EXPECT_EQ(who(client), "target");
  decision = Decision::source;
  proxy->hold(1, 100ms, 1s);
  EXPECT_EQ(who(client), "source");
  decision = Decision::unknown;
  proxy->hold(2, 60s, 1s);
  proxy->release(2);
  EXPECT_EQ(who(client), "source");
  proxy.reset();
}

TEST_F(ProxyMove, sessions_that_are_busy_are_ended_when_that_is_asked_for) {
  start();
  Client idle(as("anna", "secret"));
  Client reads(as("anna", "secret"));
  Client sleeps(as("anna", "secret", false));
  reads.run("BEGIN");
  EXPECT_EQ(who(reads), "source");
  bool slept = true;
  std::thread sleeping([&] { slept = sleeps.run("DO SLEEP(20)"); });
  auto session = source->connect(mysql::Side::source);
  const std::string asleep = "SELECT COUNT(*) FROM performance_schema.processlist WHERE STATE='User sleep'";
  for (unsigned tries = 0; tries < 1000 && session.scalar(asleep) != "1"; ++tries) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(proxy->hold(1, 60s, 100ms).counts.busy, 2U);
  const auto report = proxy->move(1, Where::target, 10s, Proxy::Busy::end);
  EXPECT_EQ(report.moved, 1U);
  EXPECT_EQ(report.closed, 2U);
  proxy->release(1);
  sleeping.join();
  EXPECT_FALSE(slept);
  EXPECT_FALSE(reads.run("SELECT 1"));
  EXPECT_EQ(who(idle), "target") << idle.error_text();
}

TEST_F(ProxyMove, distributed_transactions_count_as_open) {
  start();
  Client client(as("anna", "secret"));
  EXPECT_TRUE(client.run("XA START 'x'")) << client.error_text();
  EXPECT_EQ(proxy->hold(1, 60s, 50ms).counts.busy, 1U);
  EXPECT_TRUE(client.run("XA END 'x'"));
  EXPECT_EQ(proxy->hold(1, 60s, 50ms).counts.busy, 1U);
  EXPECT_TRUE(client.run("XA ROLLBACK 'x'"));
  EXPECT_TRUE(proxy->hold(1, 60s, 10s).all_quiet);
  proxy->release(1);
}

TEST_F(ProxyMove, a_release_without_a_move_leaves_all_on_the_source) {
  start();
  Client client(as("anna", "secret"));
  proxy->prepare(Where::target);
  proxy->hold(1, 60s, 10s);
  proxy->release(1);
  EXPECT_EQ(who(client), "source");
}

TEST_F(ProxyMove, a_client_whose_password_is_not_known_ends_with_an_error) {
  Client warm_up([&] {
    start();
    return as("bert", "other");
  }());
  start();  // with an empty vault; the server knows bert
  Client plain(as("bert", "other", false));
  ASSERT_TRUE(plain.connected());
  const auto report = move_all();
  EXPECT_EQ(report.closed, 1U);
  EXPECT_FALSE(plain.run("SELECT 1"));
}

TEST_F(ProxyMove, change_of_user_and_reset_work_after_a_move) {
  start();
  for (const bool tls : {true, false}) {
    Client client(as("anna", "secret", true));
    Client second(as("anna", "secret", tls));
    move_all();
    EXPECT_EQ(mysql_change_user(second.get(), "bert", "other", "shop"), 0) << second.error_text();
    EXPECT_EQ(second.value("SELECT CURRENT_USER()"), "bert@%");
    EXPECT_EQ(mysql_reset_connection(second.get()), 0);
    EXPECT_EQ(who(second), "target");
    move_all(Where::source);
    EXPECT_EQ(who(client), "source");
  }
}

TEST_F(ProxyMove, a_change_of_user_after_the_preparation_moves_the_new_user) {
  start();
  Client client(as("anna", "secret"));
  proxy->prepare(Where::target);
  EXPECT_EQ(mysql_change_user(client.get(), "bert", "other", nullptr), 0) << client.error_text();
  proxy->hold(1, 60s, 10s);
  EXPECT_EQ(proxy->move(1, Where::target, 10s).moved, 1U);
  proxy->release(1);
  EXPECT_EQ(client.value("SELECT CURRENT_USER()"), "bert@%");
  EXPECT_EQ(who(client), "target");
}

// The bytes of a command that closes statement `id`.
std::string close_command(char id) { return std::string("\5\0\0\0\x19", 5) + id + std::string(3, '\0'); }

TEST_F(ProxyMove, a_late_close_of_a_statement_hits_no_other) {
  start();
  Client client(as("anna", "secret", true));
  Client plain(as("anna", "secret", false));
  move_all();
  auto* const statement = mysql_stmt_init(plain.get());
  const std::string sql = "SELECT 5";
  ASSERT_EQ(mysql_stmt_prepare(statement, sql.data(), sql.size()), 0);
  const auto id = static_cast<char>(statement->stmt_id);
  for (char other = 1; other < 20; ++other) {
    const auto bytes = close_command(other);
    if (other != id) {
      EXPECT_EQ(::send(mysql_get_socket(plain.get()), bytes.data(), bytes.size(), 0), 9);
    }
  }
  EXPECT_EQ(mysql_stmt_execute(statement), 0) << mysql_stmt_error(statement);
  mysql_stmt_free_result(statement);
  mysql_stmt_close(statement);
  EXPECT_EQ(who(plain), "target");
}

TEST_F(ProxyMove, a_lease_that_ends_after_the_decision_moves_the_sessions) {
  std::atomic<Decision> decision{Decision::none};
  ProxyOptions options;
  options.ask_decision = [&](std::uint64_t) { return decision.load(); };
  start(options);
  Client client(as("anna", "secret"));
  EXPECT_EQ(who(client), "source");
  proxy->hold(1, 100ms, 1s);
  std::string answer;
  std::thread waiting([&] { answer = who(client); });
  std::this_thread::sleep_for(300ms);
  EXPECT_TRUE(proxy->status().holding);
  decision = Decision::target;
  waiting.join();
  EXPECT_EQ(answer, "target");
  proxy.reset();
}

TEST_F(ProxyMove, a_server_that_died_keeps_no_client_from_the_other) {
  start();
  Client lost(as("anna", "secret"));
  proxy->hold(1, 60s, 10s);
  source->kill_hard();
  const auto report = proxy->move(1, Where::target, 10s);
  EXPECT_EQ(report.moved, 0U);
  proxy->release(1);
  EXPECT_FALSE(lost.run("SELECT 1"));
  Client fresh(as("anna", "secret"));
  EXPECT_EQ(who(fresh), "target") << fresh.error_text();
  source->start_again();
}

TEST_F(ProxyMove, a_proxy_that_starts_asks_who_serves) {
  ProxyOptions options;
  options.ask_decision = [](std::uint64_t) { return Decision::target; };
  start(options);
  Client client(as("anna", "secret"));
  EXPECT_EQ(who(client), "target");
  options.ask_decision = [](std::uint64_t) { return Decision::unknown; };
  EXPECT_THROW(start(options), base::Failure);
}

}  // namespace
}  // namespace reseal::proxy

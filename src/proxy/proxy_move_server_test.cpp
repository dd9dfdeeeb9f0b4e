// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>

#include "proxy/proxy_client_for_tests.hpp"

namespace reseal::proxy {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class ProxyMove : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    source = std::make_unique<sandbox::TestServer>();
    target = std::make_unique<sandbox::TestServer>();
    certificate = std::make_unique<ServerCertificate>();
    for (const auto* server : {source.get(), target.get()}) {
      auto session = server->connect(mysql::Side::source);
      session.execute("CREATE DATABASE shop");
      session.execute("CREATE DATABASE other");
      session.execute("CREATE TABLE shop.who (name VARCHAR(10))");
      session.execute(server == source.get() ? "INSERT INTO shop.who VALUES ('source')"
                                             : "INSERT INTO shop.who VALUES ('target')");
      session.execute("CREATE TABLE shop.numbers (id INT AUTO_INCREMENT PRIMARY KEY, t TEXT)");
      session.execute("CREATE ROLE boss");
      session.execute("GRANT ALL ON other.* TO boss");
      session.execute("CREATE USER anna IDENTIFIED BY 'secret', bert IDENTIFIED BY 'other'");
      session.execute("GRANT ALL ON shop.* TO anna, bert");
      session.execute("GRANT boss TO anna");
      session.execute("CREATE USER nopass IDENTIFIED BY ''");
      session.execute("GRANT ALL ON shop.* TO nopass");
    }
    source->connect(mysql::Side::source).execute("CREATE USER here_only IDENTIFIED BY 'secret'");
    source->connect(mysql::Side::source).execute("GRANT ALL ON shop.* TO here_only");
  }
  static void TearDownTestSuite() {
    source.reset();
    target.reset();
    certificate.reset();
  }

  void start(ProxyOptions options = {}) {
    options.source = source->endpoint();
    options.target = target->endpoint();
    options.listen = {"127.0.0.1:0"};
    options.tls_certificate = certificate->certificate();
    options.tls_key = certificate->key();
    proxy = std::make_unique<Proxy>(options, log);
  }
  ClientOptions as(const std::string& user, const std::string& password, bool tls = true) const {
    ClientOptions options;
    options.user = user;
    options.password = password;
    options.port = proxy->port();
    options.tls = tls;
    return options;
  }
  Proxy::MoveReport move_all(Where to = Where::target) {
    proxy->prepare(to);
    EXPECT_TRUE(proxy->hold(1, 60s, 10s).all_quiet);
    const auto report = proxy->move(1, to, 20s);
    EXPECT_EQ(report.under_way, 0U);
    proxy->release(1);
    return report;
  }
  static std::string who(Client& client) { return client.value("SELECT name FROM shop.who"); }

  static std::unique_ptr<sandbox::TestServer> source;
  static std::unique_ptr<sandbox::TestServer> target;
  static std::unique_ptr<ServerCertificate> certificate;
  base::Log log{base::Log::Level::quiet};
  std::unique_ptr<Proxy> proxy;
};

std::unique_ptr<sandbox::TestServer> ProxyMove::source;
std::unique_ptr<sandbox::TestServer> ProxyMove::target;
std::unique_ptr<ServerCertificate> ProxyMove::certificate;

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

struct Kind {
  const char* name;
  std::vector<std::string> made_by;
  std::string seen_by;  ///< its answer must be the same before and after
};

TEST_F(ProxyMove, state_that_can_be_carried_is_the_same_after_the_move) {
  const Kind kinds[] = {
      {"nothing", {}, "SELECT DATABASE(), CURRENT_ROLE()"},
      {"schema", {"USE shop"}, "SELECT DATABASE()"},
      {"roles", {"SET ROLE boss", "USE other"}, "SELECT CONCAT(DATABASE(), CURRENT_ROLE())"},
      {"autocommit", {"SET autocommit=0", "COMMIT"}, "SELECT @@autocommit"},
      {"isolation", {"SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE"}, "SELECT @@transaction_isolation"},
      {"read only", {"SET SESSION TRANSACTION READ ONLY"}, "SELECT @@transaction_read_only"},
      {"sql_mode", {"SET sql_mode='ANSI_QUOTES,NO_BACKSLASH_ESCAPES'"}, "SELECT @@sql_mode"},
      {"empty sql_mode", {"SET sql_mode=''"}, "SELECT @@sql_mode"},
      {"names",
       {"SET NAMES latin1 COLLATE latin1_german1_ci"},
       "SELECT "
       "CONCAT(@@character_set_client,@@character_set_connection,@@character_set_results,@@collation_connection)"},
      {"no conversion", {"SET character_set_results=NULL"}, "SELECT @@character_set_results IS NULL"},
      {"time zone", {"SET time_zone='+05:30'"}, "SELECT @@time_zone"},
      {"stopped clock", {"SET timestamp=1000000000"}, "SELECT NOW()"},
      {"numbers",
       {"SET wait_timeout=777, long_query_time=0.25, group_concat_max_len=99999"},
       "SELECT CONCAT(@@wait_timeout, '/', @@long_query_time, '/', @@group_concat_max_len)"},
      {"flags",
       {"SET foreign_key_checks=0, unique_checks=0, sql_safe_updates=1"},
       "SELECT CONCAT(@@foreign_key_checks, @@unique_checks, @@sql_safe_updates)"},
      {"optimizer", {"SET optimizer_switch='mrr=off'"}, "SELECT @@optimizer_switch"},
      {"trackers", {"SET session_track_system_variables='*'"}, "SELECT @@session_track_system_variables"},
      {"last insert", {"INSERT INTO shop.numbers (t) VALUES ('x')"}, "SELECT LAST_INSERT_ID()"},
      {"auto increment step", {"SET auto_increment_increment=7"}, "SELECT @@auto_increment_increment"},
      {"few rows", {"SET sql_mode='ANSI', sql_select_limit=1"}, "SELECT CONCAT(@@sql_mode, @@sql_select_limit)"},
      {"many settings",
       {"SET NAMES cp1251", "SET lc_time_names='de_DE', div_precision_increment=9, max_execution_time=50000"},
       "SELECT CONCAT(@@character_set_client, @@lc_time_names, @@div_precision_increment, @@max_execution_time)"},
  };
  for (const bool tls : {true, false}) {
    start();
    std::vector<std::unique_ptr<Client>> clients;
    std::vector<std::string> before;
    clients.reserve(std::size(kinds));
    Client teacher(as("anna", "secret", true));  // its password is known from here on
    for (const auto& kind : kinds) {
      auto& client = *clients.emplace_back(std::make_unique<Client>(as("anna", "secret", tls)));
      for (const auto& statement : kind.made_by) EXPECT_TRUE(client.run(statement)) << kind.name << client.error_text();
      before.push_back(client.value(kind.seen_by));
      client.run("COMMIT");
    }
    const auto report = move_all();
    EXPECT_EQ(report.closed, 0U);
    for (std::size_t i = 0; i < std::size(kinds); ++i) {
      EXPECT_EQ(clients[i]->value(kinds[i].seen_by), before[i]) << kinds[i].name;
      EXPECT_EQ(who(*clients[i]), "target") << kinds[i].name;
    }
  }
}

TEST_F(ProxyMove, state_that_cannot_be_carried_ends_with_one_error) {
  const Kind kinds[] = {
      {"user variable", {"SET @mine=1"}, "user variables"},
      {"user lock", {"DO GET_LOCK('a', 0)"}, "locks"},
      {"locked tables", {"LOCK TABLES shop.who READ"}, "locks"},
      {"handler", {"HANDLER shop.who OPEN"}, "locks"},
      {"temporary table", {"CREATE TEMPORARY TABLE shop.t (a INT)"}, "temporary tables"},
      {"temporary table in memory", {"CREATE TEMPORARY TABLE shop.t (a INT) ENGINE=MEMORY"}, "temporary tables"},
      {"temporary table of MyISAM", {"CREATE TEMPORARY TABLE shop.t (a INT) ENGINE=MyISAM"}, "temporary tables"},
      {"prepared by SQL", {"PREPARE s FROM 'SELECT 1'"}, "prepared by SQL"},
      {"answers in utf16", {"SET character_set_results=utf16"}, "character set"},
  };
  start();
  std::vector<std::unique_ptr<Client>> clients;
  for (const auto& kind : kinds) {
    auto& client = *clients.emplace_back(std::make_unique<Client>(as("anna", "secret")));
    for (const auto& statement : kind.made_by) EXPECT_TRUE(client.run(statement)) << kind.name << client.error_text();
  }
  Client elsewhere(as("here_only", "secret"));
  Client good(as("anna", "secret"));
  Client option(as("anna", "secret"));
  mysql_set_server_option(option.get(), MYSQL_OPTION_MULTI_STATEMENTS_ON);
  const auto report = move_all();
  EXPECT_EQ(report.moved, 1U);
  EXPECT_EQ(report.closed, std::size(kinds) + 2);
  for (std::size_t i = 0; i < std::size(kinds); ++i) {
    EXPECT_FALSE(clients[i]->run("SELECT 1")) << kinds[i].name;
    EXPECT_THAT(clients[i]->error(), testing::AnyOf(1053U, 2006U, 2013U)) << kinds[i].name;
    if (clients[i]->error() == 1053U) {
      EXPECT_THAT(clients[i]->error_text(), HasSubstr(kinds[i].seen_by));
    }
  }
  EXPECT_FALSE(elsewhere.run("SELECT 1"));
  EXPECT_FALSE(option.run("SELECT 1"));
  EXPECT_EQ(who(good), "target");
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

TEST_F(ProxyMove, prepared_statements_that_are_closed_are_no_obstacle) {
  start();
  Client closed(as("anna", "secret"));
  Client open(as("anna", "secret"));
  Client reset(as("anna", "secret"));
  const std::string sql = "SELECT name FROM shop.who WHERE 1=?";
  const auto prepare = [&](Client& client) {
    auto* const statement = mysql_stmt_init(client.get());
    EXPECT_EQ(mysql_stmt_prepare(statement, sql.data(), sql.size()), 0);
    return statement;
  };
  mysql_stmt_close(prepare(closed));
  auto* const kept = prepare(open);
  auto* const forgotten = prepare(reset);
  EXPECT_EQ(mysql_reset_connection(reset.get()), 0);
  EXPECT_EQ(who(closed), "source");
  const auto report = move_all();
  EXPECT_EQ(report.moved, 2U);
  EXPECT_EQ(report.closed, 1U);
  EXPECT_EQ(who(closed), "target");
  EXPECT_EQ(who(reset), "target");
  EXPECT_FALSE(open.run("SELECT 1"));
  mysql_stmt_close(kept);
  mysql_stmt_close(forgotten);
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

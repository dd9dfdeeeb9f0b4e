// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iostream>
#include <vector>

#include "proxy/proxy_move_fixture_for_tests.hpp"

// Each kind of state that a session can have: the same after a move, or refused with an error. One line for each.
namespace reseal::proxy {
namespace {

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
      {"user variables",
       {"SET @i=-5, @u=18446744073709551615, @d=1.50, @r=0.1e0+0.2e0, @e='', @n=NULL, @b=x'00FF', @big=1e300,"
        " @t=_latin1 0xE4 COLLATE latin1_german1_ci, @j=JSON_OBJECT('a', 1.0), @`a``b`='q', @z=CAST(NULL AS SIGNED),"
        " @wide=123456789012345678901234567890.123456789012345678901234567890, @neg=-0e0, @day=DATE'2026-11-25'"},
       "SELECT CONCAT_WS('|', @i, @u, @d, @r, HEX(@e), @n IS NULL, HEX(@b), @big, HEX(@t), COLLATION(@t), @j,"
       " CHARSET(@j), @`a``b`, @z IS NULL, @wide, @neg, @day, @i DIV 2, @d * 1.0, CHARSET(@n), CHARSET(@z))"},
      {"few rows", {"SET sql_mode='ANSI', sql_select_limit=1"}, "SELECT CONCAT(@@sql_mode, @@sql_select_limit)"},
      {"many settings",
       {"SET NAMES cp1251", "SET lc_time_names='de_DE', div_precision_increment=9, max_execution_time=50000"},
       "SELECT CONCAT(@@character_set_client, @@lc_time_names, @@div_precision_increment, @@max_execution_time)"},
  };
  for (const auto read : {Read::ahead, Read::in_hold, Read::in_move}) {
    const bool tls = read != Read::in_hold;
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
    const auto report = move_all(Where::target, read);
    EXPECT_EQ(report.closed, 0U);
    for (std::size_t i = 0; i < std::size(kinds); ++i) {
      const auto after = clients[i]->value(kinds[i].seen_by);
      EXPECT_EQ(after, before[i]) << kinds[i].name;
      EXPECT_EQ(who(*clients[i]), "target") << kinds[i].name;
      std::cout << "STATE " << kinds[i].name << (after == before[i] ? ": the same, " : ": OTHER, ")
                << before[i].substr(0, 60) << '\n';
    }
  }
}

TEST_F(ProxyMove, state_that_cannot_be_carried_ends_with_one_error) {
  const Kind kinds[] = {
      {"much in user variables", {"SET @mine=REPEAT('x', 300000)"}, "256 KiB"},
      {"user variable with another name", {"SET NAMES utf8mb4", "SET @`m\xC3\xA4`=1"}, "beyond ASCII"},
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
  const auto report = move_all();
  EXPECT_EQ(report.moved, 1U);
  EXPECT_EQ(report.closed, std::size(kinds) + 1);
  for (std::size_t i = 0; i < std::size(kinds); ++i) {
    EXPECT_FALSE(clients[i]->run("SELECT 1")) << kinds[i].name;
    EXPECT_THAT(clients[i]->error(), testing::AnyOf(1053U, 2006U, 2013U)) << kinds[i].name;
    if (clients[i]->error() == 1053U) {
      EXPECT_THAT(clients[i]->error_text(), HasSubstr(kinds[i].seen_by));
    }
    std::cout << "STATE " << kinds[i].name << ": refused, " << clients[i]->error() << '\n';
  }
  EXPECT_FALSE(elsewhere.run("SELECT 1"));
  EXPECT_EQ(who(good), "target");
}

// --- prepared statements
// -----------------------------------------------------------------------------------------------

/// A prepared statement of libmariadb, which tells the types of parameters once, as they are bound.
class Statement {
 public:
  Statement(Client& client, const std::string& text) : handle_(mysql_stmt_init(client.get())) {
    prepared_ = mysql_stmt_prepare(handle_, text.data(), text.size()) == 0;
  }
  ~Statement() { mysql_stmt_close(handle_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  bool prepared() const { return prepared_; }
  std::string error() const { return mysql_stmt_error(handle_); }
  MYSQL_STMT* get() const { return handle_; }
  void bind(const std::string& text) {
    text_ = text;
    size_ = text_.size();
    binding_ = {};
    binding_.buffer_type = MYSQL_TYPE_STRING;
    binding_.buffer = text_.data();
    binding_.buffer_length = size_;
    binding_.length = &size_;
    mysql_stmt_bind_param(handle_, &binding_);
  }
  /// The first column of the first row.
  std::string value() {
    if (mysql_stmt_execute(handle_) != 0) return "ERROR " + error();
    return fetch();
  }
  std::string fetch() {
    MYSQL_BIND out{};
    std::string buffer(200, '\0');
    unsigned long size = 0;
    out.buffer_type = MYSQL_TYPE_STRING;
    out.buffer = buffer.data();
    out.buffer_length = buffer.size();
    out.length = &size;
    mysql_stmt_bind_result(handle_, &out);
    if (mysql_stmt_fetch(handle_) != 0) return "none " + error();
    mysql_stmt_free_result(handle_);
    return buffer.substr(0, size);
  }

 private:
  MYSQL_STMT* handle_;
  bool prepared_ = false;
  std::string text_;
  unsigned long size_ = 0;
  MYSQL_BIND binding_{};
};

const std::string where_it_is = "SELECT CONCAT(name, ?) FROM shop.who";

TEST_F(ProxyMove, prepared_statements_go_on_at_the_other_server) {
  start();
  for (const bool tls : {true, false}) {
    Client client(anna(tls));
    Statement first(client, where_it_is);
    Statement closed(client, "SELECT 1");
    mysql_stmt_close(mysql_stmt_init(client.get()));
    Statement second(client, where_it_is);
    first.bind("-1");
    EXPECT_EQ(first.value(), "source-1");
    second.bind("-2");  // and not yet executed: its types are told after the move
    EXPECT_EQ(move_all().closed, 0U);
    EXPECT_EQ(first.value(), "target-1");  // its types are told by the proxy
    EXPECT_EQ(second.value(), "target-2");
    EXPECT_EQ(first.value(), "target-1");
    Statement third(client, where_it_is);  // a new one, whose id is taken on that server
    third.bind("-3");
    EXPECT_EQ(third.value(), "target-3");
    EXPECT_EQ(second.value(), "target-2");
    EXPECT_EQ(move_all(Where::source).closed, 0U);
    EXPECT_EQ(first.value(), "source-1");
    EXPECT_EQ(second.value(), "source-2");
    EXPECT_EQ(third.value(), "source-3");
    EXPECT_EQ(who(client), "source");
  }
}

TEST_F(ProxyMove, prepared_statements_keep_the_schema_that_they_were_prepared_under) {
  start();
  for (auto* server : {source.get(), target.get()}) {
    auto session = server->connect(mysql::Side::source);
    session.execute("DROP TABLE IF EXISTS shop.here, other.here");
    session.execute("CREATE TABLE shop.here (s VARCHAR(9))");
    session.execute("CREATE TABLE other.here (s VARCHAR(9))");
    session.execute("INSERT INTO shop.here VALUES ('shop')");
    session.execute("INSERT INTO other.here VALUES ('other')");
    session.execute("GRANT ALL ON other.* TO anna");
  }
  auto options = anna();
  options.schema = "shop";
  Client client(options);
  Statement in_shop(client, "SELECT s FROM here");
  ASSERT_EQ(mysql_select_db(client.get(), "other"), 0);
  Statement in_other(client, "SELECT s FROM here");
  ASSERT_TRUE(client.run("USE shop"));
  Statement again_in_shop(client, "SELECT s FROM here");
  ASSERT_TRUE(client.run("USE other"));
  EXPECT_EQ(move_all().closed, 0U);
  EXPECT_EQ(in_shop.value(), "shop");
  EXPECT_EQ(in_other.value(), "other");
  EXPECT_EQ(again_in_shop.value(), "shop");
  EXPECT_EQ(client.value("SELECT CONCAT(DATABASE(), name) FROM shop.who"), "othertarget");
  ASSERT_TRUE(client.run("USE shop"));
  Statement new_one(client, "SELECT s FROM here");
  EXPECT_EQ(move_all(Where::source).closed, 0U);
  EXPECT_EQ(in_other.value(), "other");
  EXPECT_EQ(new_one.value(), "shop");
  EXPECT_EQ(mysql_reset_connection(client.get()), 0);
  Statement after_reset(client, "SELECT s FROM here");
  EXPECT_EQ(move_all().closed, 0U);
  EXPECT_EQ(after_reset.value(), "shop");
  ASSERT_EQ(mysql_change_user(client.get(), "anna", "secret", "other"), 0);
  Statement after_change(client, "SELECT s FROM here");
  EXPECT_EQ(move_all(Where::source).closed, 0U);
  EXPECT_EQ(after_change.value(), "other");
}

TEST_F(ProxyMove, a_schema_that_was_changed_unseen_is_not_guessed) {
  start();
  Client client(anna());
  ASSERT_TRUE(client.run("SET session_track_schema=OFF"));
  ASSERT_TRUE(client.run("USE shop"));
  Statement statement(client, "SELECT name FROM who");
  EXPECT_EQ(move_all().closed, 1U);
  EXPECT_FALSE(client.run("SELECT 1"));
}

TEST_F(ProxyMove, what_a_statement_has_begun_is_not_carried) {
  start();
  Client with_cursor(anna());
  Statement rows(with_cursor, "SELECT n FROM (SELECT 1 n UNION SELECT 2 UNION SELECT 3) t");
  const unsigned long cursor = CURSOR_TYPE_READ_ONLY;
  mysql_stmt_attr_set(rows.get(), STMT_ATTR_CURSOR_TYPE, &cursor);
  ASSERT_EQ(mysql_stmt_execute(rows.get()), 0);
  Client cursor_ended(anna());
  Statement read(cursor_ended, "SELECT name FROM shop.who");
  mysql_stmt_attr_set(read.get(), STMT_ATTR_CURSOR_TYPE, &cursor);
  EXPECT_EQ(read.value(), "source");
  EXPECT_EQ(mysql_stmt_fetch(read.get()), MYSQL_NO_DATA);
  const auto report = move_all();
  EXPECT_EQ(report.closed, 1U);
  EXPECT_EQ(report.moved, 1U);
  EXPECT_EQ(read.value(), "target");
  EXPECT_FALSE(with_cursor.run("SELECT 1"));
}

TEST_F(ProxyMove, parameters_that_come_in_pieces_are_one_piece_of_work) {
  start();
  Client client(anna());
  Statement statement(client, "SELECT LENGTH(?)");
  MYSQL_BIND in{};
  in.buffer_type = MYSQL_TYPE_LONG_BLOB;
  ASSERT_EQ(mysql_stmt_bind_param(statement.get(), &in), 0);
  ASSERT_EQ(mysql_stmt_send_long_data(statement.get(), 0, "abc", 3), 0);
  ASSERT_TRUE(soon([&] {
    const bool busy = proxy->hold(1, 60s, 0ms).counts.busy == 1;
    if (!busy) proxy->release(1);  // it came after the hold, and waits
    return busy;
  }));
  ASSERT_EQ(mysql_stmt_send_long_data(statement.get(), 0, "de", 2), 0);
  EXPECT_EQ(statement.value(), "5");
  EXPECT_TRUE(proxy->hold(1, 60s, 10s).all_quiet);
  proxy->restore(1, Where::target);
  EXPECT_EQ(proxy->move(1, Where::target, 10s).moved, 1U);
  proxy->release(1);
  EXPECT_EQ(mysql_stmt_send_long_data(statement.get(), 0, "1234", 4), 0);
  EXPECT_EQ(statement.value(), "4") << statement.error();
  EXPECT_EQ(who(client), "target");
}

TEST_F(ProxyMove, statements_that_are_closed_or_reset_are_gone_after_the_move_too) {
  start();
  Client client(anna());
  auto late = std::make_unique<Statement>(client, "SELECT 1");
  Statement kept(client, where_it_is);
  kept.bind("!");
  EXPECT_EQ(move_all().closed, 0U);
  late.reset();
  EXPECT_EQ(kept.value(), "target!");
  EXPECT_EQ(mysql_reset_connection(client.get()), 0);
  EXPECT_EQ(kept.value().substr(0, 5), "ERROR");
  Statement fresh(client, where_it_is);
  fresh.bind("?");
  EXPECT_EQ(fresh.value(), "target?");
}

TEST_F(ProxyMove, a_statement_that_the_other_server_cannot_prepare_ends_the_session) {
  start();
  source->connect(mysql::Side::source).execute("CREATE TABLE IF NOT EXISTS shop.only_here (a INT)");
  Client client(anna());
  Statement statement(client, "SELECT a FROM shop.only_here");
  ASSERT_TRUE(statement.prepared());
  EXPECT_EQ(move_all().closed, 1U);
  EXPECT_FALSE(client.run("SELECT 1"));
}

TEST_F(ProxyMove, a_hundred_statements_and_a_long_one) {
  start();
  Client client(anna());
  std::vector<std::unique_ptr<Statement>> statements;
  for (int i = 0; i < 100; ++i) {
    auto& made = *statements.emplace_back(std::make_unique<Statement>(
        client, "SELECT CONCAT(?, '" + std::to_string(i) + "') -- " + std::string(5000, 'x')));
    made.bind("v");
    EXPECT_EQ(made.value(), "v" + std::to_string(i));
  }
  EXPECT_EQ(move_all().closed, 0U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(statements[i]->value(), "v" + std::to_string(i));
  Client with_long(anna());
  Statement too_long(with_long, "SELECT '" + std::string(100'000, 'x') + "'");
  ASSERT_TRUE(too_long.prepared());
  EXPECT_EQ(move_all(Where::source).closed, 1U);
  EXPECT_EQ(who(client), "source");
}

TEST_F(ProxyMove, a_switch_of_many_statements_is_carried) {
  start();
  Client client(anna());
  Client prepared_before(anna());
  proxy->prepare(Where::target);
  ASSERT_EQ(mysql_set_server_option(client.get(), MYSQL_OPTION_MULTI_STATEMENTS_ON), 0);
  EXPECT_EQ(move_all().closed, 0U);
  EXPECT_THAT(client.column("SELECT 1; SELECT 2"), ElementsAre("1", "2"));
  EXPECT_EQ(mysql_set_server_option(client.get(), MYSQL_OPTION_MULTI_STATEMENTS_OFF), 0);
  EXPECT_EQ(move_all(Where::source).closed, 0U);
  EXPECT_FALSE(client.run("SELECT 1; SELECT 2"));
  EXPECT_EQ(who(client), "source");
}

TEST_F(ProxyMove, what_was_read_is_thrown_away_when_the_session_goes_on) {
  start();
  Client client(anna());
  ASSERT_TRUE(client.run("SET @a=1"));
  proxy->prepare(Where::target);
  EXPECT_TRUE(proxy->hold(1, 60s, 10s).all_quiet);
  proxy->restore(1, Where::target);
  ASSERT_TRUE(soon([&] {
    const auto session = proxy->sessions().at(0);
    return session.asked_about && session.phase == "relay";
  }));
  proxy->release(1);
  ASSERT_TRUE(client.run("SET @a=2, @b=3"));
  EXPECT_TRUE(proxy->hold(2, 60s, 10s).all_quiet);
  EXPECT_EQ(proxy->move(2, Where::target, 10s).moved, 1U);
  proxy->release(2);
  EXPECT_EQ(client.value("SELECT CONCAT(@a, @b, name) FROM shop.who"), "23target");
}

TEST_F(ProxyMove, what_was_read_ahead_is_thrown_away_when_the_session_goes_on) {
  start();
  Client idle(anna());
  Client works(anna());
  Client locks(anna());
  for (auto* client : {&idle, &works, &locks}) ASSERT_TRUE(client->run("SET @a=1, sql_mode='ANSI'"));
  look_ahead(Where::target);
  const auto known = proxy->sessions();
  EXPECT_EQ(std::count_if(known.begin(), known.end(), [](const auto& session) { return session.asked_about; }), 3);
  ASSERT_TRUE(works.run("SET @a=2, @b=3, sql_mode=''"));
  ASSERT_TRUE(locks.run("DO GET_LOCK('a', 0)"));
  EXPECT_TRUE(proxy->hold(1, 60s, 10s).all_quiet);
  proxy->restore(1, Where::target);
  const auto report = proxy->move(1, Where::target, 20s);
  EXPECT_EQ(report.moved, 2U);
  EXPECT_EQ(report.closed, 1U);
  proxy->release(1);
  EXPECT_EQ(idle.value("SELECT CONCAT(@a, @@sql_mode LIKE '%ANSI%', name) FROM shop.who"), "11target");
  EXPECT_EQ(works.value("SELECT CONCAT(@a, @b, @@sql_mode = '', name) FROM shop.who"), "231target");
  EXPECT_FALSE(locks.run("SELECT 1"));
}

TEST_F(ProxyMove, a_look_ahead_that_failed_vouches_for_nobody) {
  start();
  Client locks(anna());
  ASSERT_TRUE(locks.run("DO GET_LOCK('a', 0)"));
  proxy->prepare(Where::target);
  ASSERT_TRUE(soon([&] { return proxy->status().preparing == 0; }));
  auto session = source->connect(mysql::Side::source);
  for (const auto& row : session.query("SELECT ID FROM performance_schema.processlist WHERE USER = '" +
                                       source->endpoint().user + "' AND ID <> CONNECTION_ID()"))
    session.execute("KILL " + *row[0]);
  proxy->look_ahead(Where::target);  // marks it, and cannot ask about it
  Client came_later(anna());
  look_ahead(Where::target);
  EXPECT_EQ(move_all(Where::target, Read::in_hold).closed, 1U);
  EXPECT_FALSE(locks.run("SELECT 1"));
}

// A plugin's variable, which only one of the servers has.
TEST_F(ProxyMove, servers_need_not_have_the_same_variables) {
  auto session = source->connect(mysql::Side::source);
  session.execute("INSTALL PLUGIN group_replication SONAME 'group_replication.so'");
  for (const auto read : {Read::ahead, Read::in_hold}) {
    start();
    Client client(anna());
    EXPECT_EQ(client.value("SELECT COUNT(@@session.group_replication_consistency)"), "1") << client.error_text();
    EXPECT_TRUE(client.run("SET @a=7, sql_mode='ANSI'"));
    EXPECT_EQ(move_all(Where::target, read).closed, 0U);
    EXPECT_EQ(client.value("SELECT CONCAT(@a, @@sql_mode LIKE '%ANSI%', name) FROM shop.who"), "71target");
    EXPECT_EQ(move_all(Where::source, read).closed, 0U);
    EXPECT_EQ(client.value("SELECT CONCAT(@a, @@sql_mode LIKE '%ANSI%', name) FROM shop.who"), "71source");
  }
  session.execute("UNINSTALL PLUGIN group_replication");
}

TEST_F(ProxyMove, a_hold_that_is_given_up_leaves_the_session_as_it_was) {
  start();
  Client client(anna());
  Statement statement(client, where_it_is);
  statement.bind("");
  ASSERT_TRUE(client.run("SET @a=5, sql_mode='ANSI'"));
  Client unmovable(anna());
  ASSERT_TRUE(unmovable.run("CREATE TEMPORARY TABLE shop.mine AS SELECT 'here'"));
  proxy->prepare(Where::target);
  for (std::uint64_t epoch = 1; epoch < 6; ++epoch) {
    if (epoch % 2 == 0) look_ahead(Where::target);
    EXPECT_TRUE(proxy->hold(epoch, 60s, 10s).all_quiet);
    proxy->restore(epoch, Where::target);
    proxy->release(epoch);
    EXPECT_EQ(client.value("SELECT CONCAT(@a, @@sql_mode = '')"), "50");
    EXPECT_EQ(statement.value(), "source");
    EXPECT_EQ(unmovable.value("SELECT * FROM shop.mine"), "here");
  }
  EXPECT_EQ(move_all().closed, 1U);
  EXPECT_EQ(client.value("SELECT CONCAT(@a, @@sql_mode = '')"), "50");
  EXPECT_EQ(statement.value(), "target");
}

}  // namespace
}  // namespace reseal::proxy

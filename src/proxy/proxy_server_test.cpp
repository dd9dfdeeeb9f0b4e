// SPDX-License-Identifier: Apache-2.0
#include "proxy/proxy_fixture_for_tests.hpp"
#include "wire/packet.hpp"

namespace reseal::proxy {
namespace {

TEST_F(ProxyServer, prepared_statements_with_long_data_and_cursors) {
  start();
  for (const unsigned long flags : {0UL, static_cast<unsigned long>(CLIENT_MULTI_STATEMENTS)}) {
    auto options = anna();
    options.schema = "shop";
    options.flags = flags;
    Client client(options);
    ASSERT_TRUE(client.connected()) << client.error_text();
    auto* statement = mysql_stmt_init(client.get());
    const std::string sql = "SELECT n, LENGTH(?) FROM numbers ORDER BY n";
    ASSERT_EQ(mysql_stmt_prepare(statement, sql.data(), sql.size()), 0) << mysql_stmt_error(statement);
    const unsigned long cursor = CURSOR_TYPE_READ_ONLY;
    const unsigned long rows = 2;
    mysql_stmt_attr_set(statement, STMT_ATTR_CURSOR_TYPE, &cursor);
    mysql_stmt_attr_set(statement, STMT_ATTR_PREFETCH_ROWS, &rows);
    for (int again = 0; again < 3; ++again) {
      MYSQL_BIND in{};
      in.buffer_type = MYSQL_TYPE_LONG_BLOB;
      ASSERT_EQ(mysql_stmt_bind_param(statement, &in), 0);
      const std::string piece(300'000, 'x');
      for (int i = 0; i < 4; ++i) ASSERT_EQ(mysql_stmt_send_long_data(statement, 0, piece.data(), piece.size()), 0);
      ASSERT_EQ(mysql_stmt_execute(statement), 0) << mysql_stmt_error(statement);
      MYSQL_BIND out[2] = {};
      int n = 0;
      long long length = 0;
      out[0].buffer_type = MYSQL_TYPE_LONG;
      out[0].buffer = &n;
      out[1].buffer_type = MYSQL_TYPE_LONGLONG;
      out[1].buffer = &length;
      ASSERT_EQ(mysql_stmt_bind_result(statement, out), 0);
      int seen = 0;
      while (mysql_stmt_fetch(statement) == 0) {
        EXPECT_EQ(n, ++seen);
        EXPECT_EQ(length, 1'200'000);
      }
      EXPECT_EQ(seen, 5) << mysql_stmt_error(statement);
      mysql_stmt_free_result(statement);
      mysql_stmt_reset(statement);
    }
    mysql_stmt_close(statement);
    EXPECT_EQ(client.value("SELECT 'after'"), "after");
  }
}

TEST_F(ProxyServer, many_statements_and_many_results) {
  start();
  auto options = anna();
  options.schema = "shop";
  options.flags = CLIENT_MULTI_STATEMENTS;
  Client client(options);
  EXPECT_THAT(client.column("SELECT 1; SET @a=7; SELECT @a; CALL two_results(); SELECT 3"),
              ElementsAre("1", "7", "1", "2", "3"));
  EXPECT_THAT(client.column("CALL two_results()"), ElementsAre("1", "2"));
  client.column("SELECT 1; SELECT * FROM no_such_table; SELECT 3");
  EXPECT_EQ(client.value("SELECT 4"), "4");
}

TEST_F(ProxyServer, messages_of_twenty_mebibytes_go_both_ways) {
  start();
  for (const bool tls : {true, false}) {
    Client client(anna(tls));
    for (const std::size_t size : {20UL << 20, wire::max_packet_payload - 8, wire::max_packet_payload - 9}) {
      std::string text(size, 'x');
      for (std::size_t i = 0; i < text.size(); i += 1009) text[i] = static_cast<char>('a' + i % 26);
      const auto back = client.value("SELECT '" + text + "'");
      EXPECT_EQ(back.size(), text.size());
      EXPECT_TRUE(back == text);
    }
    EXPECT_EQ(client.value("SELECT 'after'"), "after");
  }
}

TEST_F(ProxyServer, a_packet_that_the_server_refuses_leaves_its_error) {
  start();
  auto direct = anna();
  direct.port = server->port();
  Client expected(direct);
  expected.run("SELECT '" + std::string(70UL << 20, 'x') + "'");
  Client client(anna());
  client.run("SELECT '" + std::string(70UL << 20, 'x') + "'");
  EXPECT_NE(client.error(), 0U);
  EXPECT_TRUE(client.error() == expected.error() || client.error() == 1153U) << client.error_text();
}

TEST_F(ProxyServer, changes_of_user_and_resets) {
  start();
  for (const bool tls : {true, false}) {
    Client client(anna(tls));
    client.run("SET @mine = 5");
    EXPECT_EQ(mysql_reset_connection(client.get()), 0);
    EXPECT_EQ(client.value("SELECT @mine"), "NULL");
    ASSERT_EQ(mysql_change_user(client.get(), "bert", "other", "shop"), 0) << client.error_text();
    EXPECT_EQ(client.value("SELECT CURRENT_USER()"), "bert@%");
    EXPECT_EQ(client.value("SELECT DATABASE()"), "shop");
    ASSERT_EQ(mysql_change_user(client.get(), "anna", "secret", nullptr), 0) << client.error_text();
    EXPECT_EQ(client.value("SELECT CURRENT_USER()"), "anna@%");
    EXPECT_TRUE(proxy->sessions().at(0).movable || !tls);
    EXPECT_NE(mysql_change_user(client.get(), "bert", "wrong", nullptr), 0);
    EXPECT_EQ(client.error(), 1045U) << client.error_text();
    EXPECT_TRUE(soon([&] { return proxy->open() == 0; }));
  }
}

TEST_F(ProxyServer, other_commands_pass) {
  start();
  Client client(anna());
  EXPECT_EQ(mysql_ping(client.get()), 0);
  EXPECT_THAT(mysql_stat(client.get()), HasSubstr("Uptime"));
  EXPECT_EQ(mysql_select_db(client.get(), "shop"), 0);
  EXPECT_EQ(client.value("SELECT DATABASE()"), "shop");
  if (auto* const fields = mysql_list_fields(client.get(), "numbers", nullptr)) {
    EXPECT_EQ(mysql_num_fields(fields), 2U);
    mysql_free_result(fields);
  }
  EXPECT_EQ(mysql_set_server_option(client.get(), MYSQL_OPTION_MULTI_STATEMENTS_ON), 0) << client.error_text();
  EXPECT_THAT(client.column("SELECT 1; SELECT 2"), ElementsAre("1", "2"));
  EXPECT_EQ(client.value("SELECT 'after'"), "after");
}

TEST_F(ProxyServer, session_trackers_pass) {
  start();
  Client client(anna());
  client.run("SET SESSION session_track_schema=ON, session_track_system_variables='*'");
  client.run("USE shop");
  const char* data = nullptr;
  std::size_t size = 0;
  ASSERT_EQ(mysql_session_track_get_first(client.get(), SESSION_TRACK_SCHEMA, &data, &size), 0);
  EXPECT_EQ(std::string(data, size), "shop");
}

TEST_F(ProxyServer, a_client_that_is_killed_takes_its_server_session_along) {
  start();
  auto admin = server->connect(mysql::Side::source);
  auto id = std::string();
  {
    Client client(anna());
    id = client.value("SELECT CONNECTION_ID()");
    const std::string sleep = "SELECT SLEEP(2)";
    mysql_send_query(client.get(), sleep.data(), sleep.size());
    ::shutdown(mysql_get_socket(client.get()), SHUT_RDWR);
    EXPECT_TRUE(soon([&] { return proxy->open() == 0; }));
  }
  EXPECT_TRUE(soon([&] { return admin.query("SELECT 1 FROM performance_schema.processlist WHERE ID=" + id).empty(); }));
}

TEST_F(ProxyServer, a_killed_server_session_ends_the_client_with_the_servers_words) {
  start();
  Client client(anna());
  auto admin = server->connect(mysql::Side::source);
  std::thread killer([&] {
    const auto id = std::to_string(mysql_thread_id(client.get()));
    EXPECT_TRUE(soon([&] {
      return !admin.query("SELECT 1 FROM performance_schema.processlist WHERE STATE='User sleep' AND ID=" + id).empty();
    }));
    admin.execute("KILL " + id);
  });
  EXPECT_FALSE(client.run("SELECT SLEEP(20)"));
  EXPECT_THAT(client.error(), testing::AnyOf(1317U, 2013U)) << client.error_text();
  killer.join();
  EXPECT_TRUE(soon([&] { return proxy->open() == 0; }));
}

TEST_F(ProxyServer, idle_goodbyes_of_the_server_come_through) {
  start();
  Client client(anna());
  client.run("SET SESSION wait_timeout=1");
  EXPECT_TRUE(soon([&] { return proxy->open() == 0; }));
  EXPECT_FALSE(client.run("SELECT 1"));
  EXPECT_THAT(client.error(), testing::AnyOf(4031U, 2006U, 2013U)) << client.error_text();
}

}  // namespace
}  // namespace reseal::proxy

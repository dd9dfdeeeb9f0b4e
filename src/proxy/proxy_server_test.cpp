// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstring>
#include <thread>

#include "proxy/proxy_client_for_tests.hpp"
#include "wire/bytes.hpp"
#include "wire/packet.hpp"
#include "wire/protocol.hpp"
#include "wire/reply.hpp"

namespace reseal::proxy {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

template <typename Condition>
bool soon(const Condition& condition) {
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

class ProxyServer : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    sandbox::ServerOptions options;
    options.local_infile = true;
    options.extra = {"--max-allowed-packet=64M"};
    server = std::make_unique<sandbox::TestServer>(options);
    certificate = std::make_unique<ServerCertificate>();
    auto session = server->connect(mysql::Side::source);
    session.execute("CREATE DATABASE shop");
    session.execute("CREATE TABLE shop.numbers (n INT PRIMARY KEY, t TEXT)");
    session.execute("INSERT INTO shop.numbers VALUES (1,'one'),(2,'two'),(3,'three'),(4,NULL),(5,'five')");
    session.execute("CREATE PROCEDURE shop.two_results() BEGIN SELECT 1; SELECT 2; END");
    session.execute("CREATE USER anna IDENTIFIED BY 'secret', bert IDENTIFIED BY 'other', nopass IDENTIFIED BY ''");
    session.execute("CREATE USER only_tls IDENTIFIED BY 'secret' REQUIRE SSL");
    session.execute("CREATE USER with_certificate IDENTIFIED BY 'secret' REQUIRE X509");
    session.execute("GRANT ALL ON shop.* TO anna, bert, nopass, only_tls, with_certificate");
  }
  static void TearDownTestSuite() {
    server.reset();
    certificate.reset();
  }

  void start(ProxyOptions options = {}) {
    options.source = server->endpoint();
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
  ClientOptions anna(bool tls = true) const { return as("anna", "secret", tls); }

  // Makes the server forget that it knows this password's hash: the next login is a full one.
  static void forget_passwords() { server->connect(mysql::Side::source).execute("FLUSH PRIVILEGES"); }

  static std::unique_ptr<sandbox::TestServer> server;
  static std::unique_ptr<ServerCertificate> certificate;
  base::Log log{base::Log::Level::quiet};
  std::unique_ptr<Proxy> proxy;
};

std::unique_ptr<sandbox::TestServer> ProxyServer::server;
std::unique_ptr<ServerCertificate> ProxyServer::certificate;

TEST_F(ProxyServer, passes_sessions_through_with_tls_and_without) {
  start();
  for (const bool tls : {true, false, true, false}) {
    Client client(anna(tls));
    ASSERT_TRUE(client.connected()) << client.error_text();
    EXPECT_EQ(client.value("SELECT 40 + 2"), "42");
    EXPECT_EQ(client.value("SELECT CURRENT_USER()"), "anna@%");
    EXPECT_EQ(client.value("SELECT CONNECTION_ID()"), std::to_string(mysql_thread_id(client.get())));
    // The server sees TLS exactly when the client uses it.
    const auto cipher = client.value(
        "SELECT VARIABLE_VALUE FROM performance_schema.session_status WHERE "
        "VARIABLE_NAME='Ssl_cipher'");
    EXPECT_EQ(cipher.empty(), !tls) << cipher;
  }
}

TEST_F(ProxyServer, the_server_judges_every_login) {
  start();
  for (const bool tls : {true, false}) {
    Client wrong(as("anna", "wrong", tls));
    EXPECT_FALSE(wrong.connected());
    EXPECT_EQ(wrong.error(), 1045U) << wrong.error_text();
    Client nobody(as("nobody", "secret", tls));
    EXPECT_EQ(nobody.error(), 1045U);
    auto elsewhere = anna(tls);
    elsewhere.schema = "nowhere";
    EXPECT_FALSE(Client(elsewhere).connected());
  }
  EXPECT_TRUE(Client(as("only_tls", "secret", true)).connected());
  EXPECT_EQ(Client(as("only_tls", "secret", false)).error(), 1045U);
  Client nothing(as("nopass", "", true));
  EXPECT_TRUE(nothing.connected()) << nothing.error_text();
}

TEST_F(ProxyServer, says_why_an_account_that_demands_a_certificate_is_refused) {
  start();
  auto options = as("with_certificate", "secret");
  options.certificate = certificate->certificate();
  options.key = certificate->key();
  Client client(options);
  EXPECT_FALSE(client.connected());
  EXPECT_EQ(client.error(), 1045U);
  EXPECT_THAT(client.error_text(), HasSubstr("REQUIREs X509"));
}

TEST_F(ProxyServer, learns_passwords_by_every_way_that_a_client_shows_them) {
  for (const bool tls : {true, false}) {
    for (const bool full : {true, false}) {
      if (!full) Client(anna(true));  // the server knows the hash now
      start();
      if (full) forget_passwords();
      Client client(anna(tls));
      ASSERT_TRUE(client.connected()) << client.error_text() << tls << full;
      EXPECT_EQ(client.value("SELECT 1"), "1");
      const auto sessions = proxy->sessions();
      ASSERT_EQ(sessions.size(), 1U);
      // A plain client that the server knows already is not asked.
      EXPECT_EQ(sessions[0].movable, tls || full);
      EXPECT_EQ(sessions[0].user, "anna");
      EXPECT_EQ(sessions[0].encrypted, tls);
      EXPECT_EQ(proxy->status().passwords, tls || full ? 1U : 0U);
    }
  }
  ProxyOptions asking;
  asking.ask_plain_clients = true;
  start(asking);
  Client client(anna(false));
  ASSERT_TRUE(client.connected()) << client.error_text();
  EXPECT_TRUE(proxy->sessions().at(0).movable);
}

TEST_F(ProxyServer, once_a_password_is_known_plain_clients_can_be_moved_too) {
  start();
  Client first(anna(true));
  Client second(anna(false));
  ASSERT_TRUE(second.connected());
  EXPECT_TRUE(proxy->sessions().at(1).movable);
}

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

TEST_F(ProxyServer, a_file_of_the_client_is_taken_only_when_that_is_allowed) {
  const auto path = std::filesystem::temp_directory_path() / ("reseal-proxy-test-" + std::to_string(::getpid()));
  if (auto* const file = std::fopen(path.c_str(), "w")) {
    for (int i = 100; i < 60'000; ++i) std::fprintf(file, "%d\tline %d\n", i, i);
    std::fclose(file);
  }
  const auto load = "LOAD DATA LOCAL INFILE '" + path.string() + "' INTO TABLE shop.numbers";
  auto options = ClientOptions();
  {
    start();
    options = anna();
    options.local_infile = true;
    Client client(options);
    EXPECT_FALSE(client.run(load));
    EXPECT_EQ(client.value("SELECT COUNT(*) FROM shop.numbers"), "5");
  }
  ProxyOptions allowing;
  allowing.allow_local_infile = true;
  start(allowing);
  options.port = proxy->port();
  for (const bool tls : {true, false}) {
    options.tls = tls;
    Client client(options);
    EXPECT_TRUE(client.run(load)) << client.error_text();
    EXPECT_EQ(client.value("SELECT COUNT(*) FROM shop.numbers"), std::to_string(5 + 60'000 - 100));
    EXPECT_TRUE(client.run("DELETE FROM shop.numbers WHERE n >= 100"));
    EXPECT_FALSE(client.run("LOAD DATA LOCAL INFILE '/no/such/file' INTO TABLE shop.numbers"));
    EXPECT_EQ(client.value("SELECT 'after'"), "after");
  }
  std::filesystem::remove(path);
}

TEST_F(ProxyServer, serves_a_unix_socket) {
  ProxyOptions options;
  options.listen_socket = "/tmp/reseal-proxy-" + std::to_string(::getpid()) + ".sock";
  start(options);
  forget_passwords();
  auto client_options = anna(false);
  client_options.socket = options.listen_socket;
  for (int again = 0; again < 2; ++again) {
    Client client(client_options);
    ASSERT_TRUE(client.connected()) << client.error_text();
    EXPECT_EQ(client.value("SELECT 1"), "1");
    EXPECT_TRUE(proxy->sessions().at(0).movable);
    mysql_close(mysql_init(nullptr));
    EXPECT_TRUE(soon([&] { return proxy->open() == 1; }));
  }
  proxy.reset();
  EXPECT_FALSE(std::filesystem::exists(options.listen_socket));
}

TEST_F(ProxyServer, reaches_the_server_over_its_unix_socket) {
  ProxyOptions options;
  start();
  proxy.reset();
  options.source = server->endpoint();
  options.source.socket = server->socket();
  options.listen = {"127.0.0.1:0"};
  options.tls_certificate = certificate->certificate();
  options.tls_key = certificate->key();
  proxy = std::make_unique<Proxy>(options, log);
  forget_passwords();
  for (const bool tls : {false, true}) {
    Client client(anna(tls));
    ASSERT_TRUE(client.connected()) << client.error_text();
    EXPECT_EQ(client.value("SELECT 1"), "1");
    EXPECT_TRUE(proxy->sessions().at(0).movable);
  }
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

// --- bytes as no client sends them

class Raw {
 public:
  explicit Raw(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_.number(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  bool connected() const { return connected_; }
  void send(std::string_view bytes) const {
    static_cast<void>(::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }
  // Everything up to the end, or until nothing comes for `patience`.
  std::string read_all(std::chrono::milliseconds patience) const {
    std::string all;
    char buffer[4096];
    while (true) {
      pollfd watched{socket_.number(), POLLIN, 0};
      if (::poll(&watched, 1, static_cast<int>(patience.count())) <= 0) return all;
      const auto count = ::recv(socket_.number(), buffer, sizeof buffer, 0);
      if (count <= 0) return all;
      all.append(buffer, static_cast<std::size_t>(count));
    }
  }

 private:
  mysql::FileDescriptor socket_;
  bool connected_ = false;
};

TEST_F(ProxyServer, malformed_clients_disturb_nobody) {
  start();
  Client good(anna());
  const std::string nothing_right[] = {
      std::string(200, '\xFF'),
      std::string("\xFF\xFF\xFF\x01", 4),
      std::string("\x04\x00\x00\x01\x00\x02\x00\x00", 8),
      std::string("\x20\x00\x00\x01", 4) + std::string("\x00\x0A\x00\x00", 4) + std::string(28, '\0') + "no TLS at all",
      std::string("\x01\x00\x00\x05x", 5),
      std::string("GET / HTTP/1.1\r\n\r\n"),
  };
  for (const auto& bytes : nothing_right) {
    const Raw raw(proxy->port());
    ASSERT_TRUE(raw.connected());
    raw.send(bytes);
    raw.read_all(100ms);
    EXPECT_EQ(good.value("SELECT 1"), "1");
  }
  EXPECT_TRUE(soon([&] { return proxy->open() == 1; }));
}

TEST_F(ProxyServer, clients_that_stop_in_the_middle_are_ended_and_lock_nobody_out) {
  ProxyOptions options;
  options.half_open_limit = 8;
  options.handshake_timeout = 2s;
  start(options);
  std::vector<std::unique_ptr<Raw>> stopped;
  for (int i = 0; i < 40; ++i) stopped.push_back(std::make_unique<Raw>(proxy->port()));
  for (int i = 0; i < 5; ++i) {
    Client good(anna(i % 2 == 0));
    EXPECT_TRUE(good.connected()) << good.error_text();
    EXPECT_EQ(good.value("SELECT 1"), "1");
  }
  EXPECT_LE(proxy->open(), 10U);
  EXPECT_TRUE(soon([&] { return proxy->open() == 0; }));
}

TEST_F(ProxyServer, too_many_connections_get_mysqls_error) {
  ProxyOptions options;
  options.connection_limit = 2;
  start(options);
  Client one(anna());
  Client two(anna());
  Client three(anna(false));
  EXPECT_FALSE(three.connected());
  EXPECT_EQ(three.error(), 1040U) << three.error_text();
  EXPECT_EQ(proxy->status().refused, 1U);
}

TEST_F(ProxyServer, commands_of_replicas_are_refused_and_the_session_goes_on) {
  start();
  Client client(anna(false));
  const int socket = mysql_get_socket(client.get());
  for (const auto command : {wire::Command::binlog_dump, wire::Command::binlog_dump_gtid,
                             wire::Command::register_replica, wire::Command::clone}) {
    std::string bytes;
    std::uint8_t sequence = 0;
    wire::append_packets(bytes, std::string(1, static_cast<char>(command)) + std::string(30, 'x'), sequence);
    ASSERT_EQ(::send(socket, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    char buffer[1024];
    const auto count = ::recv(socket, buffer, sizeof buffer, 0);
    ASSERT_GT(count, 4);
    EXPECT_EQ(buffer[3], 1);  // the packet's number
    const auto error = wire::parse_error(std::string_view(buffer + 4, static_cast<std::size_t>(count) - 4)).value();
    EXPECT_EQ(error.code, 1235);
    EXPECT_THAT(error.text, HasSubstr("replicas"));
    EXPECT_EQ(client.value("SELECT 1"), "1");
  }
}

TEST_F(ProxyServer, commands_in_a_row_are_answered_in_their_order) {
  start();
  Client client(anna(false));
  const int socket = mysql_get_socket(client.get());
  std::string bytes;
  for (int i = 0; i < 500; ++i) {
    std::uint8_t sequence = 0;
    wire::append_packets(bytes, std::string(1, i % 2 == 0 ? '\x0E' : '\x1F'), sequence);
  }
  ASSERT_EQ(::send(socket, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  std::string all;
  char buffer[4096];
  while (all.size() < 500 * 11) {
    const auto count = ::recv(socket, buffer, sizeof buffer, 0);
    ASSERT_GT(count, 0);
    all.append(buffer, static_cast<std::size_t>(count));
  }
  EXPECT_EQ(client.value("SELECT 1"), "1");
}

TEST_F(ProxyServer, a_client_that_does_not_read_holds_back_only_itself) {
  start();
  Client slow(anna(false));
  const std::string much = "SELECT REPEAT('x', 60000000)";
  ASSERT_EQ(mysql_send_query(slow.get(), much.data(), much.size()), 0);
  Client other(anna());
  for (int i = 0; i < 200; ++i) EXPECT_EQ(other.value("SELECT 1"), "1");
  ASSERT_EQ(mysql_read_query_result(slow.get()), 0);
  auto* const result = mysql_store_result(slow.get());
  ASSERT_NE(result, nullptr);
  mysql_fetch_row(result);
  EXPECT_EQ(mysql_fetch_lengths(result)[0], 60'000'000UL);
  mysql_free_result(result);
}

TEST_F(ProxyServer, drains_at_the_end_of_transactions) {
  start();
  Client idle(anna());
  Client busy(anna());
  busy.run("BEGIN");
  proxy->drain();
  EXPECT_TRUE(soon([&] { return proxy->open() == 1; }));
  EXPECT_FALSE(idle.run("SELECT 1"));
  EXPECT_THAT(idle.error(), testing::AnyOf(1053U, 2006U, 2013U)) << idle.error_text();
  EXPECT_EQ(busy.value("SELECT 1"), "1");
  EXPECT_TRUE(busy.run("COMMIT"));
  EXPECT_TRUE(soon([&] { return proxy->open() == 0; }));
  EXPECT_FALSE(Client(anna()).connected());
}

// --- holding

// Runs `statement` in a thread of its own and tells whether it has ended.
class Waiting {
 public:
  Waiting(Client& client, std::string statement)
      : thread_([this, &client, statement = std::move(statement)] {
          ok_ = client.run(statement);
          ended_ = true;
        }) {}
  ~Waiting() { join(); }
  bool ended() const { return ended_; }
  bool join() {
    if (thread_.joinable()) thread_.join();
    return ok_;
  }

 private:
  std::atomic<bool> ok_{false};
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

TEST_F(ProxyServer, holds_sessions_between_transactions_and_lets_them_go_on) {
  start();
  Client idle(anna());
  Client busy(anna(false));
  busy.run("BEGIN");
  auto report = proxy->hold(1, 60s, 50ms);
  EXPECT_FALSE(report.all_quiet);
  EXPECT_EQ(report.counts.held, 1U);
  EXPECT_EQ(report.counts.busy, 1U);
  EXPECT_EQ(busy.value("SELECT 1"), "1");  // a transaction goes on
  Waiting held(idle, "SELECT 2");
  Waiting commit(busy, "COMMIT");
  EXPECT_TRUE(commit.join());
  report = proxy->hold(1, 60s, 5s);
  EXPECT_TRUE(report.all_quiet);
  EXPECT_EQ(report.counts.held, 2U);
  Waiting next(busy, "INSERT INTO shop.numbers VALUES (77, 'held')");
  std::this_thread::sleep_for(100ms);
  EXPECT_FALSE(held.ended());
  EXPECT_FALSE(next.ended());
  EXPECT_EQ(server->connect(mysql::Side::source).scalar("SELECT COUNT(*) FROM shop.numbers WHERE n=77"), "0");
  EXPECT_THROW(proxy->hold(2, 60s, 5s), base::Failure);
  EXPECT_THROW(proxy->release(2), base::Failure);
  proxy->release(1);
  EXPECT_TRUE(held.join());
  EXPECT_TRUE(next.join());
  EXPECT_TRUE(idle.run("DELETE FROM shop.numbers WHERE n=77"));
}

TEST_F(ProxyServer, an_error_does_not_hide_an_open_transaction_from_a_hold) {
  start();
  auto admin = server->connect(mysql::Side::source);
  admin.execute("DROP PROCEDURE IF EXISTS shop.fails_within");
  admin.execute(
      "CREATE PROCEDURE shop.fails_within() BEGIN START TRANSACTION; INSERT INTO shop.numbers VALUES (88,'x');"
      " INSERT INTO shop.numbers VALUES (1,'again'); END");
  Client open_inside(anna());
  EXPECT_FALSE(open_inside.run("CALL shop.fails_within()"));
  Client none(anna());
  EXPECT_FALSE(none.run("SELECT * FROM shop.no_such_table"));
  const auto report = proxy->hold(1, 60s, 300ms);
  EXPECT_EQ(report.counts.busy, 1U);
  EXPECT_EQ(report.counts.held, 1U);
  EXPECT_TRUE(open_inside.run("ROLLBACK"));
  EXPECT_TRUE(proxy->hold(1, 60s, 5s).all_quiet);
  proxy->release(1);
  EXPECT_EQ(none.value("SELECT 1"), "1");
}

TEST_F(ProxyServer, when_a_lease_ends_the_decision_is_asked_and_not_guessed) {
  std::atomic<Decision> decision{Decision::unknown};
  std::atomic<int> asked{0};
  ProxyOptions options;
  options.ask_decision = [&](std::uint64_t) {
    ++asked;
    return decision.load();
  };
  start(options);
  Client client(anna());
  proxy->hold(1, 200ms, 1s);
  Waiting held(client, "SELECT 1");
  EXPECT_TRUE(soon([&] { return asked >= 1; }));
  std::this_thread::sleep_for(100ms);
  EXPECT_FALSE(held.ended());
  EXPECT_TRUE(proxy->status().holding);
  decision = Decision::source;
  EXPECT_TRUE(held.join());
  EXPECT_FALSE(proxy->status().holding);
  proxy.reset();
}

TEST_F(ProxyServer, drains_although_a_command_waits) {
  start();
  Client client(anna());
  proxy->hold(1, 60s, 1s);
  Waiting held(client, "SELECT 1");
  std::this_thread::sleep_for(50ms);
  proxy->drain();
  EXPECT_FALSE(held.join());
  EXPECT_EQ(client.error(), 1053U) << client.error_text();
  EXPECT_TRUE(soon([&] { return proxy->open() == 0; }));
}

// What a command line client prints for `statement`.
std::string printed_by(const std::string& flags, const ClientOptions& options, const std::string& statement) {
  const auto program = sandbox::MysqlPrograms::find().path("mysql").string();
  const auto stem = std::filesystem::temp_directory_path() / ("reseal-proxy-client-" + std::to_string(::getpid()));
  const auto option_file = stem.string() + ".cnf";
  const auto output = stem.string() + ".out";
  if (auto* const file = std::fopen(option_file.c_str(), "w")) {
    std::fprintf(file, "[client]\nhost=127.0.0.1\nport=%u\nuser=%s\npassword=%s\n", unsigned{options.port},
                 options.user.c_str(), options.password.c_str());
    std::fclose(file);
  }
  const auto command =
      program + " --defaults-file=" + option_file + flags + " -N -B -e \"" + statement + "\" >" + output + " 2>&1";
  EXPECT_GE(std::system(command.c_str()), 0);
  std::string text;
  if (auto* const file = std::fopen(output.c_str(), "r")) {
    char buffer[4096];
    while (const auto count = std::fread(buffer, 1, sizeof buffer, file)) text.append(buffer, count);
    std::fclose(file);
  }
  std::filesystem::remove(option_file);
  std::filesystem::remove(output);
  return text;
}

TEST_F(ProxyServer, mysqls_own_command_line_works_with_tls_and_without) {
  const std::string statement =
      "SELECT CURRENT_USER(); SELECT n FROM shop.numbers ORDER BY n LIMIT 2; CALL shop.two_results()";
  for (const bool full : {false, true}) {
    start();
    const auto ask = [&](const std::string& how) {
      if (full) forget_passwords();
      return printed_by(how, anna(), statement);
    };
    Client(anna(true));
    EXPECT_EQ(ask(" --ssl-mode=REQUIRED"), "anna@%\n1\n2\n1\n2\n");
    EXPECT_EQ(ask(" --ssl-mode=DISABLED --get-server-public-key"), "anna@%\n1\n2\n1\n2\n");
    if (!full) {
      EXPECT_EQ(ask(" --ssl-mode=DISABLED"), "anna@%\n1\n2\n1\n2\n");
    }
    EXPECT_TRUE(soon([&] { return proxy->open() == 0; }));
    EXPECT_EQ(proxy->status().broken, 0U);
  }
  start();
  EXPECT_THAT(printed_by(" --ssl-mode=REQUIRED", as("anna", "wrong"), "SELECT 1"), HasSubstr("ERROR 1045"));
}

TEST_F(ProxyServer, a_server_that_is_away_has_a_clear_error_and_comes_back) {
  start();
  Client before(anna());
  server->kill_hard();
  EXPECT_FALSE(before.run("SELECT 1"));
  EXPECT_FALSE(Client(anna()).connected());
  Client client(anna(false));
  EXPECT_FALSE(client.connected());
  EXPECT_EQ(client.error(), 1429U) << client.error_text();
  EXPECT_THAT(client.error_text(), HasSubstr("the proxy itself runs"));
  server->start_again();
  Client after(anna());
  EXPECT_TRUE(after.connected()) << after.error_text();
  EXPECT_EQ(after.value("SELECT 1"), "1");
}

}  // namespace
}  // namespace reseal::proxy

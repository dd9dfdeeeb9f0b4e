// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <array>
#include <vector>

#include "proxy/proxy_fixture_for_tests.hpp"
#include "wire/handshake.hpp"
#include "wire/packet.hpp"
#include "wire/protocol.hpp"
#include "wire/reply.hpp"

namespace reseal::proxy {
namespace {

class ProxyHostile : public ProxyServer {
 protected:
  // What MySQL counts towards max_connect_errors, though not for a loopback address.
  static std::uint64_t logins_broken_off() {
    return std::stoull(
        server->connect(mysql::Side::source)
            .scalar("SELECT sum_error_raised FROM performance_schema.events_errors_summary_global_by_error"
                    " WHERE error_name='ER_HANDSHAKE_ERROR'")
            .value_or("0"));
  }
};

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

TEST_F(ProxyHostile, malformed_clients_disturb_nobody) {
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

TEST_F(ProxyHostile, clients_that_stop_in_the_middle_are_ended_and_lock_nobody_out) {
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

TEST_F(ProxyHostile, too_many_connections_get_mysqls_error) {
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

TEST_F(ProxyHostile, commands_of_replicas_are_refused_and_the_session_goes_on) {
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

TEST_F(ProxyHostile, commands_in_a_row_are_answered_in_their_order) {
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

TEST_F(ProxyHostile, a_client_that_does_not_read_holds_back_only_itself) {
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

constexpr std::string_view ssl_request_head("\x20\x00\x00\x01\x00\xAA\x8A\x01", 8);

// TLS that the client asked for and goes no further with; half a message; a message that announces more than comes.
TEST_F(ProxyHostile, clients_that_leave_within_the_login_count_as_no_error_of_the_host) {
  ProxyOptions options;
  options.handshake_timeout = 1s;
  start(options);
  const auto before = logins_broken_off();
  const auto ssl_request = std::string(ssl_request_head) + std::string(28, '\0');
  const std::string starts[] = {"",
                                std::string(1, '\0'),
                                std::string("\x55\0\0\x01\x05", 5),
                                ssl_request,
                                ssl_request + std::string("\x16\x03\x01\x02\x00\x01", 6),
                                ssl_request + "this is no TLS"};
  for (const bool wait : {false, true})
    for (const auto& bytes : starts) {
      const Raw raw(proxy->port());
      raw.send(bytes);
      raw.read_all(wait ? 3000ms : 100ms);
    }
  // Within the exchange of a plugin: the server asks for another one, or for the password itself.
  wire::HandshakeResponse response;
  response.capabilities =
      wire::capability::protocol_41 | wire::capability::plugin_auth | wire::capability::secure_connection;
  response.auth_data = std::string(20, 'x');
  for (const auto* const user : {"anna", "nobody", "nobody else", "nobody at all"})
    for (const auto* const plugin : {"caching_sha2_password", "mysql_native_password", "sha256_password"}) {
      response.user = user;
      response.auth_plugin = plugin;
      std::string bytes;
      std::uint8_t sequence = 1;
      wire::append_packets(bytes, wire::handshake_response(response), sequence);
      const Raw raw(proxy->port());
      raw.send(bytes);
      raw.read_all(100ms);
    }
  EXPECT_TRUE(soon([&] { return proxy->open() == 0; }));
  EXPECT_EQ(logins_broken_off(), before);
  EXPECT_EQ(Client(anna()).value("SELECT 1"), "1");
}

// The server takes connections and greets nobody, for as long as it lives.
class Stalled {
 public:
  explicit Stalled(pid_t server) : server_(server) { ::kill(server_, SIGSTOP); }
  ~Stalled() { ::kill(server_, SIGCONT); }
  Stalled(const Stalled&) = delete;
  Stalled& operator=(const Stalled&) = delete;

 private:
  pid_t server_;
};

TEST_F(ProxyHostile, clients_that_come_faster_than_the_server_greets_wait_and_count_as_no_error_of_the_host) {
  ProxyOptions options;
  options.half_open_limit = 8;
  start(options);
  const auto before = logins_broken_off();
  std::vector<std::unique_ptr<Raw>> stopped;
  {
    const Stalled stalled(server->pid());
    for (int i = 0; i < 100; ++i) stopped.push_back(std::make_unique<Raw>(proxy->port()));
    EXPECT_TRUE(soon([&] { return proxy->status().accepted >= 16; }));
    std::this_thread::sleep_for(300ms);
    EXPECT_EQ(proxy->status().accepted, 16U) << "8 that wait for the server, 8 for their turn";
    EXPECT_EQ(proxy->sessions().size(), 8U);
  }
  EXPECT_TRUE(soon([&] { return proxy->status().accepted == 100; }));
  EXPECT_EQ(Client(anna()).value("SELECT 1"), "1");
  stopped.clear();
  EXPECT_TRUE(soon([&] { return proxy->open() == 0; }));
  EXPECT_EQ(logins_broken_off(), before);
}

TEST_F(ProxyHostile, a_proxy_that_ends_waits_for_the_greeting_and_counts_as_no_error_of_the_host) {
  start();
  const auto before = logins_broken_off();
  std::vector<std::unique_ptr<Raw>> stopped;
  {
    const Stalled stalled(server->pid());
    for (int i = 0; i < 20; ++i) stopped.push_back(std::make_unique<Raw>(proxy->port()));
    EXPECT_TRUE(soon([&] { return proxy->sessions().size() == 20; }));
    proxy->drain();
    EXPECT_EQ(proxy->sessions().size(), 20U);
  }
  EXPECT_TRUE(soon([&] { return proxy->open() == 0; }));
  EXPECT_EQ(logins_broken_off(), before);
}

// A client that is logged in and whose socket is written to directly.
class Bare {
 public:
  explicit Bare(ClientOptions options) : client_(options) {}
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = ::send(socket(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  // The first byte of the next packet's payload; 0 when the connection ends.
  std::uint8_t receive() {
    std::array<char, 5> head{};
    const auto count = ::recv(socket(), head.data(), head.size(), MSG_WAITALL);
    return count == 5 ? static_cast<std::uint8_t>(head[4]) : std::uint8_t{0};
  }
  void leave() { ::shutdown(socket(), SHUT_RDWR); }

 private:
  int socket() const { return mysql_get_socket(client_.get()); }
  Client client_;
};

std::string query(const std::string& statement) {
  std::string bytes;
  std::uint8_t sequence = 0;
  wire::append_packets(bytes, '\x03' + statement, sequence);
  return bytes;
}

TEST_F(ProxyHostile, clients_that_leave_within_a_command_end_only_themselves) {
  start();
  Client good(anna());
  const auto insert = query("INSERT INTO shop.numbers VALUES (66, 'half')");
  const std::string long_head = std::string("\xFF\xFF\xFF\x00", 4) + "\x03SELECT '";
  const std::string long_packet = long_head + std::string(0xFFFFFF - 9, 'x');
  const std::string starts[] = {
      insert.substr(0, 2),
      insert.substr(0, 4),
      insert.substr(0, insert.size() - 1),
      insert + insert.substr(0, 5),
      long_head,
      long_head + std::string(3'000'000, 'x'),
      long_packet,
      long_packet + std::string("\x10\x00\x00\x01 and", 8),
      long_packet + std::string("\x10\x00\x00\x07 and", 8),  // not the number that is due
      query("SELECT SLEEP(30)").substr(0, 9),
  };
  for (const auto& bytes : starts) {
    Bare client(anna(false));
    client.send(bytes);
    client.leave();
    EXPECT_EQ(good.value("SELECT 1"), "1");
  }
  EXPECT_TRUE(soon([&] { return proxy->open() == 1; }));
  EXPECT_EQ(good.value("SELECT COUNT(*) FROM shop.numbers WHERE n=66"), "1");  // the one that was sent whole
  EXPECT_TRUE(good.run("DELETE FROM shop.numbers WHERE n=66"));
  auto admin = server->connect(mysql::Side::source);
  EXPECT_TRUE(soon([&] {
    return admin.scalar("SELECT COUNT(*) FROM performance_schema.threads WHERE processlist_user='anna'") == "1";
  }));
}

TEST_F(ProxyHostile, clients_that_leave_within_a_file_leave_nothing_of_it) {
  ProxyOptions options;
  options.allow_local_infile = true;
  start(options);
  Client good(anna());
  auto with_files = anna(false);
  with_files.local_infile = true;
  const std::string first(
      "\x03\x00\x00\x02"
      "61\n",
      7);
  for (const auto& bytes : {std::string(), std::string("\x03\x00", 2), first.substr(0, 5), first,
                            first + std::string("\xFF\xFF\xFF\x03", 4) + std::string(100'000, 'x')}) {
    Bare client(with_files);
    client.send(query("LOAD DATA LOCAL INFILE '/no/such/file' INTO TABLE shop.numbers (n)"));
    ASSERT_EQ(client.receive(), 0xFB);
    client.send(bytes);
    client.leave();
    EXPECT_EQ(good.value("SELECT 1"), "1");
  }
  EXPECT_TRUE(soon([&] { return proxy->open() == 1; }));
  EXPECT_TRUE(soon([&] { return good.value("SELECT COUNT(*) FROM shop.numbers WHERE n=61") == "0"; }));
}

TEST_F(ProxyHostile, clients_that_leave_while_they_are_held_are_gone_and_nothing_is_carried_out) {
  start();
  Client good(anna());
  const auto insert = query("INSERT INTO shop.numbers VALUES (67, 'held')");
  std::vector<std::unique_ptr<Bare>> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(std::make_unique<Bare>(anna(false)));
  const Raw silent(proxy->port());
  EXPECT_TRUE(proxy->hold(1, 60s, 5s).all_quiet);
  clients[0]->send(insert.substr(0, 3));
  clients[1]->send(insert.substr(0, 20));
  clients[2]->send(insert);
  EXPECT_TRUE(proxy->hold(1, 60s, 5s).all_quiet);
  for (auto& client : clients) client->leave();
  EXPECT_TRUE(soon([&] { return proxy->open() == 2; }));
  proxy->release(1);
  EXPECT_EQ(good.value("SELECT COUNT(*) FROM shop.numbers WHERE n=67"), "0");
}

}  // namespace
}  // namespace reseal::proxy

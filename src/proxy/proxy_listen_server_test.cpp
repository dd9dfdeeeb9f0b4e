// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <filesystem>

#include "base/failure.hpp"
#include "proxy/proxy_fixture_for_tests.hpp"

namespace reseal::proxy {
namespace {

using ProxyListen = ProxyServer;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

mysql::FileDescriptor listening(std::uint16_t& port) {
  mysql::FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto address = loopback(0);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(socket.number(), reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(socket.number(), 8), 0);
  EXPECT_EQ(::getsockname(socket.number(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  port = ntohs(address.sin_port);
  return socket;
}

/// A load balancer for one connection: what it sends ahead, then the client's bytes.
class Balancer {
 public:
  Balancer(std::uint16_t to, std::string ahead)
      : listener_(listening(port_)), thread_([this, to, ahead = std::move(ahead)] { pass(to, ahead); }) {}
  ~Balancer() { thread_.join(); }
  Balancer(const Balancer&) = delete;
  Balancer& operator=(const Balancer&) = delete;
  std::uint16_t port() const { return port_; }

 private:
  void pass(std::uint16_t to, const std::string& ahead) const {
    const mysql::FileDescriptor client(::accept(listener_.number(), nullptr, nullptr));
    const mysql::FileDescriptor server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = loopback(to);
    ASSERT_EQ(::connect(server.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    for (const char byte : ahead) ::send(server.number(), &byte, 1, MSG_NOSIGNAL);
    pollfd ends[] = {{client.number(), POLLIN, 0}, {server.number(), POLLIN, 0}};
    char buffer[4096];
    while (::poll(ends, 2, -1) > 0)
      for (int from = 0; from < 2; ++from) {
        if (ends[from].revents == 0) continue;
        const auto count = ::recv(ends[from].fd, buffer, sizeof buffer, 0);
        if (count <= 0) return;
        ::send(ends[1 - from].fd, buffer, static_cast<std::size_t>(count), MSG_NOSIGNAL);
      }
  }

  std::uint16_t port_ = 0;
  mysql::FileDescriptor listener_;
  std::thread thread_;
};

TEST_F(ProxyListen, a_balancer_says_whom_it_connects_for) {
  ProxyOptions options;
  options.header_peers = {"127.0.0.0/8"};
  options.handshake_timeout = 2s;
  start(options);
  for (const auto& header :
       {std::string("PROXY TCP4 10.0.0.7 127.0.0.1 50000 3306\r\n"),
        std::string("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0C\x0A\0\0\7\x7F\0\0\1\xC3\x50\x0C\xEA", 28)}) {
    const Balancer balancer(proxy->port(), header);
    auto there = anna();
    there.port = balancer.port();
    Client client(there);
    EXPECT_EQ(client.value("SELECT 1"), "1") << client.error_text();
    ASSERT_TRUE(soon([&] { return proxy->sessions().size() == 1; }));
    EXPECT_EQ(proxy->sessions()[0].client, "10.0.0.7:50000");
  }
  Client direct(anna());
  EXPECT_FALSE(direct.connected());
}

TEST_F(ProxyListen, without_a_listed_peer_a_header_is_no_part_of_the_protocol) {
  ProxyOptions options;
  options.header_peers = {"10.0.0.0/8"};
  start(options);
  Client direct(anna());
  EXPECT_TRUE(direct.connected()) << direct.error_text();
  const Balancer balancer(proxy->port(), "PROXY TCP4 10.0.0.7 127.0.0.1 50000 3306\r\n");
  auto there = anna(false);
  there.port = balancer.port();
  Client client(there);
  EXPECT_FALSE(client.connected());
  options.header_peers = {"nowhere"};
  EXPECT_THROW(start(options), base::Failure);
}

TEST_F(ProxyListen, takes_over_a_socket_that_listens) {
  std::uint16_t port = 0;
  auto socket = listening(port);
  ProxyOptions options;
  options.inherited = {::dup(socket.number())};
  start(options);
  auto there = anna();
  there.port = port;
  Client client(there);
  EXPECT_EQ(client.value("SELECT 1"), "1") << client.error_text();
  options.inherited = {::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  EXPECT_THROW(start(options), base::Failure);
}

TEST_F(ProxyListen, a_reload_brings_a_new_certificate_and_leaves_sessions_alone) {
  const ServerCertificate other;
  start();
  Client before(anna());
  auto trusting = anna();
  trusting.authority = other.certificate();
  EXPECT_FALSE(Client(trusting).connected());
  const auto over = std::filesystem::copy_options::overwrite_existing;
  std::filesystem::copy_file(other.certificate(), certificate->certificate(), over);
  proxy->reload();  // the key does not fit yet
  EXPECT_FALSE(Client(trusting).connected());
  EXPECT_TRUE(Client(anna()).connected());
  std::filesystem::copy_file(other.key(), certificate->key(), over);
  proxy->reload();
  Client after(trusting);
  EXPECT_TRUE(after.connected()) << after.error_text();
  EXPECT_EQ(before.value("SELECT 1"), "1");
}

TEST_F(ProxyListen, starts_while_one_of_the_servers_is_away) {
  ProxyOptions options;
  options.source = server->endpoint();
  options.source.port = 1;  // nobody listens there
  options.target = server->endpoint();
  options.ask_decision = [](std::uint64_t) { return Decision::target; };
  start_in_front(options);
  Client client(anna());
  EXPECT_EQ(client.value("SELECT 1"), "1") << client.error_text();
  options.source.host = "no-such-host.invalid";
  start_in_front(options);
  Client another(anna());
  EXPECT_EQ(another.value("SELECT 1"), "1") << another.error_text();
  options.target = options.source;
  EXPECT_THROW(start_in_front(options), base::Failure);
}

}  // namespace
}  // namespace reseal::proxy

// SPDX-License-Identifier: Apache-2.0
#include "mysql/session.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <thread>

#include "base/failure.hpp"
#include "mysql/file_descriptor.hpp"
#include "wire/packet.hpp"
#include "wire/protocol.hpp"
#include "wire/server_handshake.hpp"

namespace reseal::mysql {
namespace {

std::string greeting() {
  wire::Greeting greeting;
  greeting.server_version = "9.7.4";
  greeting.nonce = "0123456789abcdefghij";
  greeting.capabilities = wire::capability::protocol_41 | wire::capability::plugin_auth |
                          wire::capability::secure_connection | wire::capability::ssl;
  greeting.auth_plugin = "caching_sha2_password";
  std::string bytes;
  std::uint8_t sequence = 0;
  wire::append_packets(bytes, wire::greeting_payload(greeting), sequence);
  return bytes;
}

// A server that goes away once its client has begun TLS, as one that is killed does.
TEST(SessionLogin, that_breaks_off_within_tls_is_worth_another_try) {
  for (const bool reset : {true, false}) {
    const FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(listener.number(), reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(listener.number(), 1), 0);
    ASSERT_EQ(::getsockname(listener.number(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    std::thread server([&] {
      const FileDescriptor client(::accept(listener.number(), nullptr, nullptr));
      const auto bytes = greeting();
      ::send(client.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      char request[36];
      ::recv(client.number(), request, sizeof request, MSG_WAITALL);
      const linger at_once{reset ? 1 : 0, 0};
      ::setsockopt(client.number(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    });
    Endpoint endpoint;
    endpoint.host = "127.0.0.1";
    endpoint.port = ntohs(address.sin_port);
    endpoint.user = "anna";
    try {
      const Session session(endpoint, Side::target);
      ADD_FAILURE() << "there is no server";
    } catch (const base::Failure& failure) {
      EXPECT_EQ(failure.kind(), base::FailureKind::transient) << failure.what();
    }
    server.join();
  }
}

}  // namespace
}  // namespace reseal::mysql

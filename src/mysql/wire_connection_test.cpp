// SPDX-License-Identifier: Apache-2.0
#include "mysql/wire_connection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "base/failure.hpp"
#include "mysql/fake_server_for_tests.hpp"

namespace reseal::mysql {
namespace {

using namespace std::chrono_literals;
using base::Failure;
using base::FailureKind;

constexpr auto timeout = 10s;
const std::string fast_login("\x01\x03");
const std::string full_login("\x01\x04");

template <typename Action>
Failure failure_of(const Action& action) {
  try {
    action();
  } catch (const Failure& failure) {
    return failure;
  }
  ADD_FAILURE() << "no failure came";
  return {FailureKind::local, ""};
}

Failure login_failure(const Endpoint& endpoint) {
  return failure_of([&] { WireConnection(endpoint, timeout); });
}

// The server's side of a login without TLS.
void let_in(FakePeer& peer) {
  peer.say(wire::greeting_message());
  peer.hear();
  peer.say(fast_login);
  peer.say(wire::ok_message());
}

// The server's side of a login over TLS, with the password itself; returns what the client sent for it.
std::string let_in_over_tls(FakePeer& peer, const KeyAndCertificate& identity, int newest = 0) {
  peer.say(wire::greeting_message());
  if (peer.hear().size() != 32 || !peer.accept_tls(identity, newest)) return {};
  peer.hear();
  peer.say(full_login);
  auto password = peer.hear();
  peer.say(wire::ok_message());
  return password;
}

class WireConnectionTls : public testing::Test {
 protected:
  // Logs in to a server with such a certificate; the failure's text, or what the server got as the password.
  std::string outcome(const std::string& host, TlsMode mode, const KeyAndCertificate& identity, int newest = 0) {
    std::promise<std::string> got;
    FakeServer server([&](FakePeer& peer) { got.set_value(let_in_over_tls(peer, identity, newest)); });
    auto endpoint = server.endpoint(mode);
    endpoint.host = host;
    endpoint.tls_ca = trusted_.path();
    try {
      const WireConnection connection(endpoint, timeout);
      EXPECT_TRUE(connection.encrypted() && connection.full_authentication());
    } catch (const Failure& failure) {
      EXPECT_EQ(got.get_future().get(), "") << "the password was given away";
      last_kind_ = failure.kind();
      return failure.what();
    }
    return got.get_future().get();
  }

  const std::string password_{"secret\0", 7};
  const KeyAndCertificate authority_ = make_certificate("authority", "");
  const CertificateFile trusted_{authority_};
  FailureKind last_kind_ = FailureKind::local;
};

TEST_F(WireConnectionTls, accepts_the_name_and_the_address_in_the_certificate) {
  const auto both = make_certificate("server", "DNS:localhost,IP:127.0.0.1", &authority_);
  EXPECT_EQ(outcome("127.0.0.1", TlsMode::verify_identity, both), password_);
  const auto name_only = make_certificate("server", "DNS:localhost", &authority_);
  EXPECT_EQ(outcome("localhost", TlsMode::verify_identity, name_only), password_);
  EXPECT_EQ(outcome("127.0.0.1", TlsMode::verify_ca, name_only), password_);
}

TEST_F(WireConnectionTls, refuses_another_name_and_a_name_for_an_address) {
  const auto other = make_certificate("server", "DNS:elsewhere.example", &authority_);
  EXPECT_THAT(outcome("127.0.0.1", TlsMode::verify_identity, other), testing::HasSubstr("IP address mismatch"));
  EXPECT_EQ(last_kind_, FailureKind::refused);
  EXPECT_THAT(outcome("localhost", TlsMode::verify_identity, other), testing::HasSubstr("hostname mismatch"));
  EXPECT_EQ(last_kind_, FailureKind::refused);
}

TEST_F(WireConnectionTls, refuses_a_stranger_who_names_itself_right) {
  const auto stranger = make_certificate("authority", "");
  const auto impostor = make_certificate("server", "DNS:localhost,IP:127.0.0.1", &stranger);
  for (const auto mode : {TlsMode::verify_ca, TlsMode::verify_identity}) {
    EXPECT_THAT(outcome("127.0.0.1", mode, impostor), testing::HasSubstr("not trusted"));
    EXPECT_EQ(last_kind_, FailureKind::refused);
  }
}

TEST_F(WireConnectionTls, required_encrypts_without_asking_who_is_there) {
  EXPECT_EQ(outcome("127.0.0.1", TlsMode::required, make_certificate("anyone", "")), password_);
}

TEST_F(WireConnectionTls, speaks_tls_1_2_but_nothing_older) {
  const auto identity = make_certificate("server", "IP:127.0.0.1", &authority_);
  EXPECT_EQ(outcome("127.0.0.1", TlsMode::verify_identity, identity, TLS1_2_VERSION), password_);
  EXPECT_NE(outcome("127.0.0.1", TlsMode::verify_identity, identity, TLS1_1_VERSION), password_);
}

TEST(WireConnection, bytes_ahead_of_tls_are_refused) {
  FakeServer server([](FakePeer& peer) {
    std::string both;
    std::uint8_t sequence = 0;
    wire::append_packets(both, wire::greeting_message(), sequence);
    sequence = 2;
    wire::append_packets(both, wire::ok_message(), sequence);
    peer.send(both);
    peer.hear();
  });
  const auto failure = login_failure(server.endpoint(TlsMode::required));
  EXPECT_EQ(failure.kind(), FailureKind::refused) << failure.what();
  EXPECT_THAT(failure.what(), testing::HasSubstr("ahead of TLS"));
}

TEST(WireConnection, a_server_that_strips_tls_gets_nothing) {
  std::promise<std::string> got;
  FakeServer server([&](FakePeer& peer) {
    peer.say(wire::greeting_message(wire::server_capabilities & ~wire::capability::ssl));
    got.set_value(peer.hear());
  });
  EXPECT_EQ(login_failure(server.endpoint(TlsMode::required)).kind(), FailureKind::refused);
  EXPECT_EQ(got.get_future().get(), "");
}

TEST(WireConnection, a_greeting_cut_off_anywhere_is_transient) {
  std::string whole;
  std::uint8_t sequence = 0;
  wire::append_packets(whole, wire::greeting_message(), sequence);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    FakeServer server([&](FakePeer& peer) { peer.send(std::string_view(whole).substr(0, size)); });
    const auto failure = login_failure(server.endpoint());
    EXPECT_EQ(failure.kind(), FailureKind::transient) << size;
  }
}

TEST(WireConnection, something_else_than_mysql_is_transient_and_says_so) {
  FakeServer server([](FakePeer& peer) { peer.send("HTTP/1.1 400 Bad Request\r\n\r\n"); });
  const auto failure = login_failure(server.endpoint());
  EXPECT_EQ(failure.kind(), FailureKind::transient);
  EXPECT_THAT(failure.what(), testing::HasSubstr("out of order"));
}

TEST(WireConnection, a_request_for_a_file_of_ours_is_not_answered) {
  std::promise<std::string> got;
  FakeServer server([&](FakePeer& peer) {
    let_in(peer);
    peer.hear_command();
    peer.say("\xFB/etc/passwd");
    got.set_value(peer.hear());
  });
  {
    WireConnection connection(server.endpoint(), timeout);
    EXPECT_EQ(failure_of([&] { connection.query("SELECT 1"); }).kind(), FailureKind::transient);
  }
  EXPECT_EQ(got.get_future().get(), "");
}

TEST(WireConnection, the_servers_text_cannot_forge_a_line) {
  FakeServer server([](FakePeer& peer) { peer.say(wire::error_message(1040, "Too many\nconnections")); });
  const auto failure = login_failure(server.endpoint());
  EXPECT_EQ(failure.kind(), FailureKind::transient);
  EXPECT_EQ(failure.server_errno(), 1040U);
  EXPECT_THAT(failure.what(), testing::Not(testing::HasSubstr("\n")));
}

TEST(WireConnection, a_server_that_says_nothing_is_given_up) {
  std::promise<void> over;
  FakeServer server([&](FakePeer&) { over.get_future().wait(); });
  const auto failure = failure_of([&] { WireConnection(server.endpoint(), 50ms); });
  over.set_value();
  EXPECT_EQ(failure.kind(), FailureKind::transient);
  EXPECT_THAT(failure.what(), testing::HasSubstr("nothing came"));
}

TEST(WireConnection, a_message_goes_on_after_a_stop_in_its_middle) {
  std::promise<void> promised;
  const auto gate = promised.get_future();
  FakeServer server([&](FakePeer& peer) {
    let_in(peer);
    peer.hear_command();
    peer.send(std::string("\x06\0\0\x01\0hel", 8));
    gate.wait();
    peer.send("lo");
    peer.hear();
  });
  auto go_on = std::move(promised);  // let go before the server is waited for, also when the test fails
  WireConnection connection(server.endpoint(), timeout);
  connection.start("?", wire::MessageShape::binlog_event);
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_FALSE(connection.next(timeout, stop.get_token()).has_value());
  go_on.set_value();
  EXPECT_EQ(connection.next(timeout, {})->payload, "hello");
}

}  // namespace
}  // namespace reseal::mysql

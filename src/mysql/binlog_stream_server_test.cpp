// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <functional>
#include <thread>

#include "base/byte_cursor.hpp"
#include "base/failure.hpp"
#include "mysql/binlog_stream.hpp"
#include "mysql/session.hpp"
#include "mysql/wire_connection.hpp"
#include "sandbox/test_server.hpp"
#include "wire/packet.hpp"

namespace reseal::mysql {
namespace {

using namespace std::chrono_literals;
using base::Failure;
using base::FailureKind;
using Event = std::shared_ptr<const std::string>;

// mysql::binlog::event::Log_event_type (libs/mysql/binlog/event/binlog_event.h)
enum EventType : std::uint8_t { rotate = 4, format_description = 15, heartbeat = 27, write_rows = 30, gtid = 33 };

std::uint8_t type_of(const std::string& event) { return static_cast<std::uint8_t>(event.at(4)); }

std::uint32_t length_of(const std::string& event) {
  base::ByteCursor cursor(event);
  cursor.skip(9);
  return cursor.u32();
}

BinlogStreamOptions quick_options(std::uint32_t server_id = 900'001) { return {server_id, 100ms, 10s}; }

void drop_heartbeats_and(std::vector<std::string>& seen, const std::string& event) {
  if (type_of(event) != heartbeat) seen.push_back(event);
}

// Everything up to the event that `last` accepts, heartbeats left out. Gives up after a hundred heartbeats: the
// server has nothing more to say then.
std::vector<std::string> read_to(BinlogStream& stream, const std::function<bool(const std::string&)>& last) {
  std::vector<std::string> seen;
  for (int heartbeats = 0; heartbeats < 100;) {
    const auto event = stream.next({});
    EXPECT_TRUE(event.has_value());
    EXPECT_EQ(length_of(**event), (*event)->size());
    drop_heartbeats_and(seen, **event);
    if (last(**event)) return seen;
    if (type_of(**event) == heartbeat) ++heartbeats;
  }
  ADD_FAILURE() << "the event never came";
  return seen;
}

auto holding(std::string_view text) {
  return [text](const std::string& event) { return event.find(text) != std::string::npos; };
}

auto of_type(EventType type) {
  return [type](const std::string& event) { return type_of(event) == type; };
}

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

class BinlogStreamServer : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    sandbox::ServerOptions options;
    options.own_certificates = true;
    options.extra = {"--max-allowed-packet=256M"};
    server_ = std::make_unique<sandbox::TestServer>(options);
    auto session = server_->connect(Side::source);
    session.execute("CREATE DATABASE stream");
    session.execute("CREATE TABLE stream.words (id INT PRIMARY KEY AUTO_INCREMENT, word LONGBLOB)");
  }
  static void TearDownTestSuite() { server_.reset(); }

  static Session connect() { return server_->connect(Side::source); }
  static const Endpoint& endpoint() { return server_->endpoint(); }
  static std::string certificate_authority() { return server_->data_folder() / "ca.pem"; }

  static void add_word(const std::string& word) {
    connect().execute("INSERT INTO stream.words (word) VALUES ('" + word + "')");
  }
  static sql::SourcePosition now() {
    const auto row = connect().query("SHOW BINARY LOG STATUS").at(0);
    return {{row.at(0).value(), std::stoull(row.at(1).value())}, sql::GtidSet::parse(row.at(4).value()).value()};
  }
  static Endpoint new_account(const std::string& name) {
    auto session = connect();
    session.execute("CREATE USER " + name + " IDENTIFIED WITH caching_sha2_password BY 'right'");
    session.execute("GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO " + name);
    auto account = endpoint();
    account.user = name;
    account.password = base::Secret("right");
    return account;
  }

  static std::unique_ptr<sandbox::TestServer> server_;
};

std::unique_ptr<sandbox::TestServer> BinlogStreamServer::server_;

TEST_F(BinlogStreamServer, starts_at_a_position) {
  add_word("before-the-position");
  const auto start = now();
  add_word("behind-the-position");
  BinlogStream stream(endpoint(), start, false, quick_options());
  const auto events = read_to(stream, holding("behind-the-position"));
  ASSERT_GE(events.size(), 5U);
  EXPECT_EQ(type_of(events[0]), rotate);
  EXPECT_EQ(type_of(events[1]), format_description);
  EXPECT_EQ(type_of(events[2]), gtid);
  EXPECT_EQ(type_of(events.back()), write_rows);
  for (const auto& event : events) EXPECT_FALSE(holding("before-the-position")(event));
}

TEST_F(BinlogStreamServer, starts_by_gtid_with_what_is_not_done_yet) {
  add_word("already-done");
  const auto start = now();
  connect().execute("FLUSH BINARY LOGS");
  add_word("not-done-yet");
  BinlogStream stream(endpoint(), start, true, quick_options());
  const auto events = read_to(stream, holding("not-done-yet"));
  for (const auto& event : events) EXPECT_FALSE(holding("already-done")(event));
}

TEST_F(BinlogStreamServer, follows_into_the_next_file_and_waits_there) {
  BinlogStream stream(endpoint(), now(), false, quick_options());
  read_to(stream, of_type(format_description));
  connect().execute("FLUSH BINARY LOGS");
  const auto events = read_to(stream, of_type(format_description));
  EXPECT_THAT(events.front().substr(0, 4), testing::Ne(std::string(4, '\0')));  // the real rotate has a time
  add_word("in-the-next-file");
  read_to(stream, holding("in-the-next-file"));
}

TEST_F(BinlogStreamServer, heartbeats_come_while_the_server_is_idle) {
  BinlogStream stream(endpoint(), now(), false, quick_options());
  read_to(stream, of_type(format_description));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(type_of(**stream.next({})), heartbeat);
}

TEST_F(BinlogStreamServer, shows_up_as_a_replica_with_a_name_of_its_own) {
  BinlogStream stream(endpoint(), now(), false, quick_options(900'002));
  read_to(stream, of_type(format_description));
  std::vector<std::string> ids;
  for (const auto& row : connect().query("SHOW REPLICAS")) {
    ids.push_back(row.at(0).value());
    EXPECT_EQ(row.at(4).value().size(), 36U);
  }
  EXPECT_THAT(ids, testing::Contains("900002"));
}

TEST_F(BinlogStreamServer, two_streams_live_side_by_side) {
  BinlogStream first(endpoint(), now(), false, quick_options(900'003));
  BinlogStream second(endpoint(), now(), false, quick_options(900'004));
  read_to(first, of_type(format_description));
  read_to(second, of_type(format_description));
  add_word("seen-by-both");
  read_to(first, holding("seen-by-both"));
  read_to(second, holding("seen-by-both"));
}

TEST_F(BinlogStreamServer, a_huge_event_comes_whole_in_one_buffer_of_its_size) {
  BinlogStream stream(endpoint(), now(), false, quick_options());
  connect().execute("INSERT INTO stream.words (word) VALUES (REPEAT('x', 40 * 1024 * 1024))");
  const auto is_huge = [](const std::string& event) { return event.size() > (40U << 20); };
  Event huge;
  for (int i = 0; i < 100 && huge == nullptr; ++i)
    if (const auto event = stream.next({}); is_huge(**event)) huge = *event;
  ASSERT_NE(huge, nullptr);
  EXPECT_EQ(length_of(*huge), huge->size());
  EXPECT_LT(huge->capacity(), huge->size() + (1U << 20));
  EXPECT_NE(huge->find(std::string(40U << 20, 'x')), std::string::npos);
  add_word("after-the-huge-one");
  read_to(stream, holding("after-the-huge-one"));
}

TEST_F(BinlogStreamServer, events_that_just_fill_a_packet_come_whole) {
  BinlogStream stream(endpoint(), now(), false, quick_options());
  const auto insert = [](std::size_t size) {
    connect().execute("INSERT INTO stream.words (word) VALUES (REPEAT('y', " + std::to_string(size) + "))");
  };
  insert(1000);
  const auto overhead = read_to(stream, of_type(write_rows)).back().size() - 1000;
  for (const std::size_t message : {wire::max_packet_payload - 1, wire::max_packet_payload,
                                    wire::max_packet_payload + 1, 2 * wire::max_packet_payload}) {
    insert(message - 1 - overhead);  // the status byte belongs to the message
    EXPECT_EQ(read_to(stream, of_type(write_rows)).back().size(), message - 1);
  }
}

TEST_F(BinlogStreamServer, a_purged_start_is_the_sources_failure) {
  const auto start = now();
  connect().execute("FLUSH BINARY LOGS");
  connect().execute("PURGE BINARY LOGS TO '" + now().binlog.file + "'");
  for (const bool by_gtid : {false, true}) {
    BinlogStream stream(endpoint(), {start.binlog, {}}, by_gtid, quick_options());
    const auto failure = failure_of([&] {
      while (stream.next({})) continue;
    });
    EXPECT_EQ(failure.kind(), FailureKind::source) << failure.what();
    EXPECT_EQ(failure.server_errno(), 1236U) << failure.what();
  }
}

TEST_F(BinlogStreamServer, an_offset_the_protocol_cannot_say_gives_the_same_events_as_one_it_can) {
  for (const auto* checksum : {"CRC32", "NONE"}) {
    connect().execute(std::string("SET GLOBAL binlog_checksum = ") + checksum);
    add_word("before-the-offset");
    const auto start = now();
    add_word("behind-the-offset");
    auto options = quick_options();
    BinlogStream straight(endpoint(), start, false, options);
    const auto expected = read_to(straight, holding("behind-the-offset"));
    options.largest_offset = start.binlog.offset - 1;
    BinlogStream forwarded(endpoint(), start, false, options);
    EXPECT_EQ(read_to(forwarded, holding("behind-the-offset")), expected);
  }
  connect().execute("SET GLOBAL binlog_checksum = CRC32");
}

TEST_F(BinlogStreamServer, an_offset_between_events_is_the_sources_failure) {
  add_word("some-event");
  auto start = now();
  start.binlog.offset -= 1;
  auto options = quick_options();
  options.largest_offset = 0;
  BinlogStream stream(endpoint(), start, false, options);
  const auto failure = failure_of([&] {
    while (stream.next({})) continue;
  });
  EXPECT_EQ(failure.kind(), FailureKind::source) << failure.what();
}

TEST_F(BinlogStreamServer, a_stop_ends_a_blocked_read_and_nothing_is_lost) {
  BinlogStream stream(endpoint(), now(), false, {900'005, 60s, 120s});
  EXPECT_EQ(type_of(**stream.next({})), rotate);
  EXPECT_EQ(type_of(**stream.next({})), format_description);
  std::stop_source stop;
  const std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_FALSE(stream.next(stop.get_token()).has_value());
  EXPECT_FALSE(stream.next(stop.get_token()).has_value());
  add_word("after-the-stop");
  read_to(stream, holding("after-the-stop"));
}

TEST_F(BinlogStreamServer, a_killed_dump_thread_is_transient) {
  BinlogStream stream(endpoint(), now(), false, quick_options());
  read_to(stream, of_type(format_description));
  auto session = connect();
  const auto thread =
      session.scalar("SELECT MAX(ID) FROM performance_schema.processlist WHERE COMMAND = 'Binlog Dump'");
  session.execute("KILL " + thread.value());
  const auto failure = failure_of([&] {
    while (stream.next({})) continue;
  });
  EXPECT_EQ(failure.kind(), FailureKind::transient) << failure.what();
}

TEST_F(BinlogStreamServer, a_silent_server_is_transient) {
  BinlogStream stream(endpoint(), now(), false, {900'006, 100ms, 1s});
  read_to(stream, of_type(heartbeat));
  ::kill(server_->pid(), SIGSTOP);
  const auto failure = failure_of([&] {
    while (stream.next({})) continue;
  });
  ::kill(server_->pid(), SIGCONT);
  EXPECT_EQ(failure.kind(), FailureKind::transient);
  EXPECT_THAT(failure.what(), testing::HasSubstr("nothing came"));
}

TEST_F(BinlogStreamServer, a_crashed_server_is_transient_and_the_stream_can_be_taken_up_again) {
  add_word("before-the-crash");
  const auto start = now();
  BinlogStream stream(endpoint(), start, true, quick_options());
  read_to(stream, of_type(format_description));
  server_->kill_hard();
  const auto failure = failure_of([&] {
    while (stream.next({})) continue;
  });
  EXPECT_EQ(failure.kind(), FailureKind::transient) << failure.what();
  const auto refused = failure_of([&] { BinlogStream(endpoint(), start, true, quick_options()); });
  EXPECT_EQ(refused.kind(), FailureKind::transient) << refused.what();
  server_->start_again();
  add_word("after-the-crash");
  BinlogStream again(endpoint(), start, true, quick_options());
  read_to(again, holding("after-the-crash"));
}

TEST_F(BinlogStreamServer, the_first_login_gives_the_password_and_the_second_does_not) {
  const auto account = new_account("twice");
  EXPECT_TRUE(WireConnection(account, 10s).full_authentication());
  EXPECT_FALSE(WireConnection(account, 10s).full_authentication());
}

TEST_F(BinlogStreamServer, without_tls_the_password_is_never_given) {
  auto account = new_account("plain");
  account.tls = TlsMode::disabled;
  const auto failure = failure_of([&] { WireConnection(account, 10s); });
  EXPECT_EQ(failure.kind(), FailureKind::refused);
  account.tls = TlsMode::required;
  const WireConnection remembered(account, 10s);
  account.tls = TlsMode::disabled;
  EXPECT_FALSE(WireConnection(account, 10s).encrypted());
}

TEST_F(BinlogStreamServer, logs_in_through_a_unix_socket) {
  auto account = new_account("near");
  account.socket = server_->socket();
  for (const auto tls : {TlsMode::disabled, TlsMode::required}) {
    account.tls = tls;
    WireConnection connection(account, 10s);
    EXPECT_EQ(connection.encrypted(), tls == TlsMode::required);
    EXPECT_EQ(connection.full_authentication(), tls == TlsMode::disabled);
    EXPECT_EQ(connection.query("SELECT 1, NULL"), (WireConnection::Rows{{"1", std::nullopt}}));
  }
}

TEST_F(BinlogStreamServer, a_wrong_password_is_the_sources_failure_and_is_not_told) {
  auto account = new_account("wrong");
  account.password = base::Secret("canary-of-a-password");
  const auto failure = failure_of([&] { BinlogStream(account, now(), true, quick_options()); });
  EXPECT_EQ(failure.kind(), FailureKind::source);
  EXPECT_EQ(failure.server_errno(), 1045U);
  EXPECT_THAT(failure.what(), testing::Not(testing::HasSubstr("canary")));
}

TEST_F(BinlogStreamServer, an_account_that_may_not_replicate_is_the_sources_failure) {
  const auto account = new_account("nobody");
  connect().execute("REVOKE REPLICATION SLAVE ON *.* FROM nobody");
  const auto failure = failure_of([&] { BinlogStream(account, now(), true, quick_options()); });
  EXPECT_EQ(failure.kind(), FailureKind::source) << failure.what();
  EXPECT_EQ(failure.server_errno(), 1045U) << failure.what();
}

TEST_F(BinlogStreamServer, verify_ca_trusts_the_servers_authority_only) {
  auto account = endpoint();
  account.tls = TlsMode::verify_ca;
  account.tls_ca = certificate_authority();
  BinlogStream stream(account, now(), true, quick_options());
  read_to(stream, of_type(format_description));

  account.tls_ca = "";  // the machine's trust store does not know this server
  EXPECT_EQ(failure_of([&] { WireConnection(account, 10s); }).kind(), FailureKind::refused);
  account.tls_ca = "/no/such/file";
  EXPECT_EQ(failure_of([&] { WireConnection(account, 10s); }).kind(), FailureKind::usage);

  const sandbox::TestServer other({.own_certificates = true});
  account.tls_ca = other.data_folder() / "ca.pem";
  const auto failure = failure_of([&] { WireConnection(account, 10s); });
  EXPECT_EQ(failure.kind(), FailureKind::refused);
  EXPECT_THAT(failure.what(), testing::HasSubstr("not trusted"));
}

TEST_F(BinlogStreamServer, verify_identity_refuses_a_certificate_for_another_name) {
  auto account = endpoint();
  account.tls = TlsMode::verify_identity;
  account.tls_ca = certificate_authority();
  const auto failure = failure_of([&] { WireConnection(account, 10s); });
  EXPECT_EQ(failure.kind(), FailureKind::refused);
  EXPECT_THAT(failure.what(), testing::HasSubstr("mismatch"));
}

TEST(BinlogStreamWithoutTls, a_server_without_tls_is_refused_unless_that_is_asked_for) {
  sandbox::TestServer server;
  server.stop();
  server.options().extra = {"--tls-version="};
  server.start_again();
  auto account = server.endpoint();
  const auto failure = failure_of([&] { WireConnection(account, 10s); });
  EXPECT_EQ(failure.kind(), FailureKind::refused);
  EXPECT_THAT(failure.what(), testing::HasSubstr("did not offer TLS"));
}

TEST(BinlogStreamWithoutServer, nobody_at_the_port_is_transient) {
  Endpoint nowhere;
  nowhere.port = 1;
  EXPECT_EQ(failure_of([&] { WireConnection(nowhere, 10s); }).kind(), FailureKind::transient);
}

}  // namespace
}  // namespace reseal::mysql

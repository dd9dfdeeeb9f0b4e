// SPDX-License-Identifier: Apache-2.0
#include <atomic>

#include "proxy/proxy_fixture_for_tests.hpp"

namespace reseal::proxy {
namespace {

using ProxyHold = ProxyServer;

TEST_F(ProxyHold, drains_at_the_end_of_transactions) {
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

TEST_F(ProxyHold, holds_sessions_between_transactions_and_lets_them_go_on) {
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

TEST_F(ProxyHold, an_error_does_not_hide_an_open_transaction_from_a_hold) {
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

TEST_F(ProxyHold, when_a_lease_ends_the_decision_is_asked_and_not_guessed) {
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

TEST_F(ProxyHold, drains_although_a_command_waits) {
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

}  // namespace
}  // namespace reseal::proxy

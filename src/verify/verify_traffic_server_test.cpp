// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "verify/verify_fixture_for_tests.hpp"

namespace reseal::verify {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Updates rows on the source and, later, on the target in the same order: traffic and a follow that is behind.
class DelayedFollow final {
 public:
  DelayedFollow(mysql::Session source, mysql::Session target, std::chrono::milliseconds delay)
      : source_(std::move(source)), target_(std::move(target)), delay_(delay) {
    writer_ = std::jthread([this](std::stop_token stop) { write(stop); });
    applier_ = std::jthread([this](std::stop_token stop) { apply(stop); });
  }
  ~DelayedFollow() { finish(); }
  void finish() {
    writer_.request_stop();
    if (writer_.joinable()) writer_.join();
    wait({});
    applier_.request_stop();
    if (applier_.joinable()) applier_.join();
  }
  /// Blocks until everything that was written before the call is applied.
  void wait(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    const auto goal = written_;
    changed_.wait(lock, stop, [&] { return applied_ >= goal; });
  }

 private:
  using Clock = std::chrono::steady_clock;
  void write(std::stop_token stop) {
    for (std::uint64_t i = 0; !stop.stop_requested(); ++i) {
      const auto id = std::to_string(i % 7 == 0 ? 1 : i * 7919 % 20000 + 1);
      auto statement = i % 10 == 3   ? "DELETE FROM shop.items WHERE id=" + id
                       : i % 10 == 4 ? "REPLACE INTO shop.items VALUES (" + id + "," + std::to_string(i) + ")"
                                     : "UPDATE shop.items SET n=n+1 WHERE id=" + id;
      if (id == "1") statement = "UPDATE shop.items SET n=n+1 WHERE id=1";
      // Counted first: what wait() promises holds for every statement that the source may already show.
      {
        const std::lock_guard lock(mutex_);
        ++written_;
      }
      source_.execute(statement);
      const std::lock_guard lock(mutex_);
      queue_.emplace_back(Clock::now() + delay_, std::move(statement));
      changed_.notify_all();
    }
  }
  void apply(std::stop_token stop) {
    while (true) {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [&] { return !queue_.empty(); })) return;
      const auto [due, statement] = queue_.front();
      if (Clock::now() < due) {
        changed_.wait_until(lock, stop, due, [] { return false; });
        continue;
      }
      queue_.pop_front();
      lock.unlock();
      target_.execute(statement);
      lock.lock();
      ++applied_;
      changed_.notify_all();
    }
  }

  mysql::Session source_;
  mysql::Session target_;
  std::chrono::milliseconds delay_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::pair<Clock::time_point, std::string>> queue_;
  std::uint64_t written_ = 0;
  std::uint64_t applied_ = 0;
  std::jthread writer_;
  std::jthread applier_;
};

class VerifyServerUnderTraffic : public VerifyServer {
 protected:
  void SetUp() override {
    VerifyServer::SetUp();
    on_both("CREATE TABLE items (id INT PRIMARY KEY, n INT)");
    on_both(
        "INSERT INTO items WITH RECURSIVE k AS (SELECT 1 i UNION ALL SELECT i+1 FROM k WHERE i<20000)"
        " SELECT i, i FROM k");
    on_both("CREATE TABLE still (a INT)");
    on_both("INSERT INTO still VALUES (1),(1),(2)");
    tables_ = tables();
    follow_ = std::make_unique<DelayedFollow>(source_server_->connect(Side::source),
                                              target_server_->connect(Side::target), std::chrono::milliseconds(50));
  }
  VerifyReport live(Options options = {}) {
    options.rows_per_chunk = 500;
    return verifier(options).compare(tables_, [this](std::stop_token stop) { follow_->wait(stop); }, {});
  }
  std::vector<sql::Table> tables_;
  std::unique_ptr<DelayedFollow> follow_;
};

TEST_F(VerifyServerUnderTraffic, rows_on_their_way_are_no_difference) {
  std::uint64_t suspects = 0;
  for (int pass = 0; pass < 3 || (suspects == 0 && pass < 50); ++pass) {
    const auto report = live();
    suspects += report.suspects;
    EXPECT_THAT(named(report.differences), IsEmpty());
    EXPECT_THAT(report.different_tables, IsEmpty());
  }
  EXPECT_GT(suspects, 0U) << "the traffic never met the comparison";
  follow_->finish();
  EXPECT_TRUE(quiet().equal());
}

TEST_F(VerifyServerUnderTraffic, a_planted_difference_is_found_among_the_traffic) {
  // Beyond the ids that the traffic touches, so that it stays.
  source_.execute("INSERT INTO items VALUES (30001, 1), (30002, 1)");
  target_.execute("INSERT INTO items VALUES (30001, 2), (30002, 1)");
  target_.execute("UPDATE still SET a=3 WHERE a=2");
  Options options;
  options.max_suspects = 20;  // several batches, some by the workers while others read
  const auto report = live(options);
  EXPECT_THAT(named(report.differences), ElementsAre("items differs", "still only_on_source", "still only_on_target"));
  EXPECT_EQ(report.differences[0].key_text, source_.scalar("SELECT SHA2(30001,256)").value());
  EXPECT_FALSE(report.equal());
}

}  // namespace
}  // namespace reseal::verify

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <thread>

#include "platform/rds_copy.hpp"
#include "platform/sandbox_for_tests.hpp"
#include "rds/waiting.hpp"

namespace reseal::platform {

using base::Failure;
using base::FailureKind;

/// Writes rows and JSON into a database until it goes.
class Writer {
 public:
  explicit Writer(mysql::Session session)
      : session_(std::move(session)), thread_([this](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            session_.execute("INSERT INTO shop.orders (note, facts) VALUES (UUID(), JSON_OBJECT('at', NOW(6), 'n', " +
                             std::to_string(written_) + ", 'price', CAST(1.10 AS DECIMAL(5,2))))");
            session_.execute("UPDATE shop.orders SET facts = JSON_SET(facts, '$.seen', TRUE) WHERE id % 7 = 0 LIMIT 3");
            ++written_;
            written_.notify_all();
          }
        }) {}

  /// Until so many more are written.
  void wait_for_more(int rows) const {
    for (const int enough = written_ + rows; written_ < enough;) written_.wait(written_);
  }

 private:
  std::atomic<int> written_ = 0;
  mysql::Session session_;
  std::jthread thread_;
};

class RdsCopyFixture : public testing::Test {
 protected:
  static void start() {
    sandbox = std::make_unique<SandboxForTests>();
    session = sandbox->session();
  }
  static void TearDownTestSuite() {
    session.reset();
    sandbox.reset();
  }

  /// A table with JSON in it, and an account for replication.
  static void fill(const std::string& name) {
    auto admin = master(name);
    admin.execute("CREATE DATABASE shop");
    admin.execute("CREATE TABLE shop.orders (id INT PRIMARY KEY AUTO_INCREMENT, note VARCHAR(40), facts JSON)");
    admin.execute("CREATE USER repl@'%' IDENTIFIED BY 'replpw-12'");
    admin.execute("GRANT REPLICATION CLIENT, REPLICATION SLAVE ON *.* TO repl@'%'");
  }
  static rds::DbInstance instance(const std::string& name) {
    rds::RdsClient client(session->rds(), {});
    auto found = value_or_fail(client.describe_instance(name), "describe");
    if (!found) throw Failure(FailureKind::source, "no instance " + name);
    return *found;
  }
  static mysql::Session master(const std::string& name) {
    rds::RdsClient client(session->rds(), {});
    rds::wait_until(name,
                    [&] { return rds::judge_available(value_or_fail(client.describe_instance(name), "describe")); },
                    quick_wait(), client.clock(), {});
    const auto found = instance(name);
    return sandbox->open(found.address, static_cast<std::uint16_t>(found.port));
  }
  static rds::WaitOptions quick_wait() { return {std::chrono::milliseconds(100), std::chrono::minutes(10), 1, {}}; }

  CopyReport run(const CopyRequest& request, std::function<void(CopyStep)> done = {}, std::stop_token stop = {}) {
    CopyOptions options;
    options.poll = std::chrono::milliseconds(100);
    options.settle = std::chrono::milliseconds(300);
    options.stable_looks = 2;
    options.longest_instance_wait = options.longest_snapshot_wait = std::chrono::minutes(10);
    options.done = std::move(done);
    const auto open = [](const std::string& host, std::uint16_t port, mysql::Side side) {
      return sandbox->open(host, port, side);
    };
    const CopyNotes kept = {[this](const std::string& name) {
                              const auto found = notes.find(name);
                              return found == notes.end() ? std::nullopt : std::optional(found->second);
                            },
                            [this](const std::string& name, const std::string& value) { notes[name] = value; }};
    return RdsCopy(request, options, *session, open, kept, sandbox->log, stop).run();
  }
  std::string refusal(const CopyRequest& request) {
    try {
      run(request);
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.kind(), FailureKind::refused) << failure.what();
      return failure.what();
    }
    return "was not refused";
  }

  /// Replication by hand from the noted place; waits until `target` has what `source` has logged by now.
  static void follow(const std::string& source_name, const CopyReport& report) {
    const auto source = instance(source_name);
    auto target = sandbox->open(report.host, report.port, mysql::Side::target);
    target.call("CALL mysql.rds_set_external_source('" + source.address + "', " + std::to_string(source.port) +
                ", 'repl', 'replpw-12', '" + report.position.binlog.file + "', " +
                std::to_string(report.position.binlog.offset) + ", 1)");
    target.call("CALL mysql.rds_start_replication");
  }
  static void expect_caught_up(const std::string& source_name, const CopyReport& report) {
    auto source = master(source_name);
    auto target = sandbox->open(report.host, report.port, mysql::Side::target);
    const auto end = mysql::binlog_end(source, mysql::server_facts(source)).binlog;
    EXPECT_NE(target.scalar("SELECT CAST(SOURCE_POS_WAIT('" + end.file + "', " + std::to_string(end.offset) +
                            ", 100) AS CHAR)"),
              std::nullopt);
    const auto sum = [](mysql::Session& of) { return of.query("CHECKSUM TABLE shop.orders").at(0).at(1); };
    EXPECT_EQ(sum(source), sum(target));
    const auto types =
        "SELECT GROUP_CONCAT(DISTINCT JSON_TYPE(facts->'$.at'), JSON_TYPE(facts->'$.price')) FROM shop.orders";
    EXPECT_EQ(source.scalar(types), target.scalar(types));
  }

  inline static std::unique_ptr<SandboxForTests> sandbox;
  inline static std::unique_ptr<rds::Session> session;
  std::map<std::string, std::string> notes;
};

}  // namespace reseal::platform

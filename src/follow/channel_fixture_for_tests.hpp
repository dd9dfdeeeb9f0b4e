// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/failure.hpp"
#include "follow/channel_account.hpp"
#include "follow/native_channel.hpp"
#include "mysql/schema_reader.hpp"
#include "sandbox/test_server.hpp"

namespace reseal::follow {

using base::Failure;
using base::FailureKind;
using mysql::Side;

/// A source and a target, by GTID or by file and position. Each test begins with app.t and the same ten rows on both,
/// and with no channel; `start_` is the place in the source's log that fits them.
class ChannelServers : public ::testing::TestWithParam<bool> {
 protected:
  struct Pair {
    explicit Pair(bool gtid) : source(options(gtid)), target(options(gtid)) {}
    static sandbox::ServerOptions options(bool gtid) {
      sandbox::ServerOptions options;
      options.gtid = gtid;
      options.buffer_pool_mib = 32;
      return options;
    }
    sandbox::TestServer source;
    sandbox::TestServer target;
  };

  static Pair& pair(bool gtid) {
    static std::map<bool, std::unique_ptr<Pair>> pairs;
    auto& made = pairs[gtid];
    if (!made) made = std::make_unique<Pair>(gtid);
    return *made;
  }

  bool by_gtid() const { return GetParam(); }
  sandbox::TestServer& source_server() { return pair(by_gtid()).source; }
  sandbox::TestServer& target_server() { return pair(by_gtid()).target; }

  void SetUp() override {
    NativeChannel(target_server().endpoint()).remove();
    on_source("DROP DATABASE IF EXISTS app");
    on_target("DROP DATABASE IF EXISTS app");
    on_target("DROP USER IF EXISTS reseal_follow");
    for (const auto* statement :
         {"CREATE DATABASE app", "CREATE TABLE app.t (id INT PRIMARY KEY, v VARCHAR(100))",
          "INSERT INTO app.t VALUES "
          "(1,'1'),(2,'2'),(3,'3'),(4,'4'),(5,'5'),(6,'6'),(7,'7'),(8,'8'),(9,'9'),(10,'10')"}) {
      on_source(statement);
      on_target(statement);
    }
    auto source = source_server().connect(Side::source);
    from_.host = "127.0.0.1";
    from_.port = source_server().port();
    from_.by_gtid = by_gtid();
    from_.password = make_follow_account(source);
    start_ = end_of_source();
    if (by_gtid()) {
      on_target("RESET BINARY LOGS AND GTIDS");
      on_target("SET GLOBAL gtid_purged='" + start_.gtids.text() + "'");
    }
  }

  void TearDown() override {
    NativeChannel(target_server().endpoint()).remove();
    auto source = source_server().connect(Side::source);
    drop_follow_account(source);
  }

  void on_source(const std::string& statement) { source_server().connect(Side::source).execute(statement); }
  void on_target(const std::string& statement) {
    auto session = target_server().connect(Side::target);
    mysql::without_binlog(session);
    session.execute(statement);
  }

  sql::SourcePosition end_of_source() {
    auto session = source_server().connect(Side::source);
    auto end = mysql::binlog_end(session, mysql::server_facts(session));
    if (by_gtid()) end.gtids = mysql::gtid_executed(session);
    return end;
  }

  std::vector<mysql::Row> rows(sandbox::TestServer& server) {
    return server.connect(Side::target).query("SELECT id, v FROM app.t ORDER BY id");
  }
  void expect_same_rows() {
    const auto on_source = rows(source_server());
    EXPECT_FALSE(on_source.empty());
    EXPECT_EQ(on_source, rows(target_server()));
  }

  ChannelSource from_;
  sql::SourcePosition start_;
};

/// The failure that `work` ends with; its text must hold none of `secrets`.
template <typename Work>
Failure failure_of(const Work& work, const std::vector<std::string>& secrets = {}) {
  try {
    work();
  } catch (const Failure& failure) {
    for (const auto& secret : secrets)
      EXPECT_EQ(std::string(failure.what()).find(secret), std::string::npos) << failure.what();
    return failure;
  }
  ADD_FAILURE() << "nothing failed";
  return {FailureKind::local, ""};
}

inline std::string gtid_or_place(const ::testing::TestParamInfo<bool>& info) {
  return info.param ? "by_gtid" : "by_place";
}

}  // namespace reseal::follow

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/failure.hpp"
#include "fence/source_fence.hpp"
#include "run/run.hpp"
#include "run/switch_over.hpp"
#include "sandbox/test_server.hpp"

namespace reseal::run {

using base::Failure;
using base::FailureKind;
using sandbox::ServerOptions;
using sandbox::TestServer;

/// One source per setting and one target for all; each test has a state folder and leaves both servers empty.
class Moves : public ::testing::Test {
 protected:
  static TestServer& target_server() {
    static TestServer server(ServerOptions::encrypted_target());
    return server;
  }
  static TestServer& source_server() {
    static TestServer server(ServerOptions::plain_source());
    return server;
  }

  void begin(TestServer& source, const std::string& schema_statements) {
    server_ = &source;
    source_.emplace(source.endpoint(), mysql::Side::source);
    sql("CREATE DATABASE app");
    sql("USE app");
    for (const auto& statement : split(schema_statements)) sql(statement);
    state_ = std::filesystem::temp_directory_path() / ("reseal-run-test-" + std::to_string(::getpid()));
  }

  void TearDown() override { finish(); }

  /// Leaves both servers empty; a test with a source of its own calls it before that one goes.
  void finish() {
    if (!source_) return;
    run_.reset();
    fence::SourceFence(*source_).lower();
    mysql::Session target(target_server().endpoint(), mysql::Side::target);
    fence::open_standby(target);
    for (const auto* drop : {"DROP DATABASE IF EXISTS app", "DROP DATABASE IF EXISTS reseal"}) {
      sql(drop);
      target.execute(drop);
    }
    std::filesystem::remove_all(state_);
    source_.reset();
  }

  static std::vector<std::string> split(const std::string& statements) {
    std::vector<std::string> out;
    std::size_t from = 0;
    for (auto at = statements.find(";\n"); at != std::string::npos; from = at + 2, at = statements.find(";\n", from))
      out.push_back(statements.substr(from, at - from));
    return out;
  }

  void sql(const std::string& statement) { source_->execute(statement); }

  RunOptions options() const {
    RunOptions options;
    options.source = server_->endpoint();
    options.target = target_server().endpoint();
    options.state_folder = state_;
    options.bytes_per_chunk = 1 << 16;
    return options;
  }
  run::Run& open() { return open(options()); }
  run::Run& open(RunOptions options) {
    run_.emplace(std::move(options), log_);
    return *run_;
  }

  /// The same query on both servers.
  void expect_same(const std::string& query) {
    mysql::Session target(target_server().endpoint(), mysql::Side::target);
    target.execute("USE app");
    const auto on_source = source_->query(query);
    EXPECT_FALSE(on_source.empty()) << query;
    EXPECT_EQ(on_source, target.query(query)) << query;
  }

  TestServer* server_ = nullptr;
  std::optional<mysql::Session> source_;
  std::filesystem::path state_;
  base::Log log_{base::Log::Level::quiet};
  std::optional<run::Run> run_;
};

}  // namespace reseal::run

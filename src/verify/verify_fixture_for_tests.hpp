// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "base/failure.hpp"
#include "mysql/schema_reader.hpp"
#include "sandbox/test_server.hpp"
#include "verify/verifier.hpp"

namespace reseal::verify {

using mysql::Side;

/// "items only_on_source": a difference as the tests name it.
inline std::string named(const Difference& difference) {
  const char* kinds[] = {"only_on_source", "only_on_target", "differs"};
  return difference.table.name + " " + kinds[static_cast<int>(difference.kind)];
}

inline std::vector<std::string> named(const std::vector<Difference>& differences) {
  std::vector<std::string> names;
  for (const auto& difference : differences) names.push_back(named(difference));
  return names;
}

/// Two servers for all tests of a program; every test begins with an empty schema `shop` on both.
class VerifyServer : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    source_server_ = std::make_unique<sandbox::TestServer>(sandbox::ServerOptions::plain_source());
    target_server_ = std::make_unique<sandbox::TestServer>(sandbox::ServerOptions::plain_source());
  }
  static void TearDownTestSuite() {
    source_server_.reset();
    target_server_.reset();
  }

  void SetUp() override {
    for (auto* session : {&source_, &target_}) {
      session->execute("DROP DATABASE IF EXISTS shop");
      session->execute("CREATE DATABASE shop");
      session->execute("USE shop");
      session->execute("SET SESSION sql_mode='', cte_max_recursion_depth=1000000");
    }
  }

  void on_both(const std::string& statement) {
    source_.execute(statement);
    target_.execute(statement);
  }
  std::vector<sql::Table> tables() { return mysql::read_tables(source_, {"shop"}); }
  sql::Table table(const std::string& name) {
    for (auto& one : tables())
      if (one.name.name == name) return one;
    throw base::Failure(base::FailureKind::usage, "no table " + name);
  }
  static Verifier verifier(const Options& options = {}) {
    return Verifier([] { return source_server_->connect(Side::source); },
                    [] { return target_server_->connect(Side::target); }, options);
  }
  VerifyReport quiet(const Options& options = {}) { return verifier(options).compare(tables(), {}, {}); }
  std::vector<std::string> found(const Options& options = {}) { return named(quiet(options).differences); }

  static inline std::unique_ptr<sandbox::TestServer> source_server_;
  static inline std::unique_ptr<sandbox::TestServer> target_server_;
  mysql::Session source_ = source_server_->connect(Side::source);
  mysql::Session target_ = target_server_->connect(Side::target);
};

}  // namespace reseal::verify

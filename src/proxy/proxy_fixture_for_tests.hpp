// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "proxy/proxy_client_for_tests.hpp"

// Real servers, and a proxy in front of them for each test.
namespace reseal::proxy {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

template <typename Condition>
bool soon(const Condition& condition) {
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

/// A proxy for each test, with a certificate that serves a suite.
class ProxyTest : public testing::Test {
 protected:
  /// In front of the servers that `options` name.
  void start_in_front(ProxyOptions options) {
    options.listen = {"127.0.0.1:0"};
    options.tls_certificate = certificate->certificate();
    options.tls_key = certificate->key();
    proxy = std::make_unique<Proxy>(options, log);
  }

  ClientOptions as(const std::string& user, const std::string& password, bool tls = true) const {
    ClientOptions options;
    options.user = user;
    options.password = password;
    options.port = proxy->port();
    options.tls = tls;
    return options;
  }
  ClientOptions anna(bool tls = true) const { return as("anna", "secret", tls); }

  static inline std::unique_ptr<ServerCertificate> certificate;
  base::Log log{base::Log::Level::quiet};
  std::unique_ptr<Proxy> proxy;
};

/// One server.
class ProxyServer : public ProxyTest {
 protected:
  static void SetUpTestSuite() {
    sandbox::ServerOptions options;
    options.local_infile = true;
    options.extra = {"--max-allowed-packet=64M"};
    server = std::make_unique<sandbox::TestServer>(options);
    certificate = std::make_unique<ServerCertificate>();
    auto session = server->connect(mysql::Side::source);
    session.execute("CREATE DATABASE shop");
    session.execute("CREATE TABLE shop.numbers (n INT PRIMARY KEY, t TEXT)");
    session.execute("INSERT INTO shop.numbers VALUES (1,'one'),(2,'two'),(3,'three'),(4,NULL),(5,'five')");
    session.execute("CREATE PROCEDURE shop.two_results() BEGIN SELECT 1; SELECT 2; END");
    session.execute("CREATE USER anna IDENTIFIED BY 'secret', bert IDENTIFIED BY 'other', nopass IDENTIFIED BY ''");
    session.execute("CREATE USER only_tls IDENTIFIED BY 'secret' REQUIRE SSL");
    session.execute("CREATE USER with_certificate IDENTIFIED BY 'secret' REQUIRE X509");
    session.execute("GRANT ALL ON shop.* TO anna, bert, nopass, only_tls, with_certificate");
  }
  static void TearDownTestSuite() {
    server.reset();
    certificate.reset();
  }

  void start(ProxyOptions options = {}) {
    options.source = server->endpoint();
    start_in_front(std::move(options));
  }

  // Makes the server forget that it knows this password's hash: the next login is a full one.
  static void forget_passwords() { server->connect(mysql::Side::source).execute("FLUSH PRIVILEGES"); }

  static inline std::unique_ptr<sandbox::TestServer> server;
};

}  // namespace reseal::proxy

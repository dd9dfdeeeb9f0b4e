// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "proxy/proxy_fixture_for_tests.hpp"

namespace reseal::proxy {

/// Two servers that differ in one row, which says where a session is.
class ProxyMove : public ProxyTest {
 protected:
  static void SetUpTestSuite() {
    source = std::make_unique<sandbox::TestServer>();
    target = std::make_unique<sandbox::TestServer>();
    certificate = std::make_unique<ServerCertificate>();
    for (const auto* server : {source.get(), target.get()}) {
      auto session = server->connect(mysql::Side::source);
      session.execute("CREATE DATABASE shop");
      session.execute("CREATE DATABASE other");
      session.execute("CREATE TABLE shop.who (name VARCHAR(10))");
      session.execute(server == source.get() ? "INSERT INTO shop.who VALUES ('source')"
                                             : "INSERT INTO shop.who VALUES ('target')");
      session.execute("CREATE TABLE shop.numbers (id INT AUTO_INCREMENT PRIMARY KEY, t TEXT)");
      session.execute("CREATE ROLE boss");
      session.execute("GRANT ALL ON other.* TO boss");
      session.execute("CREATE USER anna IDENTIFIED BY 'secret', bert IDENTIFIED BY 'other'");
      session.execute("GRANT ALL ON shop.* TO anna, bert");
      session.execute("GRANT boss TO anna");
      session.execute("CREATE USER nopass IDENTIFIED BY ''");
      session.execute("GRANT ALL ON shop.* TO nopass");
    }
    source->connect(mysql::Side::source).execute("CREATE USER here_only IDENTIFIED BY 'secret'");
    source->connect(mysql::Side::source).execute("GRANT ALL ON shop.* TO here_only");
  }
  static void TearDownTestSuite() {
    source.reset();
    target.reset();
    certificate.reset();
  }

  void start(ProxyOptions options = {}) {
    options.source = source->endpoint();
    options.target = target->endpoint();
    start_in_front(std::move(options));
  }

  /// When the state of sessions is read and set: as a switch does it, all in the hold, or all in the move.
  enum class Read { ahead, in_hold, in_move };

  void look_ahead(Where to) {
    proxy->prepare(to);
    EXPECT_TRUE(soon([&] { return proxy->status().preparing == 0; }));
    proxy->look_ahead(to);
    EXPECT_TRUE(soon([&] { return proxy->status().preparing == 0; }));
  }
  Proxy::MoveReport move_all(Where to = Where::target, Read read = Read::ahead) {
    if (read == Read::ahead) look_ahead(to);
    proxy->prepare(to);
    EXPECT_TRUE(proxy->hold(1, 60s, 10s).all_quiet);
    if (read != Read::in_move) proxy->restore(1, to);
    const auto report = proxy->move(1, to, 20s);
    EXPECT_EQ(report.under_way, 0U);
    proxy->release(1);
    return report;
  }
  static std::string who(Client& client) { return client.value("SELECT name FROM shop.who"); }

  static inline std::unique_ptr<sandbox::TestServer> source;
  static inline std::unique_ptr<sandbox::TestServer> target;
};

}  // namespace reseal::proxy

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>

#include "base/failure.hpp"
#include "fence/source_fence.hpp"
#include "proxy/proxy_client_for_tests.hpp"
#include "run/settle_attempt.hpp"
#include "sandbox/test_server.hpp"

namespace reseal::run {

using namespace std::chrono_literals;
using base::Failure;
using cutover::Serves;
using proxy::Client;

/// A plain and an encrypted server, which are left as they were, and a proxy in front of both that settles attempts as
/// cli/proxy_verb wires it.
class ProxiedPair : public ::testing::Test {
 protected:
  static sandbox::TestServer& server(Serves side) {
    static sandbox::TestServer source(sandbox::ServerOptions::plain_source());
    static sandbox::TestServer target(sandbox::ServerOptions::encrypted_target());
    return side == Serves::source ? source : target;
  }
  static mysql::Session connect(Serves side) {
    return server(side).connect(side == Serves::source ? mysql::Side::source : mysql::Side::target);
  }
  static Serves settle(std::chrono::milliseconds patience = 0ms) {
    return settle_attempt(server(Serves::source).endpoint(), server(Serves::target).endpoint(), patience);
  }

  void TearDown() override {
    proxy_.reset();
    for (const auto side : {Serves::source, Serves::target}) {
      auto session = connect(side);
      fence::SourceFence(session).lower();
      for (const auto* drop :
           {"DROP DATABASE IF EXISTS app", "DROP DATABASE IF EXISTS reseal", "DROP USER IF EXISTS anna"})
        session.execute(drop);
    }
  }

  /// `patience`: for an attempt that is under way when the proxy starts.
  void start_proxy(std::chrono::milliseconds patience = 15s) {
    proxy_.reset();
    proxy::ProxyOptions options;
    options.source = server(Serves::source).endpoint();
    options.target = server(Serves::target).endpoint();
    options.listen = {"127.0.0.1:0"};
    options.tls_certificate = certificate_.certificate();
    options.tls_key = certificate_.key();
    options.ask_decision = [patience](std::uint64_t epoch) {
      try {
        return settle(epoch == 0 ? patience : 0ms) == Serves::target ? proxy::Decision::target
                                                                     : proxy::Decision::source;
      } catch (const Failure&) {
        return proxy::Decision::unknown;
      }
    };
    proxy_.emplace(options, log_);
  }
  proxy::ClientOptions anna() const {
    proxy::ClientOptions options;
    options.user = "anna";
    options.password = "secret";
    options.port = proxy_->port();
    return options;
  }

  base::Log log_{base::Log::Level::quiet};
  proxy::ServerCertificate certificate_;
  std::optional<proxy::Proxy> proxy_;
};

}  // namespace reseal::run

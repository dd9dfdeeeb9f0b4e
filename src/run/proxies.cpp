// SPDX-License-Identifier: Apache-2.0
#include "run/proxies.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "base/failure.hpp"
#include "base/stop_point.hpp"
#include "proxy/control.hpp"

namespace reseal::run {
namespace {

using base::Failure;
using base::FailureKind;
using cutover::Serves;
using nlohmann::json;
using namespace std::chrono_literals;

constexpr auto move_patience_ms = 2'000;
// What is not prepared by then is prepared while clients wait.
constexpr auto prepare_patience = 30s;
constexpr auto look_again = 5ms;
// The second is for the sessions that worked during the first.
constexpr unsigned looks_ahead = 2;

json ask(const std::string& socket, const json& request) {
  auto answer = json::parse(proxy::ask_control(socket, request.dump()), nullptr, false);
  if (!answer.is_object() || !answer.value("ok", false))
    throw Failure(FailureKind::refused,
                  "the proxy on " + socket + " refuses: " + answer.value("error", "no reason given"));
  return answer;
}

void wait_until_prepared(const std::string& socket) {
  const auto until = std::chrono::steady_clock::now() + prepare_patience;
  while (ask(socket, {{"do", "status"}}).value("preparing", 0) > 0 && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(look_again);
}

/// Runs `action` for every socket at once; the first failure is thrown when all have ended.
template <typename Action>
void at_each(const std::vector<std::string>& sockets, const Action& action) {
  std::vector<std::future<void>> running;
  for (const auto& socket : sockets)
    running.push_back(std::async(std::launch::async, [&action, &socket] { action(socket); }));
  for (auto& one : running) one.wait();
  for (auto& one : running) one.get();
}

}  // namespace

void Proxies::require(Serves serves) {
  at_each(sockets_, [&](const std::string& socket) {
    const auto status = ask(socket, {{"do", "status"}});
    if (status.value("serves", "") != cutover::name(serves))
      throw Failure(FailureKind::refused, fmt::format("the proxy on {} serves the {}, and the {} serves by the decision"
                                                      " record; restart it",
                                                      socket, status.value("serves", "?"), cutover::name(serves)));
  });
}

void Proxies::prepare(Serves from, Serves to) {
  require(from);
  at_each(sockets_, [&](const std::string& socket) {
    ask(socket, {{"do", "prepare"}, {"to", cutover::name(to)}});
    wait_until_prepared(socket);
  });
}

void Proxies::look_ahead(Serves to) {
  at_each(sockets_, [&](const std::string& socket) {
    for (unsigned pass = 0; pass < looks_ahead; ++pass) {
      ask(socket, {{"do", "look_ahead"}, {"to", cutover::name(to)}});
      wait_until_prepared(socket);
    }
  });
}

void Proxies::hold(std::uint64_t epoch, std::chrono::milliseconds lease, std::chrono::milliseconds patience) {
  at_each(sockets_, [&](const std::string& socket) {
    try {
      const auto answer = ask(
          socket, {{"do", "hold"}, {"epoch", epoch}, {"lease_ms", lease.count()}, {"patience_ms", patience.count()}});
      if (!answer.value("quiet", false))
        log_.warn(fmt::format("{} sessions of the proxy on {} are still within a transaction", answer.value("busy", 0),
                              socket));
    } catch (const Failure& failure) {
      throw Failure(FailureKind::given_up, failure.what());
    }
  });
}

void Proxies::restore(std::uint64_t epoch, Serves to) {
  for (const auto& socket : sockets_)
    restoring_.push_back(std::async(std::launch::async, [this, &socket, epoch, to] {
      try {
        ask(socket, {{"do", "restore"}, {"epoch", epoch}, {"to", cutover::name(to)}});
      } catch (const Failure& failure) {
        log_.warn(std::string("sessions are not restored ahead of their move: ") + failure.what());
      }
    }));
}

void Proxies::release(std::uint64_t epoch, Serves serves) {
  restoring_.clear();  // waits
  at_each(sockets_, [&](const std::string& socket) {
    try {
      const auto status = ask(socket, {{"do", "status"}});
      const bool there = status.value("serves", "") == cutover::name(serves);
      if (there && !status.value("holding", false)) return;
      if (!there) {
        const auto moved = ask(socket, {{"do", "move"},
                                        {"epoch", epoch},
                                        {"to", cutover::name(serves)},
                                        {"patience_ms", move_patience_ms},
                                        {"end_busy", true}});
        log_.info(fmt::format("proxy on {}: {} sessions moved, {} closed, {} under way", socket,
                              moved.value("moved", 0), moved.value("closed", 0), moved.value("under_way", 0)));
      }
      base::stop_point("release-moved", base::Edge::after);
      ask(socket, {{"do", "release"}, {"epoch", epoch}});
    } catch (const Failure& failure) {
      log_.warn(fmt::format("a proxy could not be told that the {} serves, and will ask when its lease ends: {}",
                            cutover::name(serves), failure.what()));
    }
  });
}

}  // namespace reseal::run

// SPDX-License-Identifier: Apache-2.0
#include "proxy/control_answers.hpp"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/failure.hpp"

namespace reseal::proxy {
namespace {

using nlohmann::json;

constexpr std::uint64_t most_milliseconds = 3'600'000;

json status_answer(const Proxy& proxy) {
  const auto status = proxy.status();
  return {{"ok", true},
          {"server", status.server},
          {"server_version", status.server_version},
          {"open", status.open},
          {"accepted", status.accepted},
          {"refused", status.refused},
          {"logged_in", status.logged_in},
          {"denied", status.denied},
          {"broken", status.broken},
          {"passwords", status.passwords},
          {"preparing", status.preparing},
          {"draining", status.draining},
          {"holding", status.holding},
          {"serves", status.target_serves ? "target" : "source"}};
}

json session_answer(const SessionReport& session) {
  json answer = {{"number", session.number},
                 {"client", session.client},
                 {"user", session.user},
                 {"phase", session.phase},
                 {"server_id", session.server_id},
                 {"tls", session.encrypted},
                 {"in_transaction", session.in_transaction},
                 {"movable", session.movable}};
  if (!session.movable) answer["unmovable_because"] = session.unmovable_because;
  return answer;
}

json sessions_answer(Proxy& proxy) {
  json list = json::array();
  for (const auto& session : proxy.sessions()) list.push_back(session_answer(session));
  return {{"ok", true}, {"sessions", std::move(list)}};
}

json error_answer(const std::string& text) { return {{"ok", false}, {"error", text}}; }

json hold_answer(const Proxy::HoldReport& report) {
  return {{"ok", true},
          {"quiet", report.all_quiet},
          {"held", report.counts.held},
          {"busy", report.counts.busy},
          {"logging_in", report.counts.logging_in},
          {"took_us", report.took.count()}};
}

// A number of `request`, or Failure(usage).
std::uint64_t number(const json& request, const char* name) {
  const auto found = request.find(name);
  if (found == request.end() || !found->is_number_unsigned())
    throw base::Failure(base::FailureKind::usage, std::string("the request lacks the number \"") + name + "\"");
  return found->get<std::uint64_t>();
}

json hold(Proxy& proxy, const json& request) {
  const auto milliseconds = [&](const char* name) {
    return std::chrono::milliseconds(std::min(number(request, name), most_milliseconds));
  };
  return hold_answer(proxy.hold(number(request, "epoch"), milliseconds("lease_ms"), milliseconds("patience_ms")));
}

Where side(const json& request) {
  const auto to = request.value("to", json());
  if (to == "target") return Where::target;
  if (to == "source") return Where::source;
  throw base::Failure(base::FailureKind::usage, "\"to\" is \"source\" or \"target\"");
}

json move(Proxy& proxy, const json& request) {
  const std::chrono::milliseconds patience(std::min(number(request, "patience_ms"), most_milliseconds));
  const auto busy = request.value("end_busy", json()) == true ? Proxy::Busy::end : Proxy::Busy::refuse;
  const auto report = proxy.move(number(request, "epoch"), side(request), patience, busy);
  return {{"ok", true},
          {"moved", report.moved},
          {"closed", report.closed},
          {"under_way", report.under_way},
          {"took_us", report.took.count()}};
}

json answer(Proxy& proxy, const json& request) {
  if (!request.is_object() || !request.contains("do") || !request["do"].is_string())
    return error_answer("a request is one JSON object with a key \"do\"");
  const auto wish = request["do"].get<std::string>();
  if (wish == "status") return status_answer(proxy);
  if (wish == "sessions") return sessions_answer(proxy);
  if (wish == "move") return move(proxy, request);
  if (wish == "prepare") {
    proxy.prepare(side(request));
    return {{"ok", true}};
  }
  if (wish == "look_ahead") {
    proxy.look_ahead(side(request));
    return {{"ok", true}};
  }
  if (wish == "hold") return hold(proxy, request);
  if (wish == "restore") {
    proxy.restore(number(request, "epoch"), side(request));
    return {{"ok", true}};
  }
  if (wish == "release" || wish == "unhold") return hold_answer(proxy.release(number(request, "epoch")));
  if (wish == "drain") {
    proxy.drain();
    return {{"ok", true}};
  }
  return error_answer("unknown: " + wish);
}

}  // namespace

std::string control_answer(Proxy& proxy, std::string_view line) {
  const auto request = json::parse(line, nullptr, false);
  // User names are the clients' bytes: what is no UTF-8 in them is replaced.
  json said;
  try {
    said = answer(proxy, request);
  } catch (const base::Failure& failure) {
    said = error_answer(failure.what());
  }
  return said.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace reseal::proxy

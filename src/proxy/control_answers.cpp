// SPDX-License-Identifier: Apache-2.0
#include "proxy/control_answers.hpp"

#include <nlohmann/json.hpp>

namespace reseal::proxy {
namespace {

using nlohmann::json;

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
          {"draining", status.draining}};
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

json answer(Proxy& proxy, const json& request) {
  if (!request.is_object() || !request.contains("do") || !request["do"].is_string())
    return error_answer("a request is one JSON object with a key \"do\"");
  const auto wish = request["do"].get<std::string>();
  if (wish == "status") return status_answer(proxy);
  if (wish == "sessions") return sessions_answer(proxy);
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
  return answer(proxy, request).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace reseal::proxy

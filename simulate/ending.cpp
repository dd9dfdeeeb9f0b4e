// SPDX-License-Identifier: Apache-2.0
#include "simulate/turns.hpp"

namespace reseal::simulate {
namespace {

using Stage = Tool::Stage;

constexpr Millis longest_storm = 600'000;
constexpr Millis calm_bound = 600'000;  ///< until then all must have come to an end

}  // namespace

void EndTurn::wake() {
  if (w_.calm_) {
    look();
    w_.due_[operator_] = w_.now_ + 500;
    return;
  }
  command();
  w_.due_[operator_] = w_.now_ + 20 + w_.long_time(3000);
}

/// Somebody starts a command when none runs: the state folder's lock keeps a second one out.
void EndTurn::command() {
  const bool idle[] = {w_.tools_[0].stage == Stage::off, w_.tools_[1].stage == Stage::off};
  const bool none = idle[0] && idle[1];
  if (none && (w_.commands_ >= w_.most_commands_ || w_.now_ > longest_storm)) return calm_down();
  if (w_.commands_ >= w_.most_commands_ + 2 || w_.now_ > longest_storm) return calm_down();
  if (!none && !(w_.mistaken(Mistake::folder_not_locked) && w_.random_.below(3) == 0)) return;
  auto tool = w_.random_.below(2);
  if (!idle[tool]) tool = 1 - tool;
  if (!idle[tool]) return;
  ++w_.commands_;
  const auto serves = w_.record().serves();
  const auto wanted = w_.random_.below(8) == 0 ? serves : other(serves);
  ToolTurn(w_, tool).start(wanted, w_.random_.below(5) == 0);
}

/// From here on nothing breaks any more, and what was broken comes back.
void EndTurn::calm_down() {
  w_.say("all is calm");
  w_.calm_ = true;
  w_.calm_since_ = w_.now_;
  for (auto& cuts : w_.cut_until_) cuts[0] = cuts[1] = 0;
  for (unsigned client = 0; client < 3; ++client)
    if (w_.clients_[client].stage == Client::Stage::resting) w_.due_[client_0 + client] = w_.now_ + client;
}

void EndTurn::look() {
  if (w_.now_ > w_.calm_since_ + calm_bound)
    return w_.breaks(Property::held_forever, w_.tool_ended_well_ || w_.faults_.nobody_returns ? "a client is not served"
                                                                                              : "no command ends well");
  const bool none = w_.tools_[0].stage == Stage::off && w_.tools_[1].stage == Stage::off;
  if (!none) return;
  if (!w_.tool_ended_well_ && !w_.faults_.nobody_returns)
    return ToolTurn(w_, w_.random_.below(2)).start(w_.record().serves(), true);
  for (const auto& proxy : w_.proxies_)
    if (!proxy.serving_clients || proxy.holding || proxy.settling) return;
  for (const auto& client : w_.clients_)
    if (!client.served_at_end) return;
  judge();
}

void EndTurn::judge() {
  w_.done_ = true;
  const auto serves = w_.record().serves();
  const auto& there = w_.server(serves);
  const auto& standby = w_.server(other(serves));
  if (!there.takes_writes() || there.super_persisted || there.read_only_persisted)
    w_.breaks(Property::illegal_end, fmt::format("the {} serves and is fenced, now or after a restart", name(serves)));
  if (standby.takes_writes() || !(standby.super_persisted || standby.read_only_persisted))
    w_.breaks(Property::illegal_end,
              fmt::format("the {} does not serve and is open, now or after a restart", name(other(serves))));
  for (const auto& proxy : w_.proxies_)
    if (proxy.serving != serves)
      w_.breaks(Property::illegal_end, fmt::format("a proxy goes to the {}", name(proxy.serving)));
  if ((w_.acknowledged_ & ~there.rows).any())
    w_.breaks(Property::ack_lost, fmt::format("{} writes", (w_.acknowledged_ & ~there.rows).count()));
}

}  // namespace reseal::simulate

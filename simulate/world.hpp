// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <array>
#include <string>

#include "simulate/actors.hpp"
#include "simulate/coverage.hpp"
#include "simulate/random.hpp"

namespace reseal::simulate {

/// How often what goes wrong, in 65536ths at each point where it could. A seed draws its own.
struct Faults {
  std::uint32_t tool_dies = 0;
  std::uint32_t proxy_dies = 0;
  std::uint32_t server_crashes = 0;
  std::uint32_t lost_before = 0;
  std::uint32_t lost_after = 0;
  std::uint32_t late = 0;
  std::uint32_t pause = 0;
  std::uint32_t cut = 0;
  std::uint32_t hand = 0;
  bool nobody_returns = false;  ///< no command is started once all is calm: the proxies have to end it
  bool commits_pass = false;    ///< raising the fence does not wait for commits that have begun
};

/// Two servers, two tools, two proxies, their clients, one that goes around them, and who starts what has died. One
/// run: made from a seed, runs to its end by itself. Everything it does is drawn from the seed. Not thread-safe.
class World final {
 public:
  /// `trace` gets a line per event when there is one.
  World(std::uint64_t seed, Mistake mistake, Coverage& coverage, std::string* trace);
  void run();
  Property broken() const { return broken_; }
  const std::string& why() const { return why_; }

 private:
  friend class ServerTurn;
  friend class ToolTurn;
  friend class FollowTurn;
  friend class ProxyTurn;
  friend class ClientTurn;
  friend class EndTurn;

  static constexpr unsigned control_slots = actors + 2 * session_slots;
  static constexpr unsigned restart_slots = control_slots + 2;
  static constexpr unsigned slots = restart_slots + 2;

  // Time.
  bool turn();
  void wake(unsigned slot);
  void answered(Actor actor, const Answer& answer);
  bool mistaken(Mistake mistake) const { return mistake_ == mistake; }
  void breaks(Property property, std::string_view what);
  template <typename... Parts>
  void say(fmt::format_string<Parts...> format, Parts&&... parts) {
    if (trace_ == nullptr) return;
    fmt::format_to(std::back_inserter(*trace_), "{:>8} ", now_);
    fmt::format_to(std::back_inserter(*trace_), format, std::forward<Parts>(parts)...);
    trace_->push_back('\n');
  }

  // The network.
  bool fault(std::uint32_t chance) { return !calm_ && random_.chance(chance); }
  Millis delay() { return random_.below(3); }
  Millis long_time(Millis most);
  Server& server(Side side) { return servers_[static_cast<unsigned>(side)]; }
  Record& record() { return servers_[1].record; }
  Session& session(const Link& link) { return server(link.side).sessions[link.slot]; }
  unsigned slot_of(Side side, unsigned index) const {
    return actors + static_cast<unsigned>(side) * session_slots + index;
  }
  bool alive(const Link& link);
  void connect(Actor actor, std::uint16_t process, Link& link, Side side, bool tagged);
  void ask(Actor actor, Link& link, Order order, std::uint32_t argument = 0, std::uint32_t argument2 = 0);
  void send(Actor actor, Side side, unsigned index);
  void drop(Link& link);
  void lost(Actor actor);
  void ask_proxy(Actor actor, unsigned proxy, Order order, std::uint32_t epoch, Side side, Millis patience);
  void control_due(unsigned tool);

  Random random_;
  Mistake mistake_;
  Coverage& coverage_;
  std::string* trace_;
  Faults faults_;
  Millis now_ = 0;
  std::array<Millis, slots> due_;
  Server servers_[2];
  Tool tools_[2];
  Follow follows_[2];
  Proxy proxies_[2];
  Client clients_[3];
  ControlCall calls_[2];
  std::array<std::int16_t, actors> waiting_;  ///< the session's slot whose answer is awaited; -1: none
  Millis cut_until_[actors][2] = {};
  // The state folder.
  bool fence_note_ = false;
  bool triggers_note_ = false;
  // What happened.
  std::uint32_t operations_ = 0;
  Rows acknowledged_;
  std::uint16_t processes_ = 0;
  std::uint32_t serials_ = 0;
  std::uint32_t commands_ = 0;  ///< commands of the operator so far
  std::uint32_t most_commands_ = 1;
  bool hand_used_ = false;
  bool calm_ = false;
  Millis calm_since_ = 0;
  bool done_ = false;
  bool tool_ended_well_ = false;  ///< since all is calm
  Property broken_ = Property::none;
  std::string why_;
};

}  // namespace reseal::simulate

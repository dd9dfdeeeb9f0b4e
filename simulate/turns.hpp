// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "simulate/world.hpp"

namespace reseal::simulate {

/// A server carries out orders and crashes.
class ServerTurn final {
 public:
  ServerTurn(World& world, Side side) : w_(world), side_(side), server_(world.server(side)) {}
  void session_due(unsigned index);
  void restart();
  void end_session(unsigned index);
  void log_grown();

 private:
  enum class Done { yes, later };
  Done execute(unsigned index);
  Done fence_order(Session& session);
  Done record_order(Session& session);
  Done standby_order(Session& session);
  Done raise(unsigned index, Session& session);
  Done get_lock(unsigned index, Session& session);
  Done commit(unsigned index, Session& session);
  void write(Session& session);
  void write_decision(Session& session);
  void write_closed(Session& session);
  void apply(Session& session);
  std::uint32_t open_writers(const Session& asks) const;
  void kill(unsigned index);
  void end_tagged(std::uint16_t keep);
  void crash();
  Done wait(unsigned index, Millis time);

  World& w_;
  Side side_;
  Server& server_;
};

/// A process of reseal takes its next step.
class ToolTurn final {
 public:
  ToolTurn(World& world, unsigned index)
      : w_(world), index_(index), t_(world.tools_[index]), actor_(static_cast<Actor>(tool_0 + index)) {}
  void start(Side wanted, bool only_start);
  void wake();
  void answered(const Answer& answer);
  void die();
  void crashed_on(bool answered_not);

 private:
  static constexpr Millis ask_again_after = 500;
  static constexpr std::uint32_t backing_out_limit = 60;

  enum class Took { next, wait, fail, end };
  void go();
  template <std::size_t size>
  void run_script(Tool::Stage stage, const Op (&ops)[size]) {
    t_.stage = stage;
    t_.script = {ops, size, 0};
    go();
  }
  void lowered_by_hand();
  bool applies(const Op& op);
  void issue(const Op& op);
  Took by_itself(const Op& op);
  Took await_follow();
  Took took(const Op& op, const Answer& answer);
  Took took_in_step(const Op& op, const Answer& answer);
  Took took_position(const Answer& answer);
  Took took_writers(const Answer& answer);
  Took took_rows(const Op& op, const Answer& answer);
  void failed(const Op& op, Error error);
  void script_over();
  void recovered();
  void after_recovery(bool switched);
  void next_step();
  void begin_step();
  void step_done();
  void step_failed(Error error);
  void reconnect();
  void end_drive();
  void given_up();
  void end(bool well);
  Millis left() const { return t_.began + 10'000 > w_.now_ ? t_.began + 10'000 - w_.now_ : 0; }
  Link& link(At at);
  Side to() const { return other(t_.from); }

  World& w_;
  unsigned index_;
  Tool& t_;
  Actor actor_;
};

/// The follow of a tool.
class FollowTurn final {
 public:
  FollowTurn(World& world, unsigned index)
      : w_(world), f_(world.follows_[index]), t_(world.tools_[index]), actor_(static_cast<Actor>(follow_0 + index)) {}
  void start(Side from);
  /// True when it has ended; asked again later otherwise.
  bool stop();
  void end();
  void wake();
  void answered(const Answer& answer);

 private:
  void connect();
  void lost();

  World& w_;
  Follow& f_;
  Tool& t_;
  Actor actor_;
};

/// A proxy: its control socket, its lease, and how it finds out who serves.
class ProxyTurn final {
 public:
  ProxyTurn(World& world, unsigned index)
      : w_(world), index_(index), p_(world.proxies_[index]), actor_(static_cast<Actor>(settler_0 + index)) {}
  void start();
  void die();
  void wake();
  void answered(const Answer& answer);
  /// Nothing when the answer is not there yet.
  bool control(ControlCall& call);

 private:
  static constexpr Millis lease = 15'000;  ///< the tool's time-out and 5 s

  enum class Decision { source, target, unknown };
  void settle(std::uint32_t epoch);
  void go();
  void settled(Decision decision);
  bool applies(const Op& op);
  bool took(const Op& op, const Answer& answer);
  Link& link(At at);
  bool hold(ControlCall& call);
  void move(Side to);
  void release();
  bool busy() const;

  World& w_;
  unsigned index_;
  Proxy& p_;
  Actor actor_;
};

/// A client writes.
class ClientTurn final {
 public:
  ClientTurn(World& world, unsigned index)
      : w_(world), index_(index), c_(world.clients_[index]), actor_(static_cast<Actor>(client_0 + index)) {}
  void wake();
  void answered(const Answer& answer);
  void gate_opened();
  /// Ends the session when it is on another server than `side`.
  void moved(Side side);
  void cut_off();
  bool busy() const;

 private:
  void begin();
  void write();
  void rest(Millis time);

  World& w_;
  unsigned index_;
  Client& c_;
  Actor actor_;
};

/// Who starts commands, then waits until all is calm, and looks at what the run has come to.
class EndTurn final {
 public:
  explicit EndTurn(World& world) : w_(world) {}
  void wake();

 private:
  void command();
  void calm_down();
  void look();
  void judge();

  World& w_;
};

}  // namespace reseal::simulate

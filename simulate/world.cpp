// SPDX-License-Identifier: Apache-2.0
#include "simulate/world.hpp"

#include <algorithm>

#include "simulate/turns.hpp"

namespace reseal::simulate {
namespace {

constexpr Millis control_timeout = 60'000;  // src/run/run.cpp
constexpr std::int16_t lost_already = 30'000;
constexpr std::uint64_t most_events = 60'000;

// A tool's follow and a proxy's settler are on the host of their process.
unsigned host(Actor actor) {
  if (actor == follow_0 || actor == follow_1) return tool_0 + (actor - follow_0);
  return actor;
}

/// Nothing of it in half of the runs, else `rare` to 32 times that.
std::uint32_t draw(Random& random, std::uint32_t rare) { return random.coin() ? 0 : rare << random.below(6); }

}  // namespace

World::World(std::uint64_t seed, Mistake mistake, Coverage& coverage, std::string* trace)
    // Not the seed itself: the streams of neighbours would be one stream, a number apart.
    : random_(Random(seed).next()), mistake_(mistake), coverage_(coverage), trace_(trace) {
  faults_.tool_dies = draw(random_, 60);
  faults_.proxy_dies = draw(random_, 60);
  faults_.server_crashes = draw(random_, 12);
  faults_.lost_before = draw(random_, 40);
  faults_.lost_after = draw(random_, 40);
  faults_.late = draw(random_, 60);
  faults_.pause = draw(random_, 60);
  faults_.cut = draw(random_, 15);
  faults_.hand = draw(random_, 100);
  faults_.nobody_returns = random_.below(3) == 0;
  faults_.commits_pass = random_.coin();
  most_commands_ = random_.between(1, 6);
  due_.fill(never);
  waiting_.fill(-1);
  servers_[1].read_only = servers_[1].read_only_persisted = true;
  for (unsigned proxy = 0; proxy < 2; ++proxy) ProxyTurn(*this, proxy).start();
  for (unsigned client = 0; client < 3; ++client) due_[client_0 + client] = random_.below(100);
  due_[operator_] = random_.below(200);
}

void World::run() {
  ++coverage_.runs;
  std::uint64_t events = 0;
  while (!done_ && turn())
    if (++events > most_events) breaks(Property::held_forever, "the run does not come to an end");
  coverage_.events += events;
  for (std::uint32_t epoch = 1; epoch <= record().latest; ++epoch) {
    if (record().epochs[epoch].outcome == Record::Outcome::decided) ++coverage_.decided;
    if (record().epochs[epoch].outcome == Record::Outcome::closed) ++coverage_.closed;
  }
  coverage_.attempts += record().latest;
  if (broken_ == Property::none) ++(record().serves() == Side::source ? coverage_.source_ends : coverage_.target_ends);
}

bool World::turn() {
  unsigned slot = 0;
  Millis least = due_[0];
  for (unsigned i = 1; i < slots; ++i)
    if (due_[i] < least) {
      least = due_[i];
      slot = i;
    }
  if (least == never) {
    breaks(Property::held_forever, "nothing moves any more");
    return false;
  }
  now_ = least;
  due_[slot] = never;
  wake(slot);
  if (servers_[0].takes_writes() && servers_[1].takes_writes())
    breaks(Property::two_writers, "source and target take writes");
  return broken_ == Property::none;
}

void World::wake(unsigned slot) {
  if (slot >= restart_slots) return ServerTurn(*this, static_cast<Side>(slot - restart_slots)).restart();
  if (slot >= control_slots) return control_due(slot - control_slots);
  if (slot >= actors) {
    const auto side = slot - actors >= session_slots ? Side::target : Side::source;
    return ServerTurn(*this, side).session_due((slot - actors) % session_slots);
  }
  const auto actor = static_cast<Actor>(slot);
  if (waiting_[actor] != -1) {
    const auto awaited = waiting_[actor];
    waiting_[actor] = -1;
    if (awaited >= static_cast<int>(actors) && awaited < static_cast<int>(control_slots)) {
      const auto side = static_cast<unsigned>(awaited) - actors >= session_slots ? Side::target : Side::source;
      auto& session = server(side).sessions[(static_cast<unsigned>(awaited) - actors) % session_slots];
      if (session.owner == actor) session.peer_gone = true;
    }
    Answer none;
    none.error = Error::lost;
    return answered(actor, none);
  }
  switch (actor) {
    case tool_0:
    case tool_1:
      return ToolTurn(*this, slot - tool_0).wake();
    case follow_0:
    case follow_1:
      return FollowTurn(*this, slot - follow_0).wake();
    case settler_0:
    case settler_1:
      return ProxyTurn(*this, slot - settler_0).wake();
    case operator_:
      return EndTurn(*this).wake();
    default:
      return ClientTurn(*this, slot - client_0).wake();
  }
}

void World::answered(Actor actor, const Answer& answer) {
  switch (actor) {
    case tool_0:
    case tool_1:
      return ToolTurn(*this, static_cast<unsigned>(actor - tool_0)).answered(answer);
    case follow_0:
    case follow_1:
      return FollowTurn(*this, static_cast<unsigned>(actor - follow_0)).answered(answer);
    case settler_0:
    case settler_1:
      return ProxyTurn(*this, static_cast<unsigned>(actor - settler_0)).answered(answer);
    default:
      return ClientTurn(*this, static_cast<unsigned>(actor - client_0)).answered(answer);
  }
}

void World::breaks(Property property, std::string_view what) {
  if (broken_ != Property::none) return;
  broken_ = property;
  why_ = what;
  say("BROKEN {}: {}", name(property), what);
}

/// Mostly short, seldom up to `most`: each power of two is as likely as the next.
Millis World::long_time(Millis most) {
  unsigned bits = 1;
  while ((most >> bits) > 0) ++bits;
  return std::min(most, 1 + random_.below(1U << random_.between(2, bits)));
}

bool World::alive(const Link& link) {
  const auto& there = session(link);
  return link.serial != 0 && there.serial == link.serial && there.connected && !there.peer_gone;
}

void World::lost(Actor actor) {
  waiting_[actor] = lost_already;
  due_[actor] = now_ + 1 + random_.below(20);
}

void World::connect(Actor actor, std::uint16_t process, Link& link, Side side, bool tagged) {
  drop(link);
  auto& there = server(side);
  unsigned index = 0;
  while (index < session_slots && there.sessions[index].phase != Session::Phase::free) ++index;
  if (!there.up || index == session_slots) return lost(actor);
  auto& session = there.sessions[index];
  session = Session();
  session.owner = actor;
  session.process = process;
  session.tagged = tagged;
  session.serial = ++serials_;
  session.order = Order::connect;
  link = {side, static_cast<std::uint8_t>(index), session.serial};
  send(actor, side, index);
}

void World::ask(Actor actor, Link& link, Order order, std::uint32_t argument, std::uint32_t argument2) {
  if (!alive(link) || session(link).phase != Session::Phase::idle) return lost(actor);
  auto& there = session(link);
  there.order = order;
  there.argument = argument;
  there.argument2 = argument2;
  there.deadline = never;
  send(actor, link.side, link.slot);
}

void World::send(Actor actor, Side side, unsigned index) {
  auto& session = server(side).sessions[index];
  const auto slot = slot_of(side, index);
  auto& cut = cut_until_[host(actor)][static_cast<unsigned>(side)];
  session.phase = Session::Phase::sent;
  session.reply_lost = false;
  session.answer = Answer();
  due_[slot] = now_ + delay();
  waiting_[actor] = static_cast<std::int16_t>(slot);
  due_[actor] = now_ + control_timeout;
  const auto notices = [&] { return now_ + (random_.coin() ? 1 + random_.below(1000) : control_timeout); };
  if (fault(faults_.cut)) {
    cut = now_ + long_time(60'000);
    say("{} is cut off from the {} until {}", name(actor), name(side), cut);
  }
  const bool behind_the_cut = !calm_ && cut > now_;
  if (fault(faults_.lost_before) || (behind_the_cut && random_.coin())) {
    say("{} -> {} {}: never arrives", name(actor), name(side), name(session.order));
    session.phase = session.connected ? Session::Phase::idle : Session::Phase::free;
    session.peer_gone = true;
    due_[slot] = session.connected ? now_ + long_time(60'000) : never;
    due_[actor] = notices();
  } else if (behind_the_cut) {
    due_[slot] = cut + delay();
  } else if (fault(faults_.late)) {
    due_[slot] = now_ + long_time(90'000);
    if (random_.coin()) due_[actor] = notices();
  } else if (fault(faults_.lost_after)) {
    session.reply_lost = true;
    due_[actor] = notices();
  }
}

/// Closes the owner's end. The server notices later.
void World::drop(Link& link) {
  if (link.serial == 0) return;
  auto& there = session(link);
  if (there.serial == link.serial && there.phase != Session::Phase::free) {
    there.peer_gone = true;
    if (there.phase != Session::Phase::sent)
      due_[slot_of(link.side, link.slot)] = now_ + (fault(2000) ? long_time(60'000) : delay());
  }
  link.serial = 0;
}

void World::ask_proxy(Actor actor, unsigned proxy, Order order, std::uint32_t epoch, Side side, Millis patience) {
  auto& call = calls_[actor - tool_0];
  call = ControlCall();
  call.under_way = true;
  call.proxy = static_cast<std::uint8_t>(proxy);
  call.order = order;
  call.epoch = epoch;
  call.side = side;
  call.deadline = now_ + patience;
  call.reply_lost = fault(faults_.lost_after);
  const auto slot = control_slots + (actor - tool_0);
  waiting_[actor] = static_cast<std::int16_t>(slot);
  due_[slot] = now_ + (fault(faults_.late) ? long_time(30'000) : delay());
  due_[actor] = now_ + (call.reply_lost ? 1 + random_.below(1000) : control_timeout);
}

void World::control_due(unsigned tool) {
  auto& call = calls_[tool];
  const auto actor = static_cast<Actor>(tool_0 + tool);
  const auto slot = control_slots + tool;
  if (call.replying) {
    call.replying = false;
    if (waiting_[actor] != static_cast<std::int16_t>(slot)) return;
    waiting_[actor] = -1;
    due_[actor] = never;
    return answered(actor, call.answer);
  }
  if (!proxies_[call.proxy].up) {
    call.answer.error = Error::refused;
  } else if (!ProxyTurn(*this, call.proxy).control(call)) {
    due_[slot] = now_ + 5;
    return;
  }
  if (call.reply_lost) return;
  call.replying = true;
  due_[slot] = now_ + delay();
}

}  // namespace reseal::simulate

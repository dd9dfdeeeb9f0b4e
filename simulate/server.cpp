// SPDX-License-Identifier: Apache-2.0
#include "simulate/server.hpp"

#include "simulate/turns.hpp"

namespace reseal::simulate {

using Phase = Session::Phase;
using Transaction = Session::Transaction;

void ServerTurn::session_due(unsigned index) {
  auto& session = server_.sessions[index];
  const auto slot = w_.slot_of(side_, index);
  switch (session.phase) {
    case Phase::free:
      return;
    case Phase::idle:
      if (session.peer_gone) end_session(index);
      return;
    case Phase::sent: {
      const auto serial = session.serial;
      const auto owner = session.owner;
      const auto of_tool = owner <= tool_1;
      if (w_.fault(w_.faults_.server_crashes)) {
        if (of_tool) ToolTurn(w_, owner).crashed_on(false);
        return crash();
      }
      if (execute(index) == Done::later || session.serial != serial || session.phase != Phase::sent) return;
      w_.say("{} {}: {} {}", name(side_), name(owner), name(session.order), session.answer.ok() ? "done" : "refused");
      if (w_.fault(w_.faults_.server_crashes)) {
        if (of_tool) ToolTurn(w_, owner).crashed_on(false);
        return crash();
      }
      if (session.peer_gone) return end_session(index);
      if (session.reply_lost) {
        w_.say("{} {}: {}: the answer is lost", name(side_), name(owner), name(session.order));
        if (of_tool) ToolTurn(w_, owner).crashed_on(true);
        session.phase = Phase::idle;
        session.peer_gone = true;
        w_.due_[slot] = w_.now_ + w_.long_time(60'000);
        return;
      }
      session.phase = Phase::replying;
      w_.due_[slot] = w_.now_ + w_.delay();
      return;
    }
    case Phase::replying: {
      const auto owner = session.owner;
      const auto answer = session.answer;
      session.phase = session.connected ? Phase::idle : Phase::free;
      if (session.peer_gone) end_session(index);
      if (w_.waiting_[owner] != static_cast<std::int16_t>(slot)) return;
      w_.waiting_[owner] = -1;
      w_.due_[owner] = never;
      return w_.answered(owner, answer);
    }
  }
}

ServerTurn::Done ServerTurn::wait(unsigned index, Millis time) {
  w_.due_[w_.slot_of(side_, index)] = w_.now_ + time;
  return Done::later;
}

/// With what it holds: an open transaction is rolled back, one in the log is there.
void ServerTurn::end_session(unsigned index) {
  auto& session = server_.sessions[index];
  if (session.transaction == Transaction::logged) server_.rows.set(session.operation);
  if (server_.lock_serial == session.serial) server_.lock_serial = 0;
  session.phase = Phase::free;
  session.connected = false;
  session.transaction = Transaction::none;
  w_.due_[w_.slot_of(side_, index)] = never;
  // Whoever waits for its answer hears that the connection is gone.
  if (session.owner < actors && w_.waiting_[session.owner] == static_cast<std::int16_t>(w_.slot_of(side_, index)))
    w_.due_[session.owner] = w_.now_ + 1 + w_.delay();
}

/// KILL: what was on its way is carried out just before, or never.
void ServerTurn::kill(unsigned index) {
  auto& session = server_.sessions[index];
  if (session.phase == Phase::sent && w_.random_.coin()) execute(index);
  end_session(index);
}

void ServerTurn::end_tagged(std::uint16_t keep) {
  for (unsigned i = 0; i < session_slots; ++i) {
    const auto& session = server_.sessions[i];
    if (session.phase != Phase::free && session.connected && session.tagged && session.process != keep) kill(i);
  }
}

void ServerTurn::crash() {
  w_.say("{} crashes", name(side_));
  ++w_.coverage_.server_crashes;
  server_.up = false;
  server_.super_read_only = server_.super_persisted;
  server_.read_only = server_.super_persisted || server_.read_only_persisted;
  server_.lock_serial = 0;
  for (unsigned i = 0; i < session_slots; ++i)
    if (server_.sessions[i].phase != Phase::free) end_session(i);
  w_.due_[World::restart_slots + static_cast<unsigned>(side_)] = w_.now_ + 50 + w_.long_time(20'000);
}

void ServerTurn::restart() {
  w_.say("{} is back{}", name(side_), server_.read_only ? ", fenced" : "");
  server_.up = true;
}

std::uint32_t ServerTurn::open_writers(const Session& asks) const {
  std::uint32_t writers = 0;
  for (const auto& session : server_.sessions)
    if (session.phase != Phase::free && session.transaction != Transaction::none && session.serial != asks.serial)
      ++writers;
  return writers;
}

ServerTurn::Done ServerTurn::execute(unsigned index) {
  auto& session = server_.sessions[index];
  auto& answer = session.answer;
  switch (session.order) {
    case Order::connect:
      session.connected = true;
      answer.value = session.serial;
      return Done::yes;
    case Order::get_lock:
      return get_lock(index, session);
    case Order::check_lock:
      answer.value = server_.lock_serial == session.serial;
      return Done::yes;
    case Order::end_lost:
      for (unsigned i = 0; i < session_slots; ++i)
        if (server_.sessions[i].serial == session.argument && server_.sessions[i].phase != Phase::free && i != index)
          kill(i);
      return Done::yes;
    case Order::end_others:
      end_tagged(static_cast<std::uint16_t>(session.argument));
      return Done::yes;
    case Order::raise:
      return raise(index, session);
    case Order::commit:
      return commit(index, session);
    case Order::write:
      write(session);
      return Done::yes;
    case Order::touch:
      return Done::yes;
    case Order::open_writers:
      answer.value = open_writers(session);
      return Done::yes;
    case Order::end_writers:
      for (unsigned i = 0; i < session_slots; ++i)
        if (server_.sessions[i].phase != Phase::free && server_.sessions[i].transaction != Transaction::none) kill(i);
      return Done::yes;
    case Order::position:
      answer.value = server_.log.size;
      return Done::yes;
    case Order::read_rows:
      answer.rows = server_.rows;
      return Done::yes;
    default:
      break;
  }
  if (session.order <= Order::door_close) return record_order(session);
  if (session.order <= Order::forget_read_only) return fence_order(session);
  return standby_order(session);
}

ServerTurn::Done ServerTurn::get_lock(unsigned index, Session& session) {
  if (session.deadline == never) session.deadline = w_.now_ + 3000;
  if (server_.lock_serial != 0 && server_.lock_serial != session.serial) {
    if (w_.now_ < session.deadline) return wait(index, 200);
    session.answer.error = Error::lock_taken;
    return Done::yes;
  }
  server_.lock_serial = session.serial;
  return Done::yes;
}

/// SET PERSIST super_read_only=ON waits for commits that have begun, up to a limit.
ServerTurn::Done ServerTurn::raise(unsigned index, Session& session) {
  if (session.deadline == never) session.deadline = w_.now_ + session.argument;
  if (!w_.faults_.commits_pass)
    for (const auto& one : server_.sessions)
      if (one.phase != Phase::free && one.transaction >= Transaction::committing) {
        if (w_.now_ < session.deadline) return wait(index, 10);
        session.answer.error = Error::timed_out;
        return Done::yes;
      }
  server_.super_read_only = server_.read_only = true;
  if (!w_.mistaken(Mistake::fence_not_persisted)) server_.super_persisted = true;
  return Done::yes;
}

ServerTurn::Done ServerTurn::fence_order(Session& session) {
  switch (session.order) {
    case Order::look_fence:
      session.answer.value = server_.super_read_only;
      break;
    case Order::look_open:
      session.answer.value = !server_.read_only && !server_.super_read_only;
      break;
    case Order::super_off:
      server_.super_read_only = false;
      break;
    case Order::read_only_off:
      if (side_ != w_.record().serves())
        w_.breaks(Property::opened_elsewhere, fmt::format("{} opens the {}, and the {} serves", name(session.owner),
                                                          name(side_), name(w_.record().serves())));
      server_.read_only = server_.super_read_only = false;
      break;
    case Order::persist_read_only:
      server_.read_only = true;
      if (!w_.mistaken(Mistake::standby_not_persisted)) server_.read_only_persisted = true;
      break;
    case Order::forget_super:
      server_.super_persisted = false;
      break;
    default:
      server_.read_only_persisted = false;
      break;
  }
  return Done::yes;
}

ServerTurn::Done ServerTurn::record_order(Session& session) {
  auto& record = server_.record;
  auto& answer = session.answer;
  const auto argument = session.argument;
  const bool writes = session.order == Order::begin_attempt || session.order == Order::write_decision ||
                      session.order == Order::write_closed || session.order == Order::set_switched ||
                      session.order == Order::set_backed_out;
  if (writes && server_.super_read_only) {
    answer.error = Error::read_only;
    return Done::yes;
  }
  switch (session.order) {
    case Order::begin_attempt:
      if (record.latest == most_epochs) {
        answer.error = Error::refused;
        break;
      }
      record.epochs[++record.latest].from = static_cast<Side>(argument);
      answer.value = record.latest;
      break;
    case Order::read_attempt:
      answer.value = record.latest;
      answer.more = static_cast<std::uint32_t>(record.epochs[record.latest].from);
      break;
    case Order::read_decision:
      answer.value = record.latest_decided;
      break;
    case Order::read_closed:
      answer.value = record.epochs[argument].outcome == Record::Outcome::closed;
      break;
    case Order::read_switched:
      answer.value = record.switched;
      break;
    case Order::write_decision:
      write_decision(session);
      break;
    case Order::write_closed:
      write_closed(session);
      break;
    case Order::read_outcome:
      answer.more = record.latest;
      while (answer.more > 0 && record.epochs[answer.more].outcome == Record::Outcome::none) --answer.more;
      answer.value = answer.more > 0 && record.epochs[answer.more].outcome == Record::Outcome::decided;
      break;
    case Order::set_switched:
      record.switched = argument;
      break;
    case Order::read_backed_out:
      answer.value = record.backed_out;
      break;
    case Order::set_backed_out:
      record.backed_out = argument;
      break;
    case Order::door_look:
      answer.value = server_.super_read_only;
      break;
    case Order::door_open:
      server_.super_read_only = false;
      break;
    default:  // closes the door where the rest of the fence still stands
      server_.super_read_only = server_.read_only = server_.read_only || w_.mistaken(Mistake::door_shut_blindly);
      break;
  }
  return Done::yes;
}

void ServerTurn::write_decision(Session& session) {
  auto& record = server_.record;
  auto& epoch = record.epochs[session.argument];
  if (epoch.outcome != Record::Outcome::none) {
    if (!w_.mistaken(Mistake::decision_overwritten)) {
      session.answer.error = Error::duplicate;
      return;
    }
    w_.breaks(Property::decided_once, fmt::format("epoch {} had its row", session.argument));
  }
  if (session.argument != record.latest)
    w_.breaks(Property::decided_once, fmt::format("epoch {} is decided in epoch {}", session.argument, record.latest));
  epoch.outcome = Record::Outcome::decided;
  epoch.source_position = session.argument2 & 0xffff;
  epoch.target_position = session.argument2 >> 16;
  record.latest_decided = session.argument;
  const auto& from = w_.server(epoch.from);
  const auto& to = w_.server(other(epoch.from));
  const auto position = epoch.from == Side::source ? epoch.source_position : epoch.target_position;
  w_.say("epoch {} is decided: the {} serves", session.argument, name(record.serves()));
  if (from.log.size != position || from.rows != to.rows)
    w_.breaks(
        Property::unequal_at_flip,
        fmt::format("the {} holds {} rows, its log {}, the last position is {}, the {} holds {} rows", name(epoch.from),
                    from.rows.count(), from.log.size, position, name(other(epoch.from)), to.rows.count()));
}

void ServerTurn::write_closed(Session& session) {
  for (std::uint32_t epoch = 1; epoch <= server_.record.latest; ++epoch) {
    auto& row = server_.record.epochs[epoch];
    if (row.outcome == Record::Outcome::decided && w_.mistaken(Mistake::closing_overwrites) &&
        epoch == server_.record.latest) {
      w_.breaks(Property::decided_once,
                fmt::format("epoch {} was decided, and {} closes it", epoch, name(session.owner)));
    }
    if (row.outcome == Record::Outcome::none) {
      row.outcome = Record::Outcome::closed;
      w_.say("epoch {} is closed", epoch);
    }
  }
}

ServerTurn::Done ServerTurn::standby_order(Session& session) {
  auto& answer = session.answer;
  const bool writes = session.order != Order::lanes_epoch && session.order != Order::read_lanes;
  if (writes && server_.super_read_only) {
    answer.error = Error::read_only;
    return Done::yes;
  }
  switch (session.order) {
    case Order::create_triggers:
      server_.triggers = true;
      break;
    case Order::drop_triggers:
      server_.triggers = false;
      break;
    case Order::lanes_epoch:
      answer.value = server_.lanes_epoch;
      break;
    case Order::begin_lanes:
      server_.lanes_epoch = session.argument;
      server_.lanes_position = session.argument2;
      server_.lanes_batch = 0;
      break;
    case Order::read_lanes:
      answer.value = server_.lanes_position;
      answer.more = server_.lanes_batch;
      break;
    case Order::apply:
      apply(session);
      break;
    default:
      answer.error = Error::refused;
      break;
  }
  return Done::yes;
}

/// A batch: the rows from `argument` to the low half of `argument2`, as batch number the high half.
void ServerTurn::apply(Session& session) {
  const auto begin = session.argument;
  const auto end = session.argument2 & 0xffff;
  const auto batch = session.argument2 >> 16;
  if (server_.lanes_batch + 1 != batch && !w_.mistaken(Mistake::progress_unguarded)) {
    session.answer.error = Error::refused;
    return;
  }
  if (server_.triggers || side_ == w_.record().serves())
    w_.breaks(Property::applied_elsewhere, fmt::format("{} applies on the {}, {}", name(session.owner), name(side_),
                                                       server_.triggers ? "where triggers fire" : "which serves"));
  const auto& log = w_.server(other(side_)).log;
  for (auto i = begin; i < end; ++i) {
    if (server_.rows.test(log.operations[i]))
      w_.breaks(Property::applied_twice, fmt::format("operation {} on the {}", log.operations[i], name(side_)));
    server_.rows.set(log.operations[i]);
  }
  if (w_.mistaken(Mistake::progress_apart) && w_.fault(2000)) return crash();
  server_.lanes_position = end;
  server_.lanes_batch = batch;
}

void ServerTurn::write(Session& session) {
  if (!server_.takes_writes()) {
    session.answer.error = Error::read_only;
    return;
  }
  session.transaction = Transaction::open;
  session.operation = session.argument;
  const auto& client = w_.clients_[session.owner - client_0];
  if (session.owner >= client_0 && session.serial == client.link.serial &&
      (client.acknowledged_before & ~server_.rows).any())
    w_.breaks(Property::unread_ack, fmt::format("{} on the {}", name(session.owner), name(side_)));
}

/// The fence is looked at, then the log has it, and some time later the engine.
ServerTurn::Done ServerTurn::commit(unsigned index, Session& session) {
  switch (session.transaction) {
    case Transaction::open:
      if (!server_.takes_writes()) {
        session.answer.error = Error::read_only;
        session.transaction = Transaction::none;
        return Done::yes;
      }
      session.transaction = Transaction::committing;
      return wait(index, w_.delay());
    case Transaction::committing:
      if (side_ != w_.record().serves())
        w_.breaks(Property::commit_elsewhere, fmt::format("operation {} of {} commits on the {}", session.operation,
                                                          name(session.owner), name(side_)));
      server_.log.operations[server_.log.size++] = static_cast<std::uint8_t>(session.operation);
      ++w_.coverage_.commits;
      session.transaction = Transaction::logged;
      log_grown();
      return wait(index, w_.random_.below(16) == 0 ? w_.random_.below(1500) : w_.delay());
    case Transaction::logged:
      server_.rows.set(session.operation);
      session.transaction = Transaction::none;
      return Done::yes;
    case Transaction::none:
      session.answer.error = Error::refused;
      return Done::yes;
  }
  return Done::yes;
}

/// Follows that listen are told.
void ServerTurn::log_grown() {
  for (unsigned i = 0; i < 2; ++i) {
    const auto& follow = w_.follows_[i];
    if (follow.stage == Follow::Stage::resting && follow.from == side_ && w_.alive(follow.stream))
      w_.due_[follow_0 + i] = w_.now_ + w_.delay();
  }
}

}  // namespace reseal::simulate

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "cutover/machine.hpp"
#include "simulate/server.hpp"

namespace reseal::simulate {

/// The owner's side of a connection.
struct Link {
  Side side = Side::source;
  std::uint8_t slot = 0;
  std::uint32_t serial = 0;  ///< 0: none
};

enum class At : std::uint8_t {
  source,
  target,
  from,
  to,
  lock,
  standby,
  serving,
  record,
  going_on,
  opening,
  proxy_0,
  proxy_1,
  here
};

struct Op {
  Order order;
  At at;
};

/// A piece of work: orders one after the other.
struct Script {
  const Op* ops = nullptr;
  std::uint8_t size = 0;
  std::uint8_t at = 0;
  bool over() const { return at >= size; }
};

/// One process of reseal, as src/run/run.cpp and src/run/switch_over.cpp have it.
struct Tool {
  enum class Stage : std::uint8_t {
    off,
    connecting,
    starting,
    recovering,
    readying,
    meeting_proxies,
    driving,
    switching,
    giving_up,
    holding
  };
  Stage stage = Stage::off;
  bool reconnecting = false;  ///< within `driving`
  bool paused = false;        ///< its next order has had its pause
  std::uint16_t process = 0;
  Side wanted = Side::target;  ///< cutover or rollback
  bool only_start = false;     ///< `reseal start`
  Script script;
  cutover::Step step = cutover::Step::announce;
  cutover::Facts facts;
  Link links[2];
  Link lock;
  Link standby;
  std::uint32_t lost_serials[2] = {0, 0};  ///< connection numbers before a reconnect
  bool lock_ok = false;
  bool recovers = false;
  Side from = Side::source;
  Side serves = Side::source;
  std::uint32_t epoch = 0;
  std::uint32_t final_position = 0;
  std::uint32_t first_read = 0;
  std::uint32_t feed_start = 0;
  std::uint32_t wait_for = 0;
  bool door_fenced = false;
  bool decided = false;
  bool attempt_closed = false;
  std::uint32_t decision_position = 0;
  std::uint32_t decision_epoch = 0;
  std::uint32_t lanes_found = 0;
  bool proxy_there = false;
  bool proxy_holding = false;
  bool end_said = false;
  bool asked_again = false;
  bool sleeps = false;          ///< before it connects anew
  Error failing = Error::none;  ///< why the door to the record is closed on the way out
  Rows seen;
  Rows changed;  ///< rows that the follow has applied since the full comparison
  Millis began = 0;
  Millis step_began = 0;
  std::uint32_t tries = 0;
};

/// src/follow: reads the serving side's log and applies it on the standby.
struct Follow {
  enum class Stage : std::uint8_t { off, connecting, reading_lanes, reading_log, applying, resting, failed };
  Stage stage = Stage::off;
  bool stopping = false;
  Side from = Side::source;
  Link standby;
  Link stream;
  bool second_connection = false;
  std::uint32_t batch = 0;
  std::uint32_t applied = 0;
  std::uint32_t end = 0;  ///< of the batch
};

/// src/proxy and src/run/settle_attempt: the gate, the lease, and who finds out who serves.
struct Proxy {
  bool up = false;
  bool serving_clients = false;
  std::uint16_t process = 0;
  bool holding = false;
  bool quiet_said = false;  ///< to the tool, for this hold
  std::uint32_t epoch = 0;  ///< of the hold; 0: none
  Millis lease_end = never;
  Side serving = Side::source;
  // The settler.
  bool settling = false;
  bool paused = false;
  std::uint32_t settles_for = 0;  ///< epoch; 0 at the start
  Script script;
  Link record;
  Link going_on;
  Link opening;
  std::uint32_t attempt = 0;
  Side from = Side::source;
  bool door_fenced = false;
  std::uint32_t over_before = 0;  ///< the attempt that was known to be over when it asked
  bool closed_seen = false;
  bool over = false;  ///< the attempt is known to be
  bool made = false;
  bool outcome_read = false;
  bool fence_seen = false;
  bool lowered = false;
  bool open_needed = false;
  Millis until = 0;
};

/// A client that writes, one operation per transaction.
struct Client {
  enum class Stage : std::uint8_t { resting, held, connecting, writing, thinking, committing };
  Stage stage = Stage::resting;
  Link link;
  Side side = Side::source;
  std::uint32_t operation = 0;
  Rows acknowledged_before;
  bool has_operation = false;
  bool served_at_end = false;
};

/// A tool's request to a proxy.
struct ControlCall {
  bool under_way = false;
  bool reply_lost = false;
  bool replying = false;
  std::uint8_t proxy = 0;
  Order order = Order::proxy_status;
  std::uint32_t epoch = 0;
  Side side = Side::source;
  Millis deadline = 0;
  Answer answer{};
};

}  // namespace reseal::simulate

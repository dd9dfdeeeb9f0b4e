// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "simulate/vocabulary.hpp"

namespace reseal::simulate {

constexpr unsigned session_slots = 20;
constexpr unsigned most_epochs = 24;

/// A server's side of a connection, with at most one order under way. An order is carried out when it is due, whatever
/// has become of who sent it.
struct Session {
  enum class Phase : std::uint8_t { free, idle, sent, replying };
  enum class Transaction : std::uint8_t { none, open, committing, logged };

  Phase phase = Phase::free;
  bool connected = false;
  bool tagged = false;     ///< names its run and process: can be ended by others of the run
  bool peer_gone = false;  ///< ends when the server notices
  bool reply_lost = false;
  Actor owner = actors;
  std::uint16_t process = 0;
  std::uint32_t serial = 0;  ///< the connection's number
  Transaction transaction = Transaction::none;
  std::uint32_t operation = 0;  ///< of the transaction
  Order order = Order::connect;
  std::uint32_t argument = 0;
  std::uint32_t argument2 = 0;
  Millis deadline = never;  ///< of an order that waits
  Answer answer{};
};

/// The log: the operations in the order of their commits.
struct Log {
  std::array<std::uint8_t, most_operations> operations{};
  std::uint32_t size = 0;
};

/// reseal.attempt and reseal.decision.
struct Record {
  enum class Outcome : std::uint8_t { none, closed, decided };
  struct Epoch {
    Side from = Side::source;
    Outcome outcome = Outcome::none;
    std::uint32_t source_position = 0;
    std::uint32_t target_position = 0;
  };
  std::array<Epoch, most_epochs + 1> epochs{};  ///< from 1
  std::uint32_t latest = 0;                     ///< attempt
  std::uint32_t latest_decided = 0;
  std::uint32_t switched = 0;
  std::uint32_t backed_out = 0;  ///< the attempt that is known to be over

  Side serves() const { return latest_decided == 0 ? Side::source : other(epochs[latest_decided].from); }
};

struct Server {
  bool up = true;
  // Durable.
  bool super_persisted = false;
  bool read_only_persisted = false;
  bool triggers = false;
  Rows rows;  ///< what readers see
  Log log;    ///< ahead of `rows` by commits that the engine has not ended
  std::uint32_t lanes_epoch = 0;
  std::uint32_t lanes_position = 0;  ///< in the other server's log
  std::uint32_t lanes_batch = 0;
  Record record;  ///< on the target
  // Until a crash.
  bool super_read_only = false;
  bool read_only = false;
  std::uint32_t lock_serial = 0;  ///< the session that has the lock of tools; 0: nobody
  std::array<Session, session_slots> sessions;

  bool takes_writes() const { return up && !super_read_only && !read_only; }
};

}  // namespace reseal::simulate

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "wire/protocol.hpp"

namespace reseal::wire {

/// Finds the commands in a client's stream of bytes. Holds no bytes: what it has not passed has to be shown again. A
/// command that stands at the front is told and passes only once it was accepted, so that the caller can let it wait.
///
///     command -> accept -> its bytes -> message_end -> command ...
///     begin_file -> its packets up to an empty one -> file_end -> command ...
class CommandScanner {
 public:
  enum class Found {
    nothing,      ///< show more
    command,      ///< at the front of what is left; `accept` it, or show it again later
    message_end,  ///< the accepted command has passed whole
    file_end,     ///< the file has passed whole
    out_of_order  ///< a packet does not carry the number that is due
  };
  struct Scanned {
    std::size_t pass = 0;
    Found found = Found::nothing;
    Command command = Command::sleep;  ///< with Found::command; an empty message is SLEEP, as the server takes it
    std::size_t size = 0;              ///< with Found::command: bytes of its first packet
  };

  Scanned scan(std::string_view bytes);
  void accept() noexcept { accepted_ = true; }
  /// From now on packets may carry any numbers: within compressed ones nobody looks at them, and libmariadb takes those
  /// of the compressed packets for what follows the first 16 MiB.
  void ignore_numbers() noexcept { numbers_count_ = false; }
  /// The server wished for a file: packets of it come now, not commands.
  void begin_file() noexcept { stage_ = Stage::file; }
  /// True when nothing of a next command has passed.
  bool between_commands() const noexcept { return stage_ == Stage::command && left_ == 0; }
  /// After message_end: the number that the reply's first packet carries.
  std::uint8_t reply_sequence() const noexcept { return next_sequence_; }

 private:
  enum class Stage { command, continuation, file, file_continuation };
  Found enter(std::string_view rest, Scanned& scanned);
  Found end_packet();

  Stage stage_ = Stage::command;
  bool accepted_ = false;
  bool numbers_count_ = true;
  std::size_t left_ = 0;         ///< bytes of the current packet that are still to pass
  std::size_t packet_size_ = 0;  ///< payload of the current packet
  std::uint8_t next_sequence_ = 0;
};

}  // namespace reseal::wire

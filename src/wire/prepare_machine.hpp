// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "wire/reply.hpp"
#include "wire/reply_tracker.hpp"

namespace reseal::wire {

/// Reads the answer to one COM_STMT_PREPARE, message by message, without I/O.
class PrepareMachine {
 public:
  enum class Progress {
    more,          ///< feed the next message
    done,          ///< `statement`, `parameters` and `columns` hold the answer
    server_error,  ///< `server_error` holds it; the session goes on
    bad_input      ///< the session is lost
  };

  explicit PrepareMachine(std::uint32_t capabilities) : tracker_(capabilities) {
    tracker_.begin(Command::stmt_prepare);
  }

  Progress feed(std::string_view payload);

  std::uint32_t statement() const noexcept { return tracker_.prepared_id(); }
  std::uint16_t parameters() const noexcept { return tracker_.prepared_parameters(); }
  std::uint16_t columns() const noexcept { return tracker_.prepared_columns(); }
  const ErrorReply& server_error() const noexcept { return server_error_; }

 private:
  ReplyTracker tracker_;
  ErrorReply server_error_;
};

}  // namespace reseal::wire

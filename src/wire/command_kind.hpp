// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wire/protocol.hpp"

namespace reseal::wire {

/// How the reply to a command is put together ("Command Phase", MySQL Source Code Documentation).
enum class ReplyShape {
  none,      ///< no packet comes: STMT_CLOSE, STMT_SEND_LONG_DATA, QUIT
  single,    ///< OK, ERR or EOF; what an unknown command gets too
  text,      ///< one packet of text, or ERR: STATISTICS
  rows,      ///< packets up to an EOF or ERR: STMT_FETCH, FIELD_LIST
  results,   ///< OK, ERR, a wish for a local file, or a result set; and perhaps more of them
  prepared,  ///< STMT_PREPARE's OK, then parameters and columns
  login      ///< the exchange of a login: CHANGE_USER
};

ReplyShape reply_shape(Command command) noexcept;

/// Commands of replicas and of clones. A replica behind the proxy would follow the move to the other server, whose
/// binary log has other positions.
bool belongs_to_a_replica(Command command) noexcept;

}  // namespace reseal::wire

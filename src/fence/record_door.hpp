// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "mysql/session.hpp"

namespace reseal::fence {

/// Lets our account write its own records on a server that is fenced by super_read_only, for as long as it lives.
/// read_only, which is under it, keeps every other account out but those with CONNECTION_ADMIN or SUPER. On a server
/// that is not so fenced it does nothing. The session outlives it. Throws Failure on a server error.
class RecordDoor final {
 public:
  explicit RecordDoor(mysql::Session& server);
  /// Closes it. When the connection is gone by then, read_only still stands, and whoever goes on with the switch raises
  /// the fence again.
  ~RecordDoor();
  RecordDoor(const RecordDoor&) = delete;
  RecordDoor& operator=(const RecordDoor&) = delete;

 private:
  mysql::Session& server_;
  bool fenced_;
};

}  // namespace reseal::fence

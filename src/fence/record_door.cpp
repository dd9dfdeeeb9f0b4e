// SPDX-License-Identifier: Apache-2.0
#include "fence/record_door.hpp"

#include "base/failure.hpp"

namespace reseal::fence {

RecordDoor::RecordDoor(mysql::Session& server)
    : server_(server), fenced_(server.scalar("SELECT @@GLOBAL.super_read_only") == "1") {
  if (fenced_) server_.execute("SET GLOBAL super_read_only=OFF");  // leaves read_only on
}

RecordDoor::~RecordDoor() {
  try {
    // Not when somebody has lowered the fence meanwhile: it would stand again, and nobody would know.
    if (fenced_) server_.execute("SET GLOBAL super_read_only=@@GLOBAL.read_only");
  } catch (const base::Failure&) {
    // See the header: nothing to be done here.
  }
}

}  // namespace reseal::fence

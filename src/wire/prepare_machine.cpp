// SPDX-License-Identifier: Apache-2.0
#include "wire/prepare_machine.hpp"

namespace reseal::wire {

PrepareMachine::Progress PrepareMachine::feed(std::string_view payload) {
  if (is_error(payload)) {
    auto parsed = parse_error(payload);
    if (!parsed.ok()) return Progress::bad_input;
    server_error_ = std::move(parsed).value();
    return Progress::server_error;
  }
  switch (tracker_.packet(payload.size(), payload)) {
    case ReplyTracker::Progress::under_way:
      return Progress::more;
    case ReplyTracker::Progress::ended:
      return Progress::done;
    case ReplyTracker::Progress::file_wanted:
    case ReplyTracker::Progress::bad_input:
      break;
  }
  return Progress::bad_input;
}

}  // namespace reseal::wire

// SPDX-License-Identifier: Apache-2.0
#include "proxy/own_command.hpp"

#include "wire/command.hpp"
#include "wire/protocol.hpp"

namespace reseal::proxy {
namespace {

constexpr std::size_t message_limit = 1024 * 1024;

}  // namespace

OwnCommand::OwnCommand(Side& side, std::uint32_t capabilities, std::string_view statement)
    : side_(&side), result_(capabilities) {
  // "COM_QUERY": with query attributes, first the number of them and of their sets.
  const bool attributes = (capabilities & wire::capability::query_attributes) != 0;
  side_->begin_messages(message_limit, 0);
  side_->send(wire::query_command(attributes ? std::string("\0\x01", 2).append(statement) : std::string(statement)));
}

OwnCommand::Progress OwnCommand::step(BufferPool& pool) {
  using Result = wire::TextResultMachine::Progress;
  side_->flush();
  while (true) {
    const auto got = side_->receive(pool);
    if (got == Side::Got::nothing) return Progress::under_way;
    if (got != Side::Got::message) return over(Progress::lost);
    switch (result_.feed(side_->message())) {
      case Result::more:
        break;
      case Result::done:
        return over(Progress::done);
      case Result::server_error:
        return over(Progress::server_error);
      case Result::bad_input:
        return over(Progress::lost);
    }
  }
}

OwnCommand::Progress OwnCommand::over(Progress progress) {
  side_->end_messages();
  return progress;
}

}  // namespace reseal::proxy

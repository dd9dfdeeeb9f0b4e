// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "proxy/side.hpp"
#include "wire/prepare_machine.hpp"
#include "wire/text_result_machine.hpp"

namespace reseal::proxy {

/// One command of the proxy's own on a connection that is logged in and between two replies, whose answer `Machine`
/// reads.
template <typename Machine>
class OwnCommand {
 public:
  enum class Progress { under_way, done, server_error, lost };

  /// Sends `payload`; `side` outlives this.
  OwnCommand(Side& side, std::uint32_t capabilities, std::string_view payload) : side_(&side), result_(capabilities) {
    side_->begin_messages(message_limit, 0);
    side_->send(payload);
  }

  /// Goes on as far as it goes without waiting. At the end `side` is as it was.
  Progress step(BufferPool& pool) {
    side_->flush();
    while (true) {
      const auto got = side_->receive(pool);
      if (got == Side::Got::nothing) return Progress::under_way;
      if (got != Side::Got::message) return over(Progress::lost);
      switch (result_.feed(side_->message())) {
        case Machine::Progress::more:
          break;
        case Machine::Progress::done:
          return over(Progress::done);
        case Machine::Progress::server_error:
          return over(Progress::server_error);
        case Machine::Progress::bad_input:
          return over(Progress::lost);
      }
    }
  }

  const Machine& result() const noexcept { return result_; }

 private:
  static constexpr std::size_t message_limit = 4 * 1024 * 1024;

  Progress over(Progress progress) {
    side_->end_messages();
    return progress;
  }

  Side* side_;
  Machine result_;
};

using OwnQuery = OwnCommand<wire::TextResultMachine>;
using OwnPrepare = OwnCommand<wire::PrepareMachine>;

/// COM_QUERY as a session with these capabilities sends it.
std::string query_payload(std::string_view statement, std::uint32_t capabilities);

}  // namespace reseal::proxy

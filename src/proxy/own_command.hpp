// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/side.hpp"
#include "wire/text_result_machine.hpp"

namespace reseal::proxy {

/// One statement of the proxy's own on a connection that is logged in and between two replies.
class OwnCommand {
 public:
  enum class Progress { under_way, done, server_error, lost };

  /// Sends `statement`; `side` outlives this.
  OwnCommand(Side& side, std::uint32_t capabilities, std::string_view statement);
  /// Goes on as far as it goes without waiting. At the end `side` is as it was.
  Progress step(BufferPool& pool);

  const wire::TextResultMachine& result() const noexcept { return result_; }

 private:
  Progress over(Progress progress);
  Side* side_;
  wire::TextResultMachine result_;
};

}  // namespace reseal::proxy

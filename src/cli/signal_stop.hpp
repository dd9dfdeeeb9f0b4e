// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <stop_token>
#include <thread>

namespace reseal::cli {

/// Turns SIGTERM and SIGINT into a stop. Construct it before any other thread starts: they inherit the blocked signals.
class SignalStop {
 public:
  SignalStop();
  std::stop_token token() const { return stop_.get_token(); }

 private:
  sigset_t signals_{};
  std::stop_source stop_;
  std::jthread waiter_;
};

}  // namespace reseal::cli

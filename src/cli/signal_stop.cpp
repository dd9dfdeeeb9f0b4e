// SPDX-License-Identifier: Apache-2.0
#include "cli/signal_stop.hpp"

#include <pthread.h>

namespace reseal::cli {

SignalStop::SignalStop() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  waiter_ = std::jthread([this](std::stop_token ended) {
    const timespec slice{0, 100'000'000};
    while (!ended.stop_requested())
      if (sigtimedwait(&signals_, nullptr, &slice) > 0) stop_.request_stop();
  });
}

}  // namespace reseal::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>

#include "rds/service_error.hpp"

namespace reseal::rds {

/// What a second sending of the same request may do.
enum class Repeat {
  harmless,  ///< reads, and writes that say the same twice: sent again also after a lost answer
  never      ///< a lost answer goes back to the caller, who looks what became of it
};

/// Exponential backoff with full jitter: after n attempts, a random part of min(cap, base·2^(n-1)) is waited.
struct RetryPolicy {
  int most_attempts = 8;  ///< the first one included
  std::chrono::milliseconds base{500};
  std::chrono::milliseconds cap{20'000};

  /// How long to wait before the next attempt after `attempts` of them failed, the last with `error`; nothing when
  /// there is to be none. `chance` is in [0, 1). Throttled requests and those that never arrived were not carried out,
  /// so that they are sent again whatever `repeat` says.
  std::optional<std::chrono::milliseconds> wait_before_next(int attempts, ErrorClass error, Repeat repeat,
                                                            double chance) const;
};

}  // namespace reseal::rds

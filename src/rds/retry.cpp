// SPDX-License-Identifier: Apache-2.0
#include "rds/retry.hpp"

#include <algorithm>

namespace reseal::rds {

std::optional<std::chrono::milliseconds> RetryPolicy::wait_before_next(int attempts, ErrorClass error, Repeat repeat,
                                                                       double chance) const {
  if (attempts >= most_attempts) return std::nullopt;
  const bool not_carried_out = error == ErrorClass::throttled || error == ErrorClass::not_sent;
  const bool unknown = error == ErrorClass::server_fault;
  if (!not_carried_out && !(unknown && repeat == Repeat::harmless)) return std::nullopt;
  auto longest = base;
  for (int i = 1; i < attempts && longest < cap; ++i) longest *= 2;
  return std::chrono::milliseconds(
      static_cast<std::chrono::milliseconds::rep>(static_cast<double>(std::min(longest, cap).count()) * chance));
}

}  // namespace reseal::rds

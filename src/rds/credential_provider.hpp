// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>

#include "rds/clock.hpp"
#include "rds/credentials.hpp"

namespace reseal::rds {

/// The credentials of now. Those that expire are fetched again 15 minutes ahead; when that does not work, the old ones
/// serve while they last, and a minute passes before the next try. Any thread may call it.
class CredentialProvider {
 public:
  /// Finds credentials anew: the chain, files and all. Throws Failure.
  using Load = std::function<Credentials(const std::stop_token&)>;
  CredentialProvider(Load load, Clock clock) : load_(std::move(load)), clock_(std::move(clock)) {}

  Credentials current(const std::stop_token& stop);
  /// The service said that `used` is expired: the next `current` fetches, unless somebody else already has.
  void expired(const Credentials& used);

 private:
  std::mutex mutex_;
  Load load_;
  Clock clock_;
  std::optional<Credentials> held_;
  Time next_try_;
};

}  // namespace reseal::rds

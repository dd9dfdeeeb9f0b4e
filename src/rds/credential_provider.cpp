// SPDX-License-Identifier: Apache-2.0
#include "rds/credential_provider.hpp"

#include "base/failure.hpp"

namespace reseal::rds {

Credentials CredentialProvider::current(const std::stop_token& stop) {
  using namespace std::chrono_literals;
  const std::lock_guard lock(mutex_);
  const auto now = clock_.now();
  if (held_ && (!held_->expires || *held_->expires - now > 15min)) return *held_;
  const bool usable = held_ && *held_->expires - now > 1min;
  if (usable && now < next_try_) return *held_;
  try {
    held_ = load_(stop);
  } catch (const base::Failure& failure) {
    if (!usable || failure.kind() == base::FailureKind::interrupted) throw;
    next_try_ = now + 1min;
  }
  return *held_;
}

void CredentialProvider::expired(const Credentials& used) {
  const std::lock_guard lock(mutex_);
  if (held_ && held_->access_key_id == used.access_key_id &&
      held_->session_token.reveal() == used.session_token.reveal())
    held_.reset();
}

}  // namespace reseal::rds

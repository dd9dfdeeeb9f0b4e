// SPDX-License-Identifier: Apache-2.0
#include "sandbox/rds/faults.hpp"

#include "sandbox/rds/api_error.hpp"

namespace reseal::sandbox::rds {

void Faults::throttle_every(int n) {
  if (n < 0) throw invalid_value("throttle-every must not be negative.");
  const std::lock_guard lock(mutex_);
  throttle_every_ = n;
  requests_ = 0;
}

void Faults::lose_answers(const std::string& action, int times) {
  const std::lock_guard lock(mutex_);
  lost_[action] = times;
}

void Faults::set(const Form& form) {
  if (form.has("throttle-every")) throttle_every(form.number("throttle-every", 0));
  if (const auto action = form.find("lose-answer")) lose_answers(*action, form.number("times", 1));
}

bool Faults::throttles() {
  const std::lock_guard lock(mutex_);
  return throttle_every_ > 0 && ++requests_ % throttle_every_ == 0;
}

bool Faults::loses(const std::string& action) {
  const std::lock_guard lock(mutex_);
  const auto found = lost_.find(action);
  if (found == lost_.end() || found->second <= 0) return false;
  --found->second;
  return true;
}

}  // namespace reseal::sandbox::rds

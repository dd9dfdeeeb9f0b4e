// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "sandbox/rds/form.hpp"

namespace reseal::sandbox::rds {

/// Faults on demand, for rehearsals and tests. Any thread may call.
class Faults {
 public:
  /// Every Nth request is answered with Throttling; 0: none.
  void throttle_every(int n);
  /// The next `times` requests of this action are carried out and not answered: the connection closes.
  void lose_answers(const std::string& action, int times);
  /// `throttle-every=N` and `lose-answer=ACTION` with `times=N`, of a POST /sandbox/faults.
  void set(const Form& form);

  /// Whether this request is to be throttled; counts it.
  bool throttles();
  /// Whether this answer is to be lost; counts it.
  bool loses(const std::string& action);

 private:
  std::mutex mutex_;
  int throttle_every_ = 0;
  int requests_ = 0;
  std::map<std::string, int> lost_;
};

}  // namespace reseal::sandbox::rds

// SPDX-License-Identifier: Apache-2.0
#include "rds/environment.hpp"

#include <strings.h>

#include <cstdlib>

namespace reseal::rds {

Environment Environment::of_process() {
  return Environment([](const char* name) -> const char* { return std::getenv(name); });
}

bool Environment::flag(const char* name) const {
  const char* value = lookup_(name);
  return value != nullptr && strcasecmp(value, "true") == 0;
}

}  // namespace reseal::rds

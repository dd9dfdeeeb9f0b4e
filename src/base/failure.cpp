// SPDX-License-Identifier: Apache-2.0
#include "base/failure.hpp"

#include <cstdio>
#include <cstdlib>

namespace reseal::base {

int exit_code(FailureKind kind) noexcept {
  switch (kind) {
    case FailureKind::usage:
      return 64;
    case FailureKind::refused:
      return 3;
    case FailureKind::divergence:
      return 2;
    case FailureKind::running:
      return 5;
    case FailureKind::given_up:
      return 4;
    case FailureKind::interrupted:
      return 6;
    case FailureKind::needs_operator:
      return 7;
    case FailureKind::transient:
    case FailureKind::source:
    case FailureKind::target:
    case FailureKind::unsupported:
    case FailureKind::local:
      return 1;
  }
  return 70;
}

void bug(const char* what, const char* file, int line) noexcept {
  std::fprintf(stderr, "reseal: bug: %s does not hold at %s:%d; the run can be started again\n", what, file, line);
  std::abort();
}

}  // namespace reseal::base

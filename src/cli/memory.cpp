// SPDX-License-Identifier: Apache-2.0
#include "cli/memory.hpp"

#include <malloc.h>
#include <sys/resource.h>

namespace reseal::cli {

void keep_memory_low() noexcept {
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 4 << 20);
  mallopt(M_ARENA_MAX, 2);
}

long peak_memory_kib() noexcept {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

}  // namespace reseal::cli

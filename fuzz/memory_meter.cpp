// SPDX-License-Identifier: Apache-2.0
#include "fuzz/memory_meter.hpp"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

// Another thread of a sanitizer may allocate too.
std::atomic<std::size_t> in_use{0};
std::atomic<std::size_t> most_in_use{0};

void* counted(void* place) noexcept {
  const auto now = in_use += ::malloc_usable_size(place);
  if (now > most_in_use) most_in_use = now;
  return place;
}

void give_back(void* place) noexcept {
  in_use -= ::malloc_usable_size(place);
  std::free(place);
}

}  // namespace

// The forms for arrays come down to these, or, under a sanitizer, are a pair of their own that is not counted.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  void* const place = std::malloc(size == 0 ? 1 : size);
  return place == nullptr ? nullptr : counted(place);
}
void* operator new(std::size_t size) {
  void* const place = operator new(size, std::nothrow);
  if (place == nullptr) throw std::bad_alloc();
  return place;
}
void operator delete(void* place, const std::nothrow_t&) noexcept { give_back(place); }
void operator delete(void* place) noexcept { give_back(place); }
void operator delete(void* place, std::size_t) noexcept { give_back(place); }

namespace reseal::fuzz {

MemoryMeter::MemoryMeter() noexcept : before_(in_use) { most_in_use = before_; }

std::size_t MemoryMeter::most() const noexcept { return most_in_use - before_; }

}  // namespace reseal::fuzz

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "simulate/coverage.hpp"
#include "simulate/vocabulary.hpp"

namespace reseal::simulate {

/// A broken run.
struct Break {
  std::uint64_t seed = 0;
  Property property = Property::none;
  std::string why;
};

/// What the runs of a range of seeds came to.
struct Findings {
  Coverage coverage;
  std::uint64_t broken = 0;
  std::array<std::uint64_t, static_cast<std::size_t>(Property::count)> by{};
  std::optional<Break> first;  ///< of the smallest seed

  void add(const Findings& more);
};

/// The runs of the seeds from `first`, shared out to `threads`: the findings are the same for any number of them.
Findings simulate(std::uint64_t first, std::uint64_t runs, Mistake mistake, unsigned threads);

/// One run, line by line.
std::string trace(std::uint64_t seed, Mistake mistake);

}  // namespace reseal::simulate

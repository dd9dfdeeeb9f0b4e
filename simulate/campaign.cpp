// SPDX-License-Identifier: Apache-2.0
#include "simulate/campaign.hpp"

#include <thread>
#include <vector>

#include "simulate/world.hpp"

namespace reseal::simulate {
namespace {

Findings simulate_in_turn(std::uint64_t first, std::uint64_t runs, Mistake mistake) {
  Findings findings;
  for (std::uint64_t seed = first; seed < first + runs; ++seed) {
    World world(seed, mistake, findings.coverage, nullptr);
    world.run();
    if (world.broken() == Property::none) continue;
    ++findings.broken;
    ++findings.by[static_cast<std::size_t>(world.broken())];
    if (!findings.first) findings.first = Break{seed, world.broken(), world.why()};
  }
  return findings;
}

}  // namespace

void Findings::add(const Findings& more) {
  coverage.add(more.coverage);
  broken += more.broken;
  for (std::size_t i = 0; i < by.size(); ++i) by[i] += more.by[i];
  if (more.first && (!first || more.first->seed < first->seed)) first = more.first;
}

Findings simulate(std::uint64_t first, std::uint64_t runs, Mistake mistake, unsigned threads) {
  std::vector<Findings> parts(threads);
  {
    std::vector<std::jthread> running;
    for (unsigned i = 0; i < threads; ++i) {
      const auto begin = runs * i / threads;
      const auto end = runs * (i + 1) / threads;
      running.emplace_back([&parts, i, first, begin, end, mistake] {
        parts[i] = simulate_in_turn(first + begin, end - begin, mistake);
      });
    }
  }
  Findings all;
  for (const auto& part : parts) all.add(part);
  return all;
}

std::string trace(std::uint64_t seed, Mistake mistake) {
  std::string lines;
  Coverage coverage;
  World world(seed, mistake, coverage, &lines);
  world.run();
  return lines;
}

}  // namespace reseal::simulate

// SPDX-License-Identifier: Apache-2.0
// reseal-simulate: see tools/simulate, which builds and calls it.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string_view>
#include <thread>

#include "simulate/campaign.hpp"

namespace {

using namespace reseal::simulate;

constexpr int usage_error = 64;
constexpr std::uint64_t enough_for_kills = 20'000;     ///< runs in which the tool must have died at every step
constexpr std::uint64_t enough_for_crashes = 200'000;  ///< and servers have crashed and answers been lost
constexpr std::uint64_t search_limit = 1'000'000;      ///< runs in which a planted mistake must be found

struct Wish {
  std::uint64_t runs = 0;
  std::uint64_t seed = 1;
  std::uint64_t planted_runs = 20'000;
  unsigned threads = std::max(1U, std::thread::hardware_concurrency());
  bool planted = false;
  bool often = false;  ///< of the planted, those only that show often
  bool trace = false;
  Mistake mistake = Mistake::none;
};

std::optional<std::uint64_t> number(std::string_view text, std::uint64_t most) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

std::optional<Mistake> mistake_named(std::string_view text) {
  for (unsigned i = 1; i < static_cast<unsigned>(Mistake::count); ++i)
    if (name(static_cast<Mistake>(i)) == text) return static_cast<Mistake>(i);
  return std::nullopt;
}

std::optional<Wish> read_arguments(int count, char** arguments) {
  Wish wish;
  for (int i = 1; i < count; ++i) {
    const std::string_view option = arguments[i];
    if (option == "--planted" || option == "--planted-often" || option == "--trace") {
      (option == "--trace" ? wish.trace : wish.planted) = true;
      wish.often = wish.often || option == "--planted-often";
      continue;
    }
    if (++i == count) return std::nullopt;
    const std::string_view text = arguments[i];
    if (option == "--mistake") {
      const auto mistake = mistake_named(text);
      if (!mistake) return std::nullopt;
      wish.mistake = *mistake;
      continue;
    }
    const auto value = number(text, option == "--threads" ? 1000 : 1'000'000'000'000ULL);
    if (!value || (*value == 0 && option != "--seed")) return std::nullopt;
    if (option == "--runs")
      wish.runs = *value;
    else if (option == "--seed")
      wish.seed = *value;
    else if (option == "--planted-runs")
      wish.planted_runs = *value;
    else if (option == "--threads")
      wish.threads = static_cast<unsigned>(*value);
    else
      return std::nullopt;
  }
  if (wish.runs == 0 || (wish.trace && wish.runs != 1)) return std::nullopt;
  return wish;
}

void print_first(const Findings& findings, Mistake mistake) {
  if (!findings.first) return;
  fmt::print("simulate: first: seed {}: {}: {}\nsimulate: see it: tools/simulate --runs 1 --trace --seed {}{}\n",
             findings.first->seed, name(findings.first->property), findings.first->why, findings.first->seed,
             mistake == Mistake::none ? "" : fmt::format(" --mistake {}", name(mistake)));
}

std::string properties(const Findings& findings) {
  std::string text;
  for (std::size_t i = 1; i < findings.by.size(); ++i)
    if (findings.by[i] != 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name(static_cast<Property>(i)), findings.by[i]);
  return text;
}

struct Planted {
  unsigned mistakes = 0;
  unsigned found = 0;
};

/// Every planted mistake must be found.
Planted find_planted(const Wish& wish) {
  Planted planted;
  for (unsigned i = 1; i < static_cast<unsigned>(Mistake::count); ++i) {
    const auto mistake = static_cast<Mistake>(i);
    if (wish.often && shows_seldom(mistake)) continue;
    ++planted.mistakes;
    auto findings = simulate(wish.seed, wish.planted_runs, mistake, wish.threads);
    while (findings.broken == 0 && findings.coverage.runs < search_limit)
      findings.add(simulate(wish.seed + findings.coverage.runs, wish.planted_runs, mistake, wish.threads));
    const bool seen = findings.broken != 0;
    planted.found += seen;
    fmt::print("simulate: planted {:<26} {} in {} of {} runs{}\n", name(mistake), seen ? "found" : "NOT FOUND",
               findings.broken, findings.coverage.runs,
               seen ? fmt::format(", by {}; seed {}", properties(findings), findings.first->seed) : "");
    std::fflush(stdout);
  }
  return planted;
}

/// False when a step was never taken, never died at, or never hit by a crash or a lost answer.
bool print_coverage(const Coverage& coverage) {
  using reseal::cutover::Step;
  bool complete = true;
  fmt::print("simulate: {:<14} {:>10} {:>10} {:>14} {:>12}\n", "step", "taken", "tool died", "server crashed",
             "no answer");
  for (unsigned i = 0; i < steps; ++i) {
    const auto step = static_cast<Step>(i);
    if (step == Step::finished || step == Step::given_up) continue;
    fmt::print("simulate: {:<14} {:>10} {:>10} {:>14} {:>12}\n", reseal::cutover::name(step), coverage.taken[i],
               coverage.killed_at[i], coverage.crashed_at[i], coverage.unknown_at[i]);
    if (coverage.runs >= enough_for_kills && coverage.killed_at[i] == 0) complete = false;
    // The proxies, the follow and the hook are not orders to a server.
    const bool on_a_server =
        step != Step::hold && step != Step::drain && step != Step::release && step != Step::run_hook;
    if (coverage.runs >= enough_for_crashes && on_a_server &&
        (coverage.crashed_at[i] == 0 || coverage.unknown_at[i] == 0))
      complete = false;
  }
  fmt::print(
      "simulate: ended with the source serving {}, the target {}; proxies died {}, asked the record {}; {} commits of"
      " clients, {} events\n",
      coverage.source_ends, coverage.target_ends, coverage.proxy_kills, coverage.settled, coverage.commits,
      coverage.events);
  const bool both_ends = coverage.source_ends != 0 && coverage.target_ends != 0;
  return complete && (both_ends || coverage.runs < enough_for_kills);
}

}  // namespace

int main(int count, char** arguments) {
  const auto wish = read_arguments(count, arguments);
  if (!wish) {
    fmt::print(stderr,
               "usage: reseal-simulate --runs N [--seed S] [--planted | --planted-often] [--planted-runs N] [--mistake "
               "NAME] [--threads N]"
               " [--trace, with --runs 1]\n");
    return usage_error;
  }
  const auto began = std::chrono::steady_clock::now();
  if (wish->trace) fmt::print("{}", trace(wish->seed, wish->mistake));
  const auto findings = simulate(wish->seed, wish->runs, wish->mistake, wish->threads);
  const auto& coverage = findings.coverage;
  bool good = findings.broken == 0;
  if (!wish->trace && !print_coverage(coverage)) {
    fmt::print("simulate: the runs did not come by every step and every fault: they prove less than they should\n");
    good = false;
  }
  if (findings.broken != 0) fmt::print("simulate: broken: {}\n", properties(findings));
  print_first(findings, wish->mistake);
  std::fflush(stdout);
  const auto planted = wish->planted ? find_planted(*wish) : Planted();
  if (planted.found != planted.mistakes) good = false;
  const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  fmt::print("SIMULATE runs={} violations={} decided={} given_up={} crashes={} planted={} found={} seconds={:.1f}\n",
             coverage.runs, findings.broken, coverage.decided, coverage.closed,
             coverage.tool_kills + coverage.proxy_kills + coverage.server_crashes, planted.mistakes, planted.found,
             seconds);
  return good ? 0 : 1;
}

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/failure.hpp"
#include "base/log.hpp"
#include "cli/memory.hpp"
#include "cli/run_settings.hpp"
#include "cli/signal_stop.hpp"
#include "cli/verbs.hpp"
#include "run/fenced_copy.hpp"
#include "run/finish.hpp"
#include "run/run.hpp"
#include "run/switch_over.hpp"

namespace reseal::cli {
namespace {

using base::Failure;
using base::FailureKind;

/// What all verbs here share for the time of one command.
struct Command {
  RunSettings settings;
  bool json = false;
  std::string until = "armed";
  bool hold = false;
  bool execute = false;
  bool drop_record = false;
  run::SwitchOptions limits;
  std::int64_t timeout_ms = 10'000;
  std::int64_t max_lag_ms = 2'000;
  std::int64_t drain_ms = 1'000;
};

run::Until until_named(const std::string& text) {
  if (text == "provisioned") return run::Until::provisioned;
  if (text == "seeded") return run::Until::seeded;
  if (text == "caught-up") return run::Until::caught_up;
  if (text == "verified") return run::Until::verified;
  return run::Until::armed;
}

/// Before anything else, an earlier switch that was cut off is finished or backed out. Throws Failure(needs_operator)
/// when finishing it left something for a person.
void finish_earlier_switch(run::Run& run, const run::SwitchOptions& limits) {
  const auto earlier = run::SwitchOver(run, limits).recover();
  if (earlier.switched && !earlier.person_needed.empty())
    throw Failure(FailureKind::needs_operator,
                  fmt::format("the {} serves; {}", cutover::name(earlier.serves), earlier.person_needed));
}

/// A way whose fence comes first: `start` makes ready, and only `cutover` begins the downtime.
int start_before_fence(const Command& command, run::Run& run, const SignalStop& signals) {
  if (command.until != "armed" && command.until != "provisioned")
    throw Failure(FailureKind::usage, fmt::format("the way {} copies in the downtime, so start ends before the copy:"
                                                  " leave --until {} out; nothing was changed",
                                                  name(run.way()), command.until));
  if (run::FencedCopy copy(run, command.limits); copy.unfinished()) copy.back_out();
  run.advance(run::ahead_of_fence(run.way()), signals.token());
  std::cout << fmt::format(
      "run {} is {}; ready: reseal cutover begins the downtime: the source takes no writes from then on, is"
      " copied and compared, and the target serves when both are equal\n",
      run.id(), name(run.phase()));
  return 0;
}

int start(const Command& command) {
  base::Log log;
  const SignalStop signals;
  run::Run run(command.settings.options(), log);
  finish_earlier_switch(run, command.limits);
  if (run.serves() == cutover::Serves::target) {
    std::cout << "the target serves\n";
    if (!command.hold) return 0;
    run.follow_back();
    log.info("the source follows the target until SIGTERM; reseal rollback leads back to it");
    run.hold(signals.token());
    return 0;
  }
  if (run.fences_first()) return start_before_fence(command, run, signals);
  run.advance(until_named(command.until), signals.token());
  std::cout << "run " << run.id() << " is " << name(run.phase())
            << (run.phase() == run::Phase::verified ? "; ready: reseal cutover" : "") << "\n";
  if (command.hold && run.phase() == run::Phase::verified) {
    log.info("holding: the follow goes on until SIGTERM; then run reseal cutover");
    run.hold(signals.token());
  }
  log.info(fmt::format("peak memory {} MiB", peak_memory_kib() / 1024));
  return 0;
}

int verify(const Command& command) {
  base::Log log;
  const SignalStop signals;
  run::Run run(command.settings.options(), log);
  finish_earlier_switch(run, command.limits);
  if (run.serves() == cutover::Serves::target)
    throw Failure(
        FailureKind::refused,
        "the target serves, and the source stays as it was; a rollback compares every row before it leads back");
  if (run.fences_first())
    throw Failure(FailureKind::refused, fmt::format("the way {} compares in the downtime, before it switches: there is"
                                                    " nothing to compare yet; nothing was changed",
                                                    name(run.way())));
  run.advance(run::Until::caught_up, signals.token());
  const auto report = run.verify(signals.token());
  std::cout << fmt::format("{} tables, {} rows: ", report.tables, report.rows)
            << (report.equal() ? "equal\n" : "no difference found; not all could be judged while it moves:\n");
  for (const auto& part : report.unjudged) std::cout << "  " << text(part) << "\n";
  return 0;
}

std::string as_json(const run::Run& run, const run::SwitchReport& report) {
  nlohmann::json steps = nlohmann::json::array();
  for (const auto& [step, took] : report.steps) steps.push_back({{"step", step}, {"ms", took.count()}});
  return nlohmann::json{{"run", run.id()},
                        {"switched", report.switched},
                        {"serves", cutover::name(report.serves)},
                        {"stall_ms", report.stall.count()},
                        {"downtime_ms", report.downtime.count()},
                        {"given_up_because", report.given_up_because},
                        {"person_needed", report.person_needed},
                        {"steps", steps}}
      .dump();
}

int told(const Command& command, const run::Run& run, const run::SwitchReport& report, base::Log& log) {
  if (command.json) {
    std::cout << as_json(run, report) << "\n";
  } else {
    for (const auto& [step, took] : report.steps) std::cout << fmt::format("  {:<16} {:>6} ms\n", step, took.count());
    if (report.switched)
      std::cout << fmt::format("the {} serves; stall {} ms, downtime {} ms. The {} stays fenced\n",
                               cutover::name(report.serves), report.stall.count(), report.downtime.count(),
                               cutover::name(cutover::other(report.serves)));
  }
  log.info(fmt::format("peak memory {} MiB", peak_memory_kib() / 1024));
  if (!report.switched)
    throw Failure(
        FailureKind::given_up,
        fmt::format("the switch was given up ({}); the {} serves, nothing is lost. Try again when that is mended",
                    report.given_up_because, cutover::name(report.serves)));
  if (!report.person_needed.empty())
    throw Failure(FailureKind::needs_operator,
                  fmt::format("the {} serves; {}", cutover::name(report.serves), report.person_needed));
  return 0;
}

/// Cutover and rollback: the switch to `wanted`. One that was cut off is finished or backed out first; when that led
/// to the wanted side, or it serves already, there is nothing more to do.
int switch_to(cutover::Serves wanted, const Command& command) {
  base::Log log;
  const SignalStop signals;
  auto limits = command.limits;
  limits.timeout = std::chrono::milliseconds(command.timeout_ms);
  limits.max_lag = std::chrono::milliseconds(command.max_lag_ms);
  limits.drain = std::chrono::milliseconds(command.drain_ms);
  run::Run run(command.settings.options(), log);
  const auto earlier = run::SwitchOver(run, limits).recover();
  if (earlier.switched && earlier.serves == wanted) return told(command, run, earlier, log);
  if (run.serves() == wanted) {
    if (run::FencedCopy copy(run, limits); copy.unfinished()) copy.back_out();
    std::cout << fmt::format("the {} serves already\n", cutover::name(wanted));
    return 0;
  }
  if (wanted == cutover::Serves::target) return told(command, run, run::cut_over(run, limits, signals.token()), log);
  run.make_ready_for_rollback(signals.token());
  return told(command, run, run::SwitchOver(run, limits).execute(signals.token()), log);
}

int cutover_to_target(const Command& command) { return switch_to(cutover::Serves::target, command); }
int rollback(const Command& command) { return switch_to(cutover::Serves::source, command); }

/// A `start --hold` has the run: it is not stopped from here.
std::unique_ptr<run::Run> open_to_finish(const Command& command, base::Log& log) {
  auto options = command.settings.options();
  options.purpose = run::Purpose::finish;
  try {
    return std::make_unique<run::Run>(options, log);
  } catch (const Failure& failure) {
    if (failure.kind() != FailureKind::running) throw;
    throw Failure(FailureKind::running, std::string(failure.what()) +
                                            ". If it is `reseal start --hold`, which lets the source follow the"
                                            " target, end it by SIGTERM and run finish again");
  }
}

int finish(const Command& command) {
  base::Log log;
  const auto run = open_to_finish(command, log);
  run::Finish finish(*run);
  if (command.drop_record) {
    finish.drop_record();
    std::cout << (command.json ? nlohmann::json{{"run", run->id()}, {"record_dropped", true}}.dump()
                               : "FINISH record_dropped=yes: the target no longer says who serves. A proxy that is"
                                 " started with both servers asks the source")
              << "\n";
    return 0;
  }
  const auto report = command.execute ? finish.execute() : finish.look();
  std::cout << (command.json ? render_json(report, run->id()) : render_text(report)) << "\n";
  if (report.executed && report.left() != 0)
    throw Failure(
        FailureKind::needs_operator,
        fmt::format("the run is finished, the target serves; {} things are left for you to do by hand", report.left()));
  return 0;
}

}  // namespace

void add_run_verbs(CLI::App& app, Chosen& chosen) {
  const auto add = [&](const char* verb, const char* help, int (*action)(const Command&)) {
    auto command = std::make_shared<Command>();
    auto* added = app.add_subcommand(verb, help);
    added->callback([&chosen, command, action] { chosen = [command, action] { return action(*command); }; });
    return std::pair(added, command);
  };
  {
    auto [verb, command] = add("start", "begin or resume the run, up to ready for the switch", start);
    command->settings.add_run(*verb);
    verb->add_option("--until", command->until, "stop after this phase")
        ->check(CLI::IsMember({"provisioned", "seeded", "caught-up", "verified", "armed"}))
        ->envname("RESEAL_UNTIL");
    verb->add_flag("--hold", command->hold, "keep following when ready, until SIGTERM or SIGINT");
  }
  {
    auto [verb, command] = add("verify", "compare every row now, while traffic goes on", verify);
    command->settings.add_run(*verb);
  }
  const auto add_switch = [&](const char* verb_name, const char* help, int (*action)(const Command&)) {
    auto [verb, command] = add(verb_name, help, action);
    command->settings.add_run(*verb);
    verb->add_flag("--json", command->json, "one JSON object");
    verb->add_option("--timeout", command->timeout_ms, "milliseconds from fence to decision; then it is given up")
        ->envname("RESEAL_TIMEOUT");
    verb->add_option("--max-lag", command->max_lag_ms, "milliseconds of lag above which the switch does not begin")
        ->envname("RESEAL_MAX_LAG");
    verb->add_option("--drain", command->drain_ms, "milliseconds that open transactions may take to end")
        ->envname("RESEAL_DRAIN");
    return std::pair(verb, command);
  };
  add_switch("cutover", "switch to the target", cutover_to_target);
  {
    auto [verb, command] =
        add_switch("rollback", "switch back to the source, with everything that was written on the target", rollback);
    command->settings.add_accept_source_writes(*verb);
  }
  {
    auto [verb, command] =
        add("finish", "give up the way back and clear away what the move left; a dry run unless --execute is given",
            finish);
    command->settings.add_run(*verb);
    command->settings.add_accept_source_writes(*verb);
    auto* const execute = verb->add_flag("--execute", command->execute, "do it; there is no rollback afterwards");
    verb->add_flag("--drop-record", command->drop_record,
                   "of a run that is finished: drop the record of who serves, which proxies read that are started with"
                   " both servers")
        ->needs(execute);
    verb->add_flag("--json", command->json, "one JSON object");
  }
}

}  // namespace reseal::cli

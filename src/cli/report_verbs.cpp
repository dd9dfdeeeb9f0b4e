// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>
#include <memory>
#include <thread>

#include "attest/attest.hpp"
#include "base/failure.hpp"
#include "cli/run_settings.hpp"
#include "cli/signal_stop.hpp"
#include "cli/verbs.hpp"
#include "run/status.hpp"

namespace reseal::cli {
namespace {

struct StatusCommand {
  RunSettings settings;
  bool json = false;
  bool watch = false;
};

int status(const StatusCommand& command) {
  const SignalStop signals;
  while (true) {
    const auto report = run::read_status(command.settings.state_folder());
    std::cout << (command.json ? render_json(report) : render_text(report)) << std::endl;
    if (!command.watch || report.phase >= run::Phase::switched || signals.token().stop_requested()) return 0;
    for (int i = 0; i < 20 && !signals.token().stop_requested(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

struct AttestCommand {
  RunSettings settings;
  bool json = false;
  std::string data_folder;
  std::vector<std::string> canaries;
};

int attest_target(const AttestCommand& command) {
  const auto options = command.settings.options();
  mysql::Session target(options.target, mysql::Side::target);
  const auto folder =
      command.data_folder.empty() ? std::nullopt : std::optional<std::filesystem::path>(command.data_folder);
  const auto report = attest::attest(target, options.schemas, folder, command.canaries);
  std::cout << (command.json ? attest::render_json(report) + "\n" : attest::render_text(report));
  return report.encrypted() ? 0 : base::exit_code(base::FailureKind::divergence);
}

}  // namespace

void add_report_verbs(CLI::App& app, Chosen& chosen) {
  {
    auto command = std::make_shared<StatusCommand>();
    auto* verb = app.add_subcommand("status", "one look at a run");
    command->settings.add_state(*verb);
    verb->add_flag("--json", command->json, "one JSON object");
    verb->add_flag("--watch", command->watch, "again every 2 seconds, until the target serves");
    verb->callback([&chosen, command] { chosen = [command] { return status(*command); }; });
  }
  {
    auto command = std::make_shared<AttestCommand>();
    auto* verb = app.add_subcommand("attest", "what is encrypted on the target, and how it was seen");
    command->settings.add_servers(*verb);
    verb->add_flag("--json", command->json, "one JSON object");
    verb->add_option("--data-folder", command->data_folder,
                     "the target's data files, when they are elsewhere than it says");
    verb->add_option("--canary", command->canaries, "text planted in rows, which no data file may hold in the clear");
    verb->callback([&chosen, command] { chosen = [command] { return attest_target(*command); }; });
  }
}

}  // namespace reseal::cli

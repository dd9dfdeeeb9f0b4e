// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/failure.hpp"
#include "base/log.hpp"
#include "cli/signal_stop.hpp"
#include "cli/verbs.hpp"
#include "platform/parity.hpp"
#include "rds/session.hpp"

namespace reseal::cli {
namespace {

struct ParityCommand {
  std::string source;
  std::string target;
  std::string region;
  std::string endpoint_url;
  bool json = false;
};

std::string as_text(const platform::Difference& one) {
  const auto shown = [](const std::string& value) { return value.empty() ? std::string("-") : base::printable(value); };
  return fmt::format("{}: {} | {}\n    {}\n", one.what, shown(one.source), shown(one.target), one.why);
}

int compare(const ParityCommand& command) {
  base::Log log;
  const SignalStop signals;
  rds::Session session({command.region, command.endpoint_url, [&log](std::string_view line) { log.warn(line); }, {}},
                       rds::Environment::of_process());
  rds::RdsClient client(session.rds(), signals.token());
  const auto differences = platform::read_parity(client, command.source, command.target, "");
  if (command.json) {
    auto list = nlohmann::json::array();
    for (const auto& one : differences)
      list.push_back({{"what", one.what}, {"source", one.source}, {"target", one.target}, {"why", one.why}});
    std::cout << nlohmann::json{{"source", command.source}, {"target", command.target}, {"differences", list}}.dump()
              << "\n";
  } else {
    for (const auto& one : differences) std::cout << as_text(one);
    std::cout << fmt::format("PARITY source={} target={} differences={}\n", command.source, command.target,
                             differences.size());
  }
  return differences.empty() ? 0 : base::exit_code(base::FailureKind::divergence);
}

}  // namespace

void add_parity(CLI::App& app, Chosen& chosen) {
  auto command = std::make_shared<ParityCommand>();
  auto* verb = app.add_subcommand(
      "parity", "compare the settings and parameters of two instances of Amazon RDS; changes nothing");
  verb->add_option("--source-instance", command->source, "the instance that serves")
      ->envname("RESEAL_SOURCE_INSTANCE")
      ->required();
  verb->add_option("--target-instance", command->target, "the encrypted one that is to take its place")
      ->envname("RESEAL_TARGET_INSTANCE")
      ->required();
  verb->add_option("--region", command->region, "AWS region; else AWS_REGION or the profile's")
      ->envname("RESEAL_REGION");
  verb->add_option("--endpoint-url", command->endpoint_url, "where the AWS services are, instead of AWS")
      ->envname("RESEAL_ENDPOINT_URL");
  verb->add_flag("--json", command->json, "one JSON object");
  verb->callback([&chosen, command] { chosen = [command] { return compare(*command); }; });
}

}  // namespace reseal::cli

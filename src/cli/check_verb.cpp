// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <iterator>
#include <memory>

#include "base/failure.hpp"
#include "base/log.hpp"
#include "check/check.hpp"
#include "check/rds_check.hpp"
#include "cli/run_settings.hpp"
#include "cli/signal_stop.hpp"
#include "cli/verbs.hpp"

namespace reseal::cli {
namespace {

struct CheckCommand {
  RunSettings settings;
  check::RdsRequest rds;
  bool json = false;
};

check::Findings check_servers(const CheckCommand& command) {
  const auto options = command.settings.options();
  check::CheckRequest request;
  request.source = options.source;
  request.target = options.target;
  request.schemas = options.schemas;
  request.allow_replica_source = options.allow_replica_source;
  request.follows_log = !run::parts(options.way.value_or(run::Way::stream)).fences_first();
  return check::check_all(request);
}

check::Findings check_instance(const CheckCommand& command) {
  base::Log log;
  const SignalStop signals;
  auto request = command.rds;
  request.tell = [&log](std::string_view line) { log.warn(line); };
  request.allow_replica_source = command.settings.allows_replica_source();
  return check::check_rds(request, rds::Environment::of_process(), signals.token());
}

int check_all(const CheckCommand& command) {
  check::Findings findings;
  // The encrypted instance may not exist yet, so that there are no two servers to look at.
  if (command.rds.instance.empty() || command.settings.names_server()) findings = check_servers(command);
  // Last, as it takes SIGINT for itself from here on.
  if (!command.rds.instance.empty()) {
    auto of_instance = check_instance(command);
    findings.insert(findings.end(), std::make_move_iterator(of_instance.begin()),
                    std::make_move_iterator(of_instance.end()));
    check::sort_by_severity(findings);
  }
  std::cout << (command.json ? check::render_json(findings) + "\n" : check::render_text(findings));
  return check::ready(findings) ? 0 : base::exit_code(base::FailureKind::refused);
}

}  // namespace

void add_check(CLI::App& app, Chosen& chosen) {
  auto command = std::make_shared<CheckCommand>();
  auto* verb = app.add_subcommand("check", "look at both servers for everything a run needs; changes nothing");
  command->settings.add_servers(*verb);
  command->settings.add_way(*verb);
  auto* instance = verb->add_option("--source-instance", command->rds.instance,
                                    "also look at this instance of Amazon RDS, or only at it when no server is named")
                       ->envname("RESEAL_SOURCE_INSTANCE");
  verb->add_option("--region", command->rds.region, "AWS region; else AWS_REGION or the profile's")
      ->envname("RESEAL_REGION")
      ->needs(instance);
  verb->add_option("--kms-key", command->rds.kms_key,
                   "key of the encrypted instance: id, ARN or alias/NAME; else alias/aws/rds")
      ->envname("RESEAL_KMS_KEY")
      ->needs(instance);
  verb->add_option("--endpoint-url", command->rds.endpoint_url, "where the AWS services are, instead of AWS")
      ->envname("RESEAL_ENDPOINT_URL")
      ->needs(instance);
  verb->add_flag("--json", command->json, "one JSON object");
  verb->callback([&chosen, command] { chosen = [command] { return check_all(*command); }; });
}

}  // namespace reseal::cli

// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>

#include "base/failure.hpp"
#include "base/secret.hpp"
#include "cli/memory.hpp"
#include "cli/verbs.hpp"

namespace {

constexpr int usage_error = 64;  // EX_USAGE of sysexits.h

int run(const reseal::cli::Chosen& chosen) {
  try {
    return chosen();
  } catch (const reseal::base::Failure& failure) {
    std::cerr << "reseal: " << failure.what() << "\n";
    return reseal::base::exit_code(failure.kind());
  } catch (const std::bad_alloc&) {
    std::cerr << "reseal: out of memory; the run is as its last durable step left it: start again\n";
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  reseal::base::forbid_core_dumps();
  reseal::cli::keep_memory_low();
  CLI::App app("reseal moves a live MySQL onto an encrypted MySQL.");
  app.name("reseal");
  app.set_version_flag("--version", RESEAL_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  app.set_config("--config", "", "TOML file with the same keys as the options, by verb")->envname("RESEAL_CONFIG");
  app.allow_config_extras(CLI::config_extras_mode::error);
  reseal::cli::Chosen chosen;
  reseal::cli::add_check(app, chosen);
  reseal::cli::add_parity(app, chosen);
  reseal::cli::add_run_verbs(app, chosen);
  reseal::cli::add_report_verbs(app, chosen);
  reseal::cli::add_load(app, chosen);
  reseal::cli::add_proxy(app, chosen);
  reseal::cli::add_sandbox(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ConfigError& error) {
    std::cerr << "reseal: the configuration file " << app.get_config_ptr()->as<std::string>() << ": " << error.what()
              << "\nIt is TOML: one [verb] section with the verb's options as keys. Nothing was changed\n";
    return usage_error;
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error, std::cout, std::cerr);
    return code == 0 ? 0 : usage_error;
  }
  return run(chosen);
}

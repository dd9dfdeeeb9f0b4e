// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <stop_token>
#include <thread>

#include "base/failure.hpp"
#include "base/log.hpp"
#include "cli/signal_stop.hpp"
#include "cli/verbs.hpp"
#include "load/audit.hpp"
#include "load/prepare.hpp"
#include "load/run.hpp"
#include "mysql/option_file.hpp"

namespace reseal::cli {
namespace {

/// The server as the command line names it.
struct ServerChoice {
  std::string defaults_file;
  std::string socket;
  std::string host;
  std::uint16_t port = 0;
  std::string user;
  std::string tls_mode;
  std::string tls_ca;

  void add_to(CLI::App& verb) {
    verb.add_option("--defaults-file", defaults_file,
                    "MySQL option file; its [client] group names host, port, socket, user, password, ssl-mode, ssl-ca");
    verb.add_option("--host", host, "server, over the option file's");
    verb.add_option("--port", port, "TCP port, over the option file's");
    verb.add_option("--socket", socket, "Unix socket, over the option file's");
    verb.add_option("--user", user, "account; its password comes from the option file or RESEAL_LOAD_PASSWORD");
    verb.add_option("--ssl-mode", tls_mode, "DISABLED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY");
    verb.add_option("--ssl-ca", tls_ca, "PEM file of the authorities to trust");
  }

  mysql::Endpoint endpoint() const {
    mysql::Endpoint server;
    if (!defaults_file.empty()) server = mysql::read_option_file(defaults_file, {"client"});
    if (!host.empty()) server.host = host;
    if (port != 0) server.port = port;
    if (!socket.empty()) server.socket = socket;
    if ((!host.empty() || port != 0) && socket.empty()) server.socket.clear();
    if (!user.empty()) server.user = user;
    if (!tls_ca.empty()) {
      server.tls_ca = tls_ca;
      server.tls = mysql::TlsMode::verify_ca;
    }
    if (!tls_mode.empty()) server.tls = mysql::parse_tls_mode(tls_mode);
    if (const char* password = std::getenv("RESEAL_LOAD_PASSWORD")) server.password = base::Secret(password);
    if (server.user.empty())
      throw base::Failure(base::FailureKind::usage, "name the server's account: --defaults-file or --user");
    return server;
  }
};

struct PrepareVerb {
  ServerChoice server;
  load::PrepareOptions options;

  void add_to(CLI::App& load, Chosen& chosen) {
    auto* verb = load.add_subcommand("prepare", "make the schema and fill it");
    server.add_to(*verb);
    verb->add_option("--schema", options.schema, "schema to make")->capture_default_str();
    verb->add_option("--scale", options.scale, "1 is about 100,000 rows")->capture_default_str();
    verb->add_option("--canary", options.canary, "text to plant in some rows, to search data files for");
    verb->add_flag("--replace", options.replace, "drop the schema first when it is there");
    verb->callback([this, &chosen] { chosen = [this] { return run(); }; });
  }

  int run() {
    options.endpoint = server.endpoint();
    base::Log log;
    const auto report = load::prepare(options, log);
    std::cout << "prepared " << report.rows << " rows in schema " << options.schema << " in " << report.seconds
              << " s\n";
    return 0;
  }
};

struct RunVerb {
  ServerChoice server;
  std::string then;
  std::int64_t seconds = 60;
  std::int64_t timeout = 20;
  load::RunOptions options;

  void add_to(CLI::App& load, Chosen& chosen) {
    auto* verb = load.add_subcommand("run", "many clients work and remember what they were told");
    server.add_to(*verb);
    verb->add_option("--schema", options.schema, "schema that prepare made")->capture_default_str();
    verb->add_option("--log-dir", options.log_folder, "folder of the clients' logs and summary.json")->required();
    verb->add_option("--clients", options.clients, "number of clients")->capture_default_str();
    verb->add_option("--seconds", seconds, "how long; 0 is until SIGTERM or SIGINT")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    verb->add_option("--rate", options.rate, "operations per second of all clients together; 0 is unbounded")
        ->capture_default_str();
    verb->add_option("--timeout", timeout, "seconds after which a silent server is taken for lost")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    verb->add_option("--serving", options.serving,
                     "file that holds the path of the option file of the server that serves now; replace it atomically"
                     " to move the clients; absent means the first server");
    verb->add_option("--then-defaults-file", then, "option file of a second server, tried when the first turns away");
    verb->callback([this, &chosen] { chosen = [this] { return run(); }; });
  }

  int run() {
    const SignalStop stop;
    options.endpoint = server.endpoint();
    if (!then.empty()) options.then = mysql::read_option_file(then, {"client"});
    options.seconds = std::chrono::seconds(seconds);
    options.timeout = std::chrono::seconds(timeout);
    base::Log log;
    std::cout << load::run_load(options, stop.token(), log).json() << std::endl;
    return 0;
  }
};

struct AuditVerb {
  ServerChoice server;
  std::string other;
  load::AuditOptions options;

  void add_to(CLI::App& load, Chosen& chosen) {
    auto* verb = load.add_subcommand("audit", "compare what the clients remember with what the server holds");
    server.add_to(*verb);
    verb->add_option("--schema", options.schema, "schema that prepare made")->capture_default_str();
    verb->add_option("--log-dir", options.log_folders, "folder of logs; give all runs since prepare")->required();
    verb->add_option("--other-defaults-file", other,
                     "option file of the server that does not serve: it must hold nothing that the serving one lacks");
    verb->callback([this, &chosen] { chosen = [this] { return run(); }; });
  }

  int run() {
    options.serving = server.endpoint();
    if (!other.empty()) options.other = mysql::read_option_file(other, {"client"});
    const auto report = load::audit(options);
    report.print(std::cout);
    std::cout.flush();
    return report.clean() ? 0 : base::exit_code(base::FailureKind::divergence);
  }
};

/// The options live as long as the callbacks that CLI11 keeps.
struct LoadVerb {
  PrepareVerb prepare;
  RunVerb run;
  AuditVerb audit;
};

}  // namespace

void add_load(CLI::App& app, Chosen& chosen) {
  auto* load = app.add_subcommand("load", "the built-in workload with a memory, and its audit");
  load->require_subcommand(1);
  auto verb = std::make_shared<LoadVerb>();
  verb->prepare.add_to(*load, chosen);
  verb->run.add_to(*load, chosen);
  verb->audit.add_to(*load, chosen);
  load->callback([verb] {});
}

}  // namespace reseal::cli

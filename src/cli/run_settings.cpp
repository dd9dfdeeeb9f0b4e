// SPDX-License-Identifier: Apache-2.0
#include "cli/run_settings.hpp"

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "base/failure.hpp"
#include "cli/server_uri.hpp"
#include "mysql/option_file.hpp"

namespace reseal::cli {

using base::Failure;
using base::FailureKind;

namespace {

void add_server(CLI::App& verb, ServerSetting& server, const std::string& side) {
  const auto upper = side == "source" ? "RESEAL_SOURCE" : "RESEAL_TARGET";
  const auto variable = [&](const char* name) { return std::string(upper) + name; };
  verb.add_option("--" + side, server.uri, "the " + side + " as mysql://user@host:port/?ssl-mode=VERIFY_CA&ssl-ca=FILE")
      ->envname(variable(""));
  verb.add_option("--" + side + "-defaults-file", server.defaults_file,
                  "MySQL option file of the " + side + ", groups [client] and [reseal_" + side + "]")
      ->envname(variable("_DEFAULTS_FILE"));
  verb.add_option("--" + side + "-host", server.host, "host, over the URI and the option file")
      ->envname(variable("_HOST"));
  verb.add_option("--" + side + "-port", server.port, "TCP port")->envname(variable("_PORT"));
  verb.add_option("--" + side + "-socket", server.socket, "Unix socket, instead of host and port")
      ->envname(variable("_SOCKET"));
  verb.add_option("--" + side + "-user", server.user,
                  "account; its password comes from the option file or the"
                  " environment variable " +
                      variable("_PASSWORD"))
      ->envname(variable("_USER"));
  verb.add_option("--" + side + "-ssl-mode", server.tls_mode, "DISABLED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY")
      ->envname(variable("_SSL_MODE"));
  verb.add_option("--" + side + "-ssl-ca", server.tls_ca, "PEM file of the authorities to trust")
      ->envname(variable("_SSL_CA"));
}

mysql::Endpoint endpoint(const ServerSetting& server, const std::string& side) {
  mysql::Endpoint at;
  if (!server.defaults_file.empty()) at = mysql::read_option_file(server.defaults_file, {"client", "reseal_" + side});
  if (!server.uri.empty()) at = parse_server_uri(server.uri, std::move(at));
  if (!server.host.empty()) at.host = server.host;
  if (server.port > 65535) throw Failure(FailureKind::usage, "--" + side + "-port is no TCP port");
  if (server.port != 0) at.port = static_cast<std::uint16_t>(server.port);
  if (!server.host.empty() || server.port != 0) at.socket.clear();
  if (!server.socket.empty()) at.socket = server.socket;
  if (!server.user.empty()) at.user = server.user;
  if (!server.tls_ca.empty()) {
    at.tls_ca = server.tls_ca;
    if (server.tls_mode.empty()) at.tls = mysql::TlsMode::verify_ca;
  }
  if (!server.tls_mode.empty()) at.tls = mysql::parse_tls_mode(server.tls_mode);
  const auto variable = side == "source" ? "RESEAL_SOURCE_PASSWORD" : "RESEAL_TARGET_PASSWORD";
  if (const char* password = std::getenv(variable)) at.password = base::Secret(password);
  if (at.user.empty())
    throw Failure(FailureKind::usage, "the " + side + " is not named: give --" + side +
                                          " mysql://user@host:port/ or --" + side +
                                          "-defaults-file FILE. Nothing was changed");
  return at;
}

}  // namespace

void RunSettings::add_servers(CLI::App& verb) {
  add_server(verb, source_, "source");
  add_server(verb, target_, "target");
  verb.add_option("--schemas", schemas_, "only these schemas (comma separated); all user schemas unless given")
      ->delimiter(',')
      ->envname("RESEAL_SCHEMAS");
  verb.add_flag("--allow-replica-source", allow_replica_, "the source is itself a replica, and that is meant")
      ->envname("RESEAL_ALLOW_REPLICA_SOURCE");
}

void RunSettings::add_way(CLI::App& verb) {
  verb.add_option("--way", way_,
                  "how the data moves, fixed when the run begins; stream unless given (" + run::way_names() + ")")
      ->envname("RESEAL_WAY")
      ->check([](const std::string& text) {
        return run::way_named(text) ? std::string() : "the ways are " + run::way_names();
      });
}

void RunSettings::add_state(CLI::App& verb) {
  verb.add_option("--state", state_, "folder of this run's journal; one per run")->envname("RESEAL_STATE")->required();
}

void RunSettings::add_run(CLI::App& verb) {
  add_state(verb);
  add_servers(verb);
  add_way(verb);
  verb.add_option("--workers", workers_, "parallel copies and comparisons")
      ->envname("RESEAL_WORKERS")
      ->check(CLI::Range(1, 64));
  verb.add_option("--writers", lanes_, "parallel writers of the follow; fixed when the run begins")
      ->envname("RESEAL_WRITERS")
      ->check(CLI::Range(1, 64));
  verb.add_option("--chunk-size", chunk_mib_, "MiB of rows in one chunk of the copy")
      ->envname("RESEAL_CHUNK_SIZE")
      ->check(CLI::Range(1, 1024));
  verb.add_option("--max-rate", max_mib_per_second_, "MiB per second of the copy, over all workers; 0: no limit")
      ->envname("RESEAL_MAX_RATE");
  verb.add_option("--max-threads-running", max_threads_running_,
                  "hold the copy back while the source runs more threads than this; 0: no limit")
      ->envname("RESEAL_MAX_THREADS_RUNNING");
  verb.add_option("--proxy", proxies_,
                  "control socket of a proxy whose sessions the switch holds and moves; may be given again")
      ->envname("RESEAL_PROXY")
      ->allow_extra_args(false);
  verb.add_option("--hooks-path", hooks_, "folder of executables reseal-on-EVENT")->envname("RESEAL_HOOKS_PATH");
}

void RunSettings::add_accept_source_writes(CLI::App& verb) {
  verb.add_flag("--accept-source-writes", accept_source_writes_,
                "what others wrote on the source after the switch is known, and what is wanted of it is on the target")
      ->envname("RESEAL_ACCEPT_SOURCE_WRITES");
}

bool RunSettings::names_server() const {
  for (const auto& server : {source_, target_})
    for (const auto& setting : {server.uri, server.defaults_file, server.host, server.socket, server.user})
      if (!setting.empty()) return true;
  return false;
}

run::RunOptions RunSettings::options() const {
  run::RunOptions options;
  options.source = endpoint(source_, "source");
  options.target = endpoint(target_, "target");
  options.state_folder = state_;
  options.way = run::way_named(way_);
  options.schemas = schemas_;
  options.allow_replica_source = allow_replica_;
  options.workers = workers_;
  options.lanes = lanes_;
  options.bytes_per_chunk = chunk_mib_ << 20;
  options.limits = {max_mib_per_second_ << 20, max_threads_running_};
  options.hooks = hooks_;
  options.proxies = proxies_;
  options.accept_source_writes = accept_source_writes_;
  return options;
}

}  // namespace reseal::cli

// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/failure.hpp"
#include "base/log.hpp"
#include "cli/server_uri.hpp"
#include "cli/verbs.hpp"
#include "mysql/option_file.hpp"
#include "proxy/control.hpp"
#include "proxy/control_answers.hpp"
#include "proxy/proxy.hpp"
#include "run/settle_attempt.hpp"

namespace reseal::cli {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

struct ServerChoice {
  std::string uri;
  std::string defaults_file;

  void add_to(CLI::App& verb, const std::string& side) {
    verb.add_option("--" + side, uri, "the " + side + " as mysql://host:port/?ssl-mode=VERIFY_CA&ssl-ca=FILE")
        ->envname(side == "source" ? "RESEAL_SOURCE" : "RESEAL_TARGET");
    verb.add_option("--" + side + "-defaults-file", defaults_file,
                    "MySQL option file of the " + side + ", groups [client] and [reseal_" + side + "]")
        ->envname(side == "source" ? "RESEAL_SOURCE_DEFAULTS_FILE" : "RESEAL_TARGET_DEFAULTS_FILE");
  }
  bool named() const { return !uri.empty() || !defaults_file.empty(); }
  mysql::Endpoint endpoint(const std::string& side) const {
    mysql::Endpoint server;
    if (!defaults_file.empty()) server = mysql::read_option_file(defaults_file, {"client", "reseal_" + side});
    if (!uri.empty()) server = parse_server_uri(uri, std::move(server));
    const char* const variable = side == "source" ? "RESEAL_SOURCE_PASSWORD" : "RESEAL_TARGET_PASSWORD";
    if (const char* const password = std::getenv(variable)) server.password = base::Secret(password);
    return server;
  }
};

/// SIGTERM asks for an end in order, SIGINT for one now, SIGHUP for a reload. Made before any thread: they inherit the
/// blocked signals.
class Signals {
 public:
  Signals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGTERM);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }
  /// The signal that came within `time`; 0 when none did.
  int wait(std::chrono::milliseconds time) const {
    const timespec slice{time.count() / 1000, time.count() % 1000 * 1'000'000};
    const int number = sigtimedwait(&signals_, nullptr, &slice);
    return number > 0 ? number : 0;
  }

 private:
  sigset_t signals_{};
};

// Every session takes two descriptors.
void allow_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

struct RunVerb {
  ServerChoice source;
  ServerChoice target;
  std::string control;
  std::int64_t handshake_seconds = 8;
  std::int64_t drain_seconds = 30;
  proxy::ProxyOptions options;

  void add_to(CLI::App& parent, Chosen& chosen) {
    auto* verb = parent.add_subcommand("run", "pass clients' sessions through to the server that serves");
    source.add_to(*verb, "source");
    target.add_to(*verb, "target");
    verb->add_option("--listen", options.listen, "HOST:PORT that clients connect to; may be given again")
        ->envname("RESEAL_PROXY_LISTEN")
        ->allow_extra_args(false);
    verb->add_option("--listen-socket", options.listen_socket, "Unix socket that clients connect to");
    verb->add_option("--proxy-protocol-from", options.header_peers,
                     "network, as 10.0.0.0/8, of load balancers that send a PROXY header; may be given again");
    verb->add_option("--tls-cert", options.tls_certificate, "PEM file of the certificate that clients are shown");
    verb->add_option("--tls-key", options.tls_key, "PEM file of its key");
    verb->add_option("--control", control, "Unix socket for `proxy status` and the like; this user's only")
        ->envname("RESEAL_PROXY_CONTROL");
    verb->add_option("--threads", options.threads, "threads that sessions are shared out to")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    verb->add_option("--max-connections", options.connection_limit, "clients at a time")->capture_default_str();
    verb->add_option("--max-half-open", options.half_open_limit,
                     "clients that have not logged in yet; one more ends the oldest")
        ->capture_default_str();
    verb->add_option("--handshake-timeout", handshake_seconds,
                     "seconds that a login may take; below the servers' connect_timeout")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    verb->add_option("--drain", drain_seconds, "seconds that SIGTERM gives transactions to end")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    verb->add_flag("--allow-local-infile", options.allow_local_infile,
                   "let clients offer LOAD DATA LOCAL: a server can then ask them for their files");
    verb->add_flag("--ask-plain-clients", options.ask_plain_clients,
                   "ask clients without TLS for their password by the public-key exchange, so that their sessions can "
                   "be moved; a client that is not allowed to answer fails");
    verb->callback([this, &chosen] { chosen = [this] { return run(); }; });
  }

  int run() {
    const Signals signals;
    allow_descriptors();
    if (!source.named()) throw base::Failure(base::FailureKind::usage, "name the source: --source mysql://host:port/");
    options.source = source.endpoint("source");
    if (target.named()) options.target = target.endpoint("target");
    options.handshake_timeout = std::chrono::seconds(handshake_seconds);
    options.inherited = proxy::handed_over_sockets();
    base::Log log;
    if (options.target && !options.target->user.empty())
      options.ask_decision = [this, &log](std::uint64_t epoch) { return who_serves(epoch, log); };
    proxy::Proxy proxy(options, log);
    std::optional<proxy::ControlServer> control_server;
    if (!control.empty())
      control_server.emplace(
          control, [&proxy](std::string_view line) { return proxy::control_answer(proxy, line); }, log);
    log.info("the proxy serves " + proxy.status().server + " (MySQL " + proxy.status().server_version + ")" +
             (proxy.port() == 0 ? "" : " on port " + std::to_string(proxy.port())));
    int signal = 0;
    while (signal == 0 || signal == SIGHUP) {
      signal = signals.wait(1h);
      if (signal == SIGHUP) proxy.reload();
    }
    if (signal == SIGTERM) drain(signals, proxy, log);
    return 0;
  }

  /// At the start (epoch 0) a switch that is under way gets the time to end.
  proxy::Decision who_serves(std::uint64_t epoch, base::Log& log) const {
    try {
      const auto patience = epoch == 0 ? std::chrono::milliseconds(15'000) : std::chrono::milliseconds(0);
      const auto serves = run::settle_attempt(options.source, *options.target, patience);
      return serves == cutover::Serves::target ? proxy::Decision::target : proxy::Decision::source;
    } catch (const base::Failure& failure) {
      log.warn(std::string("who serves cannot be asked: ") + failure.what());
      return proxy::Decision::unknown;
    }
  }

  void drain(const Signals& signals, proxy::Proxy& proxy, base::Log& log) const {
    proxy.drain();
    const auto end = Clock::now() + std::chrono::seconds(drain_seconds);
    while (proxy.open() > 0 && Clock::now() < end)
      if (signals.wait(50ms) == SIGINT) break;
    if (proxy.open() > 0) log.warn(std::to_string(proxy.open()) + " sessions are ended within a transaction");
  }
};

/// `status` and `sessions`: what the proxy answers, an object per line.
struct AskVerb {
  std::string control;

  void add_to(CLI::App& parent, Chosen& chosen, const std::string& name, const char* help) {
    auto* verb = parent.add_subcommand(name, help);
    verb->add_option("--control", control, "the proxy's control socket")->envname("RESEAL_PROXY_CONTROL")->required();
    verb->callback([this, &chosen, name] { chosen = [this, name] { return run(name); }; });
  }

  int run(const std::string& name) const {
    const auto answer =
        nlohmann::json::parse(proxy::ask_control(control, nlohmann::json{{"do", name}}.dump()), nullptr, false);
    if (!answer.is_object() || !answer.value("ok", false))
      throw base::Failure(base::FailureKind::refused, "the proxy refuses: " + answer.value("error", "no reason given"));
    if (!answer.contains("sessions")) std::cout << answer.dump() << "\n";
    for (const auto& session : answer.value("sessions", nlohmann::json::array())) std::cout << session.dump() << "\n";
    return 0;
  }
};

/// The options live as long as the callbacks that CLI11 keeps.
struct ProxyVerb {
  RunVerb run;
  AskVerb status;
  AskVerb sessions;
};

}  // namespace

void add_proxy(CLI::App& app, Chosen& chosen) {
  auto* proxy = app.add_subcommand("proxy", "the MySQL proxy that applications connect to");
  proxy->require_subcommand(1);
  auto verb = std::make_shared<ProxyVerb>();
  verb->run.add_to(*proxy, chosen);
  verb->status.add_to(*proxy, chosen, "status", "what the running proxy does, as one JSON object");
  verb->sessions.add_to(*proxy, chosen, "sessions", "its sessions, a JSON object per line");
  proxy->callback([verb] {});
}

}  // namespace reseal::cli

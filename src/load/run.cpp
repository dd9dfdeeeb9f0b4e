// SPDX-License-Identifier: Apache-2.0
#include "load/run.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <random>

#include "base/failure.hpp"
#include "base/task_group.hpp"
#include "load/prepare.hpp"

namespace reseal::load {
namespace {

using base::Failure;
using base::FailureKind;

std::uint32_t choose_run(mysql::Session& session) {
  std::random_device random;
  for (;;) {
    const std::uint32_t run = random() % ClientKey::max_run + 1;
    const auto taken =
        session.query(fmt::format("SELECT 1 FROM counters WHERE client BETWEEN {} AND {} LIMIT 1",
                                  ClientKey(run, 0).value(), ClientKey(run, ClientKey::max_client).value()));
    if (taken.empty()) return run;
  }
}

Serving serving_of(const RunOptions& options) {
  std::vector<mysql::Endpoint> known{options.endpoint};
  if (options.then) known.push_back(*options.then);
  return Serving(std::move(known), options.serving);
}

void check(const RunOptions& options) {
  if (options.clients == 0 || options.clients > ClientKey::max_client)
    throw Failure(FailureKind::usage, "--clients must be from 1 to 4095");
  if (options.rate < 0) throw Failure(FailureKind::usage, "--rate must not be negative");
  if (options.then && !options.serving.empty())
    throw Failure(FailureKind::usage, "--serving and --then-defaults-file exclude each other");
}

void wait_for_the_end(std::chrono::seconds seconds, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any wakened;
  std::unique_lock lock(mutex);
  const auto never = [] { return false; };
  if (seconds.count() > 0)
    wakened.wait_for(lock, stop, seconds, never);
  else
    wakened.wait(lock, stop, never);
}

void write_summary(const std::filesystem::path& folder, const RunReport& report) {
  const auto path = folder / "summary.json";
  std::ofstream file(path);
  file << report.json() << "\n";
  file.close();
  if (!file) throw Failure(FailureKind::local, path.string() + ": cannot be written");
}

}  // namespace

std::string RunReport::json() const {
  const nlohmann::ordered_json out = {{"run", run},
                                      {"clients", clients},
                                      {"seconds", seconds},
                                      {"ops_ok", totals.ops_ok},
                                      {"ops_error", totals.ops_error},
                                      {"ops_unknown", totals.ops_unknown},
                                      {"connects_failed", totals.connects_failed},
                                      {"writes_refused", totals.writes_refused},
                                      {"connections_lost", totals.connections_lost},
                                      {"unexpected_errors", totals.unexpected_errors()},
                                      {"longest_stall_ms", totals.longest_stall_ms},
                                      {"longest_wait_ms", totals.longest_wait_ms},
                                      {"errors_by_code", totals.errors_by_code}};
  return out.dump(2);
}

RunReport run_load(const RunOptions& options, std::stop_token stop, base::Log& log) {
  check(options);
  const auto serving = serving_of(options);
  Dimensions dimensions;
  RunReport report;
  report.clients = options.clients;
  {
    auto session = open_shop(serving.endpoint(0), options.schema, std::chrono::seconds(10));
    dimensions = read_dimensions(session);
    report.run = choose_run(session);
  }
  std::error_code error;
  std::filesystem::create_directories(options.log_folder, error);
  if (error) throw Failure(FailureKind::local, options.log_folder.string() + ": cannot be made: " + error.message());

  Client::Options each{options.schema, std::chrono::nanoseconds(0), options.timeout};
  if (options.rate > 0) each.pace = std::chrono::nanoseconds(std::llround(1e9 * options.clients / options.rate));
  log.info(fmt::format("run {}: {} clients on {}", report.run, options.clients, serving.endpoint(0).text()));

  std::mutex mutex;
  const auto start = std::chrono::steady_clock::now();
  base::TaskGroup group(stop);
  for (unsigned number = 0; number < options.clients; ++number) {
    group.start([&, number](std::stop_token token) {
      const ClientKey key(report.run, number);
      OperationLogWriter writer(options.log_folder, key, dimensions);
      const auto done = Client(key, dimensions, serving, writer, each).run(std::move(token));
      const std::lock_guard lock(mutex);
      report.totals.add(done);
    });
  }
  wait_for_the_end(options.seconds, group.token());
  group.stop();
  group.join();
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  write_summary(options.log_folder, report);
  return report;
}

}  // namespace reseal::load

// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/failure.hpp"
#include "base/log.hpp"
#include "cli/signal_stop.hpp"
#include "cli/verbs.hpp"
#include "sandbox/rds/run_sandbox.hpp"
#include "sandbox/sandbox_pair.hpp"

namespace reseal::cli {
namespace {

using sandbox::MysqlPrograms;
using sandbox::PairMember;
using sandbox::SandboxPair;
using sandbox::ServerOptions;

struct SandboxChoice {
  std::string folder;
  std::string gtid = "on";
  std::string target_gtid = "on";
  ServerOptions source = ServerOptions::plain_source();
  ServerOptions target = ServerOptions::encrypted_target();
};

// A server option as the operator may write it: with or without the two dashes.
std::vector<std::string> dashed(const std::vector<std::string>& options) {
  std::vector<std::string> result;
  for (const auto& option : options) result.push_back(option.starts_with("--") ? option : "--" + option);
  return result;
}

void print_member(const PairMember& member) {
  if (!member.made) {
    std::printf("%-7s not made; `reseal sandbox up` makes it\n", member.name.c_str());
  } else if (member.pid == 0) {
    std::printf("%-7s stopped    port %u   %s\n", member.name.c_str(), member.port, member.option_file.c_str());
  } else {
    std::printf("%-7s pid %-7d port %u   MySQL %s, %s   %s\n", member.name.c_str(), member.pid, member.port,
                member.version.c_str(), member.encrypted ? "encrypted" : "plain", member.option_file.c_str());
  }
}

int run_up(const SandboxChoice& choice) {
  auto source = choice.source;
  auto target = choice.target;
  source.gtid = choice.gtid == "on";
  target.gtid = choice.target_gtid == "on";
  source.extra = dashed(source.extra);
  target.extra = dashed(target.extra);
  SandboxPair pair(choice.folder);
  const auto members = pair.up(source, target);
  for (const auto& member : members) print_member(member);
  const auto client = MysqlPrograms::find().path("mysql");
  std::printf("\nconnect   %s --defaults-file=%s\n", client.c_str(), members[0].option_file.c_str());
  std::printf("rehearse  reseal check --source-defaults-file %s --target-defaults-file %s\n",
              members[0].option_file.c_str(), members[1].option_file.c_str());
  std::printf("stop      reseal sandbox down --dir %s\n", pair.folder().c_str());
  return 0;
}

int run_down(const SandboxChoice& choice) {
  SandboxPair pair(choice.folder);
  const int stopped = pair.down();
  std::printf("stopped %d of 2 servers; their data is kept in %s\n", stopped, pair.folder().c_str());
  return 0;
}

int run_status(const SandboxChoice& choice) {
  bool all = true;
  for (const auto& member : SandboxPair(choice.folder).status()) {
    print_member(member);
    all = all && member.pid != 0;
  }
  return all ? 0 : base::exit_code(base::FailureKind::refused);
}

// ACTION or ACTION:TIMES
void add_lost(std::map<std::string, int>& lost, const std::string& text) {
  const auto colon = text.find(':');
  lost[text.substr(0, colon)] = colon == std::string::npos ? 1 : std::stoi(text.substr(colon + 1));
}

struct RdsChoice {
  sandbox::rds::RunOptions options;
  std::string folder;
  std::string procedures = "8.4";
  std::vector<std::string> lose_answers;
  int rotation = 300;
  int least_status = 0;
};

int run_rds(const RdsChoice& choice) {
  const SignalStop stop;
  auto options = choice.options;
  options.folder = choice.folder;
  options.procedures = choice.procedures == "8.4"   ? sandbox::rds::ProcedureNames::source
                       : choice.procedures == "8.0" ? sandbox::rds::ProcedureNames::master
                                                    : sandbox::rds::ProcedureNames::both;
  options.caretaker.log_rotation = std::chrono::seconds(choice.rotation);
  options.least_status = std::chrono::seconds(choice.least_status);
  for (const auto& lost : choice.lose_answers) add_lost(options.lose_answers, lost);
  base::Log log;
  sandbox::rds::run_sandbox(options, stop.token(), log);
  return 0;
}

void add_rds(CLI::App& verb, Chosen& chosen) {
  auto choice = std::make_shared<RdsChoice>();
  auto* rds =
      verb.add_subcommand("rds", "serve the Amazon RDS API on 127.0.0.1 with real servers behind it, until stopped");
  rds->add_option("--folder", choice->folder, "keep data and logs in this empty folder (default: a temporary one)");
  rds->add_option("--port", choice->options.port, "port of 127.0.0.1; 0 takes a free one")->capture_default_str();
  rds->add_option("--region", choice->options.region, "the region that requests are signed for")->capture_default_str();
  rds->add_option("--procedures", choice->procedures, "names of the mysql.rds_* procedures, as of this series")
      ->check(CLI::IsMember({"8.0", "8.4", "both"}))
      ->capture_default_str();
  rds->add_option("--log-rotation", choice->rotation, "seconds between new binlog files, when old ones may go")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  rds->add_option("--status-seconds", choice->least_status, "how long each status on the way lasts at least")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  rds->add_option("--throttle-every", choice->options.throttle_every, "answer every Nth request with Throttling")
      ->check(CLI::NonNegativeNumber);
  rds->add_option("--lose-answer", choice->lose_answers, "carry out the next request of ACTION[:TIMES], answer nothing")
      ->check([](const std::string& text) {
        const auto colon = text.find(':');
        const bool times = colon == std::string::npos || (colon + 1 < text.size() && text.size() - colon < 6 &&
                                                          text.find_first_not_of("0123456789", colon + 1) == text.npos);
        return times ? std::string() : "write ACTION or ACTION:TIMES, not " + text;
      })
      ->allow_extra_args(false);
  rds->callback([choice, &chosen] { chosen = [choice] { return run_rds(*choice); }; });
}

void add_server_options(CLI::App& up, SandboxChoice& choice) {
  up.add_option("--gtid", choice.gtid, "the source's gtid_mode")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str();
  up.add_option("--target-gtid", choice.target_gtid, "the target's gtid_mode")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str();
  up.add_option("--row-image", choice.source.row_image, "the source's binlog_row_image")
      ->transform(CLI::IsMember({"FULL", "MINIMAL", "NOBLOB"}, CLI::ignore_case))
      ->capture_default_str();
  up.add_option("--row-metadata", choice.source.row_metadata, "the source's binlog_row_metadata")
      ->transform(CLI::IsMember({"FULL", "MINIMAL"}, CLI::ignore_case))
      ->capture_default_str();
  up.add_flag("--compression", choice.source.compress_transactions, "the source compresses its binlog transactions");
  up.add_flag("--partial-json", choice.source.partial_json, "the source logs JSON updates as differences");
  up.add_flag("--semi-sync", choice.source.semi_sync, "the source waits for a replica's acknowledgement, 2 s at most");
  up.add_option("--source-option", choice.source.extra, "one more mysqld option of the source, as name=value")
      ->allow_extra_args(false);
  up.add_option("--target-option", choice.target.extra, "one more mysqld option of the target, as name=value")
      ->allow_extra_args(false);
}

}  // namespace

void add_sandbox(CLI::App& app, Chosen& chosen) {
  auto choice = std::make_shared<SandboxChoice>();
  auto* verb = app.add_subcommand("sandbox", "real MySQL servers on this machine, for a rehearsal");
  verb->require_subcommand(1);
  const auto add = [&](const char* name, const char* help, int (*run)(const SandboxChoice&)) {
    auto* action = verb->add_subcommand(name, help);
    action->add_option("--dir", choice->folder, "the sandbox's folder")->required();
    action->callback([choice, run, &chosen] { chosen = [choice, run] { return run(*choice); }; });
    return action;
  };
  add_server_options(*add("up", "start a plain source and an encrypted target that outlive this command", run_up),
                     *choice);
  add_rds(*verb, chosen);
  add("down", "stop both and keep their data", run_down);
  add("status", "show both; exit 3 when one does not run", run_status);
}

}  // namespace reseal::cli

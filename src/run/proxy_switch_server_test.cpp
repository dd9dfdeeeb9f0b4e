// SPDX-License-Identifier: Apache-2.0
// A switch with a proxy in front of both servers: what its clients see when it goes through, when it is given up, and
// when the tool dies within it.

#include <atomic>
#include <filesystem>
#include <thread>

#include "proxy/control.hpp"
#include "proxy/control_answers.hpp"
#include "run/proxied_pair_fixture_for_tests.hpp"
#include "run/run.hpp"
#include "run/switch_over.hpp"
#include "run/target_record.hpp"

namespace reseal::run {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Runs one statement in a thread of its own.
class Waiting {
 public:
  Waiting(Client& client, std::string statement)
      : thread_([this, &client, statement = std::move(statement)] {
          ok_ = client.run(statement);
          ended_ = true;
        }) {}
  bool ended() const { return ended_; }
  /// Whether it went well, once it has ended.
  bool ok() {
    if (thread_.joinable()) thread_.join();
    return ok_;
  }

 private:
  std::atomic<bool> ok_{false};
  std::atomic<bool> ended_{false};
  std::jthread thread_;
};

/// Inserts rows one by one for as long as it lives.
class Writer {
 public:
  explicit Writer(const proxy::ClientOptions& account)
      : client_(account), thread_([this](std::stop_token stop) {
          while (!stop.stop_requested()) ++(client_.run("INSERT INTO app.t (v) VALUES (0)") ? written_ : failed_);
        }) {}
  void stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }
  unsigned written() const { return written_; }
  unsigned failed() const { return failed_; }
  std::string error() const { return client_.error_text(); }

 private:
  Client client_;
  std::atomic<unsigned> written_{0};
  std::atomic<unsigned> failed_{0};
  std::jthread thread_;
};

class ProxySwitch : public ProxiedPair {
 protected:
  void SetUp() override {
    auto source = connect(Serves::source);
    for (const auto* statement :
         {"CREATE DATABASE app", "CREATE TABLE app.t (id INT AUTO_INCREMENT PRIMARY KEY, v INT)",
          "CREATE TABLE app.other (id INT PRIMARY KEY)", "CREATE USER anna IDENTIFIED BY 'secret'",
          "GRANT ALL ON app.* TO anna"})
      source.execute(statement);
    folder_ = std::filesystem::temp_directory_path() / ("reseal-proxy-switch-test-" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override {
    control_.reset();
    proxy_.reset();
    run_.reset();
    ProxiedPair::TearDown();
    std::filesystem::remove_all(folder_);
  }

  void start_proxy(milliseconds patience = 15s) {
    ProxiedPair::start_proxy(patience);
    control_.emplace(
        socket(), [this](std::string_view line) { return proxy::control_answer(*proxy_, line); }, log_);
  }
  std::string socket() const { return folder_ / "proxy.sock"; }
  run::Run& open() {
    RunOptions options;
    options.source = server(Serves::source).endpoint();
    options.target = server(Serves::target).endpoint();
    options.state_folder = folder_ / "state";
    options.proxies = {socket()};
    run_.emplace(options, log_);
    return *run_;
  }

  static std::string at(Serves side) { return std::to_string(server(side).port()); }
  static std::string where(Client& client) { return client.value("SELECT @@port"); }
  /// That `client` writes, and on that side.
  static void expect_writes_on(Serves side, Client& client) {
    EXPECT_TRUE(client.run("INSERT INTO app.t (v) VALUES (77)")) << client.error_text();
    EXPECT_EQ(where(client), at(side));
  }

  /// A tool that has died in the middle of a switch, as far as anybody else can tell: its run's sessions are still
  /// there, and what it has begun stands.
  struct DeadTool {
    std::uint64_t epoch = 0;
    std::string run_id;
    Serves from = Serves::source;
    std::optional<mysql::Session> session;  ///< on the side that it leaves
  };
  /// Announces, holds when there is a proxy, and raises the fence. The run has to be ready.
  DeadTool die_under_the_fence(Serves from) {
    DeadTool tool;
    tool.from = from;
    tool.run_id = run_->id();
    run_.reset();
    auto record = connect(Serves::target);
    tool.epoch = cutover::begin_attempt(record, tool.run_id, from);
    if (proxy_) {
      EXPECT_TRUE(proxy_->hold(tool.epoch, 300ms, 5s).all_quiet);
    }
    auto endpoint = server(from).endpoint();
    endpoint.run = tool.run_id;
    endpoint.process = "died";
    tool.session.emplace(endpoint, mysql::Side::source);
    fence::SourceFence(*tool.session).raise(5s);
    return tool;
  }
  static void decide(const DeadTool& tool) {
    auto record = connect(Serves::target);
    auto leaving = connect(tool.from);
    auto coming = connect(cutover::other(tool.from));
    const auto end = [](mysql::Session& session) {
      auto position = mysql::binlog_end(session, mysql::server_facts(session));
      position.gtids = mysql::gtid_executed(session);
      return position;
    };
    cutover::DecisionRecord decision;
    decision.run_id = tool.run_id;
    decision.epoch = tool.epoch;
    decision.serves = cutover::other(tool.from);
    decision.source = end(tool.from == Serves::source ? leaving : coming);
    decision.target = end(tool.from == Serves::source ? coming : leaving);
    cutover::write_decision(record, decision);
  }
  /// That nothing of a dead tool's attempt stands, and that nothing of it can come to stand.
  static void expect_backed_out(DeadTool& tool) {
    auto record = connect(Serves::target);
    EXPECT_TRUE(cutover::closed(record, tool.epoch));
    auto session = connect(tool.from);
    EXPECT_FALSE(fence::SourceFence(session).up());
    EXPECT_THROW(tool.session->scalar("SELECT 1"), Failure) << "what it sends later must not be carried out";
    try {
      decide(tool);
      FAIL() << "the attempt was decided after it had been closed";
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.server_errno(), 1062U) << failure.what();
    }
  }

  std::filesystem::path folder_;
  std::optional<run::Run> run_;
  std::optional<proxy::ControlServer> control_;
};

TEST_F(ProxySwitch, clients_go_on_over_a_cutover_and_a_rollback_with_their_state) {
  start_proxy();
  Client client(anna());
  for (const auto* statement :
       {"USE app", "SET SESSION group_concat_max_len=4321", "INSERT INTO t (id, v) VALUES (NULL, 1)"})
    ASSERT_TRUE(client.run(statement)) << client.error_text();
  const std::string state = "SELECT CONCAT_WS('/', DATABASE(), @@group_concat_max_len, LAST_INSERT_ID())";
  EXPECT_EQ(client.value(state), "app/4321/1");
  EXPECT_EQ(where(client), at(Serves::source));
  auto& run = open();
  run.advance(Until::verified, {});

  Writer writer(anna());
  for (const auto side : {Serves::target, Serves::source}) {
    if (side == Serves::source) run.make_ready_for_rollback({});
    const auto before = writer.written();
    const auto report = SwitchOver(run, {}).execute({});
    ASSERT_TRUE(report.switched) << report.given_up_because;
    EXPECT_GT(report.stall, 0ms);
    EXPECT_EQ(client.value(state), "app/4321/1") << client.error_text();
    EXPECT_EQ(where(client), at(side));
    EXPECT_FALSE(proxy_->status().holding);
    std::this_thread::sleep_for(200ms);
    EXPECT_GT(writer.written(), before) << "nobody wrote: this proves little";
  }
  writer.stop();
  EXPECT_EQ(writer.failed(), 0U) << writer.error();
  EXPECT_EQ(client.value("SELECT COUNT(*) FROM t"), std::to_string(writer.written() + 1));
  Client fresh(anna());
  expect_writes_on(Serves::source, fresh);
}

TEST_F(ProxySwitch, a_transaction_that_only_reads_and_does_not_end_holds_nobody_up) {
  start_proxy();
  auto& run = open();
  run.advance(Until::verified, {});
  Client reader(anna());
  Client client(anna());
  ASSERT_TRUE(client.connected());
  ASSERT_TRUE(reader.run("BEGIN"));
  EXPECT_EQ(reader.value("SELECT COUNT(*) FROM app.t"), "0");
  const auto report = SwitchOver(run, {}).execute({});
  ASSERT_TRUE(report.switched) << report.given_up_because;
  EXPECT_FALSE(proxy_->status().holding);
  expect_writes_on(Serves::target, client);
  EXPECT_FALSE(reader.run("SELECT COUNT(*) FROM app.t")) << "its transaction cannot go on";
}

TEST_F(ProxySwitch, a_switch_that_is_given_up_lets_the_held_sessions_go_on_at_the_source) {
  start_proxy();
  auto& run = open();
  run.advance(Until::verified, {});
  Client client(anna());
  ASSERT_TRUE(client.connected());
  auto blocker = connect(Serves::source);
  blocker.execute("LOCK TABLES app.other WRITE");
  SwitchOptions limits;
  limits.timeout = 2000ms;
  SwitchReport report;
  {
    std::jthread switching([&] { report = SwitchOver(run, limits).execute({}); });
    const auto until = steady_clock::now() + 10s;
    while (!proxy_->status().holding && steady_clock::now() < until) std::this_thread::sleep_for(5ms);
    Waiting held(client, "INSERT INTO app.t (v) VALUES (7)");
    std::this_thread::sleep_for(300ms);
    EXPECT_FALSE(held.ended()) << "it was not held: this proves nothing";
    switching.join();
    EXPECT_FALSE(proxy_->status().holding);
    EXPECT_TRUE(held.ok()) << client.error_text();
  }
  EXPECT_FALSE(report.switched);
  EXPECT_EQ(report.serves, Serves::source);
  expect_writes_on(Serves::source, client);
  auto record = connect(Serves::target);
  EXPECT_EQ(TargetRecord(record).backed_out_epoch(), cutover::latest_attempt(record)->epoch);
  blocker.execute("UNLOCK TABLES");
  report = SwitchOver(run, {}).execute({});
  EXPECT_TRUE(report.switched) << report.given_up_because;
  expect_writes_on(Serves::target, client);
}

TEST_F(ProxySwitch, of_a_tool_that_died_before_the_decision_the_proxy_closes_the_attempt) {
  start_proxy();
  open().advance(Until::verified, {});
  Client client(anna());
  ASSERT_TRUE(client.connected());
  auto tool = die_under_the_fence(Serves::source);
  Waiting held(client, "INSERT INTO app.t (v) VALUES (7)");
  EXPECT_TRUE(held.ok()) << client.error_text();
  expect_writes_on(Serves::source, client);
  expect_backed_out(tool);
  auto& run = open();
  EXPECT_FALSE(SwitchOver(run, {}).recover().switched);
  run.advance(Until::verified, {});
  EXPECT_TRUE(SwitchOver(run, {}).execute({}).switched) << "the next attempt goes through";
  expect_writes_on(Serves::target, client);
}

TEST_F(ProxySwitch, of_a_tool_that_died_after_the_decision_the_proxy_opens_the_target) {
  start_proxy();
  open().advance(Until::verified, {});
  Client client(anna());
  ASSERT_TRUE(client.run("USE app"));
  auto tool = die_under_the_fence(Serves::source);
  decide(tool);
  Waiting held(client, "INSERT INTO t (v) VALUES (7)");
  EXPECT_TRUE(held.ok()) << client.error_text();
  expect_writes_on(Serves::target, client);
  auto source = connect(Serves::source);
  EXPECT_TRUE(fence::SourceFence(source).up()) << "both would take writes";
  EXPECT_TRUE(SwitchOver(open(), {}).recover().switched) << "the tool comes to the same";
  expect_writes_on(Serves::target, client);
}

TEST_F(ProxySwitch, of_a_tool_that_died_within_a_rollback_the_proxy_does_the_same) {
  start_proxy();
  Client client(anna());
  ASSERT_TRUE(client.run("SET SESSION group_concat_max_len=4321"));
  open().advance(Until::verified, {});
  ASSERT_TRUE(SwitchOver(*run_, {}).execute({}).switched);
  run_->make_ready_for_rollback({});
  {
    auto tool = die_under_the_fence(Serves::target);
    Waiting held(client, "INSERT INTO app.t (v) VALUES (7)");
    EXPECT_TRUE(held.ok()) << client.error_text();
    expect_writes_on(Serves::target, client);
    expect_backed_out(tool);
  }
  EXPECT_FALSE(SwitchOver(open(), {}).recover().switched);
  run_->make_ready_for_rollback({});
  auto tool = die_under_the_fence(Serves::target);
  decide(tool);
  Waiting held(client, "INSERT INTO app.t (v) VALUES (8)");
  EXPECT_TRUE(held.ok()) << client.error_text();
  expect_writes_on(Serves::source, client);
  EXPECT_EQ(client.value("SELECT @@group_concat_max_len"), "4321");
  auto target = connect(Serves::target);
  EXPECT_TRUE(fence::SourceFence(target).up()) << "both would take writes";
  EXPECT_TRUE(SwitchOver(open(), {}).recover().switched);
  expect_writes_on(Serves::source, client);
}

TEST_F(ProxySwitch, what_a_tool_that_died_left_for_a_servers_next_start_is_put_right) {
  open().advance(Until::verified, {});
  const auto leave_it_for_the_next_start = [](Serves side) {
    auto session = connect(side);
    session.execute("SET GLOBAL super_read_only=OFF");
    session.execute("SET GLOBAL read_only=OFF");
  };
  const auto settle = [] {
    return settle_attempt(server(Serves::source).endpoint(), server(Serves::target).endpoint(), 0ms);
  };
  const auto kept_for_the_next_start = [](Serves side) {
    auto session = connect(side);
    return session.scalar(
        "SELECT COUNT(*) FROM performance_schema.persisted_variables"
        " WHERE VARIABLE_NAME LIKE '%read_only'");
  };
  die_under_the_fence(Serves::source);
  leave_it_for_the_next_start(Serves::source);
  EXPECT_EQ(kept_for_the_next_start(Serves::source), "1");
  EXPECT_EQ(settle(), Serves::source);
  EXPECT_EQ(kept_for_the_next_start(Serves::source), "0");

  open().advance(Until::verified, {});
  const auto tool = die_under_the_fence(Serves::source);
  decide(tool);
  leave_it_for_the_next_start(Serves::target);
  EXPECT_EQ(kept_for_the_next_start(Serves::target), "1");
  EXPECT_EQ(settle(), Serves::target);
  EXPECT_EQ(kept_for_the_next_start(Serves::target), "0");
  EXPECT_EQ(kept_for_the_next_start(Serves::source), "1");
}

TEST_F(ProxySwitch, a_proxy_that_starts_within_an_attempt_gives_it_time_and_closes_it) {
  start_proxy();
  open().advance(Until::verified, {});
  control_.reset();
  proxy_.reset();
  auto tool = die_under_the_fence(Serves::source);
  const auto began = steady_clock::now();
  start_proxy(300ms);
  EXPECT_GE(steady_clock::now() - began, 300ms);
  Client client(anna());
  expect_writes_on(Serves::source, client);
  expect_backed_out(tool);
}

TEST_F(ProxySwitch, a_proxy_that_starts_after_a_decision_serves_the_target_at_once) {
  start_proxy();
  open().advance(Until::verified, {});
  control_.reset();
  proxy_.reset();
  auto tool = die_under_the_fence(Serves::source);
  decide(tool);
  const auto began = steady_clock::now();
  start_proxy(20s);
  EXPECT_LT(steady_clock::now() - began, 10s);
  Client client(anna());
  expect_writes_on(Serves::target, client);
  auto source = connect(Serves::source);
  EXPECT_TRUE(fence::SourceFence(source).up());
}

}  // namespace
}  // namespace reseal::run

// SPDX-License-Identifier: Apache-2.0
// Two clients, two servers, and a switch between them, in any order: the proxy's sessions over real sockets. Clients
// and servers mostly speak as they should, and say anything else when the fuzzer wants it. Until a server has spoken
// out of turn: a session never begins a command while a reply is due, begins none while it is held outside of a
// transaction, and no descriptor is left open.
#include "proxy/session.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <initializer_list>
#include <list>
#include <map>

#include "base/failure.hpp"
#include "fuzz/session_servers.hpp"
#include "fuzz/target.hpp"

namespace reseal::fuzz {
namespace {

using mysql::FileDescriptor;
using proxy::Where;

constexpr unsigned most_steps = 60;
constexpr int turns_to_settle = 3;

const proxy::PasswordKey& own_key() {
  static const auto key = proxy::PasswordKey::make();
  return key;
}

class Stage {
 public:
  explicit Stage(Input& input)
      : input_(&input),
        capabilities_(capability_choice(input) | wire::capability::plugin_auth | wire::capability::secure_connection |
                      wire::capability::lenenc_auth_data | wire::capability::transactions),
        source_("source"),
        target_("target"),
        terms_(own_key(), log_) {
    terms_.exchangeable.upstream(Where::source, source_.upstream());
    terms_.exchangeable.upstream(Where::target, target_.upstream());
    terms_.offered = capabilities_;
  }

  void play() {
    loop_.run(0, [this] { tick(); });
    RESEAL_CHECK(sessions_.empty());
  }
  std::uint64_t moved() const { return terms_.counters.moved; }

 private:
  void tick() {
    if (settling_-- > 0) return;
    settling_ = turns_to_settle;
    if (take_in()) return;  // a greeting, say, has to be heard before it is answered
    if (!input_->empty() && steps_++ < most_steps) return step();
    if (std::exchange(ending_, true)) return loop_.stop();
    for (auto& [number, session] : sessions_) session->end();
  }

  bool take_in() {
    bool moved = false;
    for (const auto* server : {&source_, &target_})
      for (auto socket = server->accept(); socket.open(); socket = server->accept(), moved = true)
        ends_.emplace_back(std::move(socket), capabilities_, terms_.gate);
    for (auto& end : ends_) moved = end.hear() || moved;
    for (auto& client : clients_)
      while (client.hear()) moved = true;
    return moved;
  }

  void step() {
    const auto choice = input_->below(20);
    if (choice < 2) return connect();
    if (choice < 10) return client_step(choice);
    if (choice < 14) return server_step(choice);
    proxy_step(choice);
  }

  void connect() {
    std::array<int, 2> pair{};
    RESEAL_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()) == 0);
    clients_.emplace_back(FileDescriptor(pair[0]));
    const auto number = ++last_number_;
    sessions_.emplace(number, std::make_unique<proxy::Session>(home(), number, FileDescriptor(pair[1]),
                                                               proxy::ClientOrigin{true, "socket"}));
    sessions_.at(number)->start();
  }

  void client_step(unsigned choice) {
    if (clients_.empty()) return;
    auto& client =
        *std::next(clients_.begin(), input_->below(static_cast<unsigned>(std::min<std::size_t>(clients_.size(), 4))));
    std::string bytes;
    std::uint8_t number = 0;
    switch (choice) {
      case 2:
        return client.answer({wire::handshake_response(response())});
      case 3:
        return client.answer({std::string("open\0", 5)});
      case 4:
        wire::append_packets(bytes, "\x03" + std::string(statement), number);
        return client.say(std::string_view(bytes).substr(0, bytes.size() - input_->below(4)));
      case 5:
        wire::append_packets(bytes, input_->text(), number);
        return client.say(bytes);
      case 6:
        return client.say(input_->text());
      case 7:
        return client.answer({"a line of the file\n", ""});
      case 8: {
        const auto scramble = wire::caching_sha2_scramble("open", nonce);
        wire::append_packets(bytes,
                             "\x11"
                             "bert" +
                                 std::string(1, '\0') + '\x20' + scramble +
                                 std::string("shop\0\x2D\0caching_sha2_password\0", 29),
                             number);
        return client.say(bytes);
      }
      default:
        return client.close();
    }
  }

  void server_step(unsigned choice) {
    if (ends_.empty()) return;
    // The newest are told apart.
    const auto which = input_->below(static_cast<unsigned>(std::min<std::size_t>(ends_.size(), 4)));
    auto& end = *std::next(ends_.rbegin(), which);
    if (choice < 12) return end.answer(input_->below(6));
    if (choice == 12) return end.wild(input_->text());
    if (input_->below(8) == 7) return end.close();
    for (auto& every : ends_) every.answer(0);
  }

  void proxy_step(unsigned choice) {
    const auto to = input_->flag() ? Where::target : Where::source;
    switch (choice) {
      case 14:
        terms_.gate.hold();
        break;
      case 15:
        terms_.gate.release();
        break;
      case 16:
        for (auto& [number, session] : sessions_) session->prepare_move(to, names());
        return;
      case 17: {
        if (!terms_.gate.holding()) return look_ahead(to);
        const auto order = order_to(to);
        const bool ahead = input_->below(3) == 2;
        if (!ahead) terms_.gate.serve(to);
        for (auto& [number, session] : sessions_) ahead ? session->begin_restore(order) : session->begin_move(order);
        return;
      }
      case 18:
        for (auto& [number, session] : sessions_)
          session->tick(proxy::Session::Clock::now() + std::chrono::seconds(input_->below(20)));
        return;
      default:
        for (auto& [number, session] : sessions_)
          if (number % 2 == 0) session->drain();
        return;
    }
    proxy::HoldCounts counts;
    for (auto& [number, session] : sessions_) {
      session->gate_changed();
      session->count_into(counts);
      static_cast<void>(session->report());
    }
  }

  // In two steps, so that clients can come in between.
  void look_ahead(Where to) {
    const auto order = input_->flag() ? order_to(to) : nullptr;
    looks_ += order ? 0 : 1;
    for (auto& [number, session] : sessions_)
      order ? session->look_ahead(order) : static_cast<void>(session->mark_idle(to, looks_));
  }

  static proxy::VariableNames names() { return {{"timestamp"}, {"timestamp"}}; }

  std::shared_ptr<const proxy::MoveOrder> order_to(Where to) {
    auto order = std::make_shared<proxy::MoveOrder>();
    order->to = to;
    order->releases = terms_.gate.releases();
    order->look = looks_;
    order->names = names();
    order->globals = {{"0"}};
    if (input_->flag()) order->user_variables[0] = {"v"};
    return order;
  }

  wire::HandshakeResponse response() const {
    wire::HandshakeResponse response;
    response.capabilities = capabilities_;
    response.user = "anna";
    response.auth_plugin = wire::caching_sha2_password;
    response.auth_data = wire::caching_sha2_scramble("open", nonce);
    return response;
  }

  proxy::Session::Home home() {
    return {
        terms_,
        loop_,
        pool_,
        [this](proxy::Session& session) { loop_.post([this, number = session.number()] { sessions_.erase(number); }); },
        [](proxy::Session&) {},
        [](proxy::Session&) {},
        [this](proxy::Session& session) {
          loop_.post([this, number = session.number()] {
            if (const auto found = sessions_.find(number); found != sessions_.end()) found->second->advance();
          });
        },
        [this](std::unique_ptr<proxy::Side> side) {
          loop_.post([left = std::shared_ptr<proxy::Side>(std::move(side))] { left->close(); });
        }};
  }

  Input* input_;
  std::uint32_t capabilities_;
  base::Log log_{base::Log::Level::quiet};
  Server source_;
  Server target_;
  proxy::SessionTerms terms_;
  proxy::EventLoop loop_;
  proxy::BufferPool pool_;
  std::list<Peer> clients_;
  std::list<ServerEnd> ends_;
  std::map<std::uint64_t, std::unique_ptr<proxy::Session>> sessions_;
  std::uint64_t last_number_ = 0;
  std::uint64_t looks_ = 0;
  unsigned steps_ = 0;
  int settling_ = 0;
  bool ending_ = false;
};

int lowest_free_descriptor() { return FileDescriptor(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)).number(); }

/// How many sessions were moved.
std::uint64_t play(std::string_view bytes) {
  static_cast<void>(own_key());
  const auto free = lowest_free_descriptor();
  std::uint64_t moved = 0;
  {
    Input input(bytes);
    Stage stage(input);
    stage.play();
    moved = stage.moved();
  }
  RESEAL_CHECK(lowest_free_descriptor() == free);
  return moved;
}

}  // namespace

void run_target(std::string_view bytes) { play(bytes); }

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string all;
  for (const auto part : parts) all += part;
  return all;
}

std::vector<std::string> seeds() {
  using namespace std::string_view_literals;
  // Connects and logs in: the server is content, the client is asked for its password, which is then known.
  constexpr auto login = "\0\2\0\x0A\0\0\3\0"sv;
  // A statement of client 0, answered in one of six ways by a server's connection; the newest is 0.
  const auto work = [](char how, char connection = '\0') {
    return std::string("\4\0\0\x0A", 4).append(1, connection).append(1, how);
  };
  const auto statement_there = work('\0', '\1');
  // All connections answer: logins, the questions to the new server, and those to the old one.
  constexpr auto all_answer = "\x0D\0\0"sv;
  std::string answers;
  for (int i = 0; i < 10; ++i) answers += all_answer;
  constexpr auto hold = "\x0E\0"sv, release = "\x0F\0"sv;
  const auto prepare = joined({"\x10\1"sv, answers});
  const auto restore = joined({"\x11\1\1\2"sv, answers});
  const auto move = joined({"\x11\1\0\0"sv, answers});
  const auto look_ahead = joined({"\x11\1\0"sv, "\x11\1\1\0"sv, answers});
  std::vector<std::string> made;
  for (const auto capabilities : {"\0"sv, "\3"sv, "\7"sv}) {
    const auto logged_in = joined({capabilities, login});
    made.push_back(logged_in);
    for (const char how : {'\0', '\1', '\2', '\3', '\5'}) made.push_back(joined({logged_in, work(how), work('\0')}));
    made.push_back(joined({logged_in, work('\4'), "\7\0\x0A\0\0"sv}));
    made.push_back(joined({logged_in, hold, restore, release, statement_there}));
    made.push_back(joined({logged_in, "\x08\0\x0D\0\0"sv, work('\5'), "\x13\1"sv, work('\5')}));
    made.push_back(joined({logged_in, work('\0'), "\x09\0"sv}));
    const std::string moves[] = {joined({logged_in, work('\0'), hold, move, release, work('\0')}),
                                 joined({logged_in, hold, restore, move, release, work('\0')}),
                                 joined({logged_in, hold, restore, release, statement_there, hold, move}),
                                 joined({logged_in, prepare, statement_there, hold, move}),
                                 joined({logged_in, prepare, look_ahead, hold, restore, move}),
                                 joined({logged_in, prepare, look_ahead, statement_there, hold, restore, move}),
                                 // The new server does not know all variables.
                                 joined({logged_in, "\x10\1"sv, all_answer, "\x0A\0\1"sv, answers, hold, move})};
    for (const auto& seed : moves) {
      RESEAL_CHECK(play(seed) == 1);  // it still gets there
      made.push_back(seed);
    }
  }
  made.emplace_back("\0\0\6\0\x05hello\x0C\0\x05HELLO\x12\0\x0F"sv);
  return made;
}

}  // namespace reseal::fuzz

// SPDX-License-Identifier: Apache-2.0
// Two clients, two servers, and a switch between them, in any order: the proxy's sessions over real sockets. Clients
// and servers mostly speak as they should, and say anything else when the fuzzer wants it. Until a server has spoken
// out of turn: a session never begins a command while a reply is due, begins none while it is held outside of a
// transaction, and no descriptor is left open.
#include "proxy/session.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <list>
#include <map>

#include "base/failure.hpp"
#include "fuzz/server_says.hpp"
#include "fuzz/target.hpp"
#include "wire/auth.hpp"
#include "wire/command_kind.hpp"
#include "wire/packet_header.hpp"
#include "wire/reply.hpp"

namespace reseal::fuzz {
namespace {

using mysql::FileDescriptor;
using proxy::Where;

constexpr unsigned most_steps = 60;
constexpr int turns_to_settle = 3;
constexpr std::string_view nonce = "0123456789abcdefghij";
constexpr std::string_view statement = "client's statement";

// The one end of a connection that the fuzzer plays.
class Peer {
 public:
  explicit Peer(FileDescriptor socket) : socket_(std::move(socket)) {}
  bool open() const { return socket_.open(); }
  void close() { socket_ = FileDescriptor(); }
  void say(std::string_view bytes) const {
    static_cast<void>(::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
  }
  /// The next whole packet, of what has come.
  std::optional<std::string> hear() {
    std::array<char, 4096> buffer{};
    for (ssize_t count = 1; open() && count > 0;) {
      count = ::recv(socket_.number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (count > 0) heard_.append(buffer.data(), static_cast<std::size_t>(count));
    }
    if (heard_.size() < wire::packet_header_size) return std::nullopt;
    const auto header = wire::read_packet_header(heard_);
    if (heard_.size() < wire::packet_header_size + header.size) return std::nullopt;
    number_ = static_cast<std::uint8_t>(header.sequence + 1);
    auto payload = heard_.substr(wire::packet_header_size, header.size);
    heard_.erase(0, wire::packet_header_size + header.size);
    return payload;
  }
  /// In answer to what was heard last.
  void answer(const std::vector<std::string>& messages) {
    std::string bytes;
    for (const auto& message : messages) wire::append_packets(bytes, message, number_);
    say(bytes);
  }

 private:
  FileDescriptor socket_;
  std::string heard_;
  std::uint8_t number_ = 0;
};

// A connection of one of the servers.
class ServerEnd {
 public:
  ServerEnd(FileDescriptor socket, std::uint32_t capabilities, const proxy::Gate& gate)
      : peer_(std::move(socket)), says_(capabilities), gate_(&gate) {
    wire::Greeting greeting;
    greeting.server_version = "9.7.4";
    greeting.nonce = nonce;
    greeting.capabilities = capabilities;
    greeting.auth_plugin = wire::caching_sha2_password;
    peer_.answer({wire::greeting_payload(greeting)});
  }

  void hear() {
    while (const auto payload = peer_.hear()) {
      if (wild_) continue;
      if (state_ == State::command) on_command(*payload);
      if (state_ == State::login || state_ == State::file) due_ = true;
      if (state_ == State::file && !payload->empty()) due_ = false;
    }
  }
  void wild(std::string_view bytes) {
    wild_ = true;
    peer_.say(bytes);
  }
  void close() {
    wild_ = true;
    peer_.close();
  }
  void answer(unsigned choice) {
    if (wild_ || !due_) return;
    due_ = false;
    if (state_ == State::login) return answer_login(choice);
    state_ = State::command;
    if (!answer_proxy()) answer_command(choice);
  }

 private:
  enum class State { login, command, file };

  void on_command(const std::string& payload) {
    RESEAL_CHECK(!due_);  // the reply to the command before
    const auto command = payload.empty() ? wire::Command::sleep : static_cast<wire::Command>(payload[0]);
    query_ = payload;
    RESEAL_CHECK(payload.find(statement) == std::string::npos || !gate_->holding() || in_transaction_);
    due_ = wire::reply_shape(command) != wire::ReplyShape::none;
    if (command == wire::Command::change_user) state_ = State::login;
  }

  void answer_login(unsigned choice) {
    if (choice == 1) return peer_.answer({"\x01\x04"});
    if (choice == 2) return peer_.answer({says_.error(1045)});
    state_ = State::command;
    peer_.answer({"\x01\x03", says_.ok()});
  }

  /// The proxy's own questions, for a server whose sessions have one variable. False for any other.
  bool answer_proxy() {
    const auto asks = [this](std::string_view word) { return query_.find(word) != std::string::npos; };
    if (asks("session_variables"))
      peer_.answer(says_.row_of({"timestamp", "1"}));
    else if (asks("CURRENT_ROLE"))
      peer_.answer(says_.row_of({"reseal", "shop", "NONE", "1700000000.5"}));
    else if (asks("@@global"))
      peer_.answer(says_.row_of({"0"}));
    else if (asks("CHARSET(@"))
      peer_.answer(says_.row_of({"v", "76", "latin1", "latin1_bin"}));
    else if (asks("Com_change_db"))
      peer_.answer(says_.row_of({"Com_change_db", "0"}));
    else
      return false;
    return true;
  }

  void answer_command(unsigned choice) {
    const auto shape = wire::reply_shape(static_cast<wire::Command>(query_.empty() ? '\0' : query_[0]));
    const bool results = shape == wire::ReplyShape::results;
    if (shape == wire::ReplyShape::prepared) return peer_.answer(says_.prepared(1, 1));
    if (shape == wire::ReplyShape::rows) return peer_.answer(says_.fetched());
    if (choice == 1) return peer_.answer({says_.error(1064)});
    if (choice == 2 && results) return peer_.answer(says_.result(3, status()));
    if (choice == 3 && results) return peer_.answer(says_.two_results());
    if (choice == 4 && results) {
      state_ = State::file;
      return peer_.answer({"\xFB/file"});
    }
    if (choice == 5) in_transaction_ = !in_transaction_;
    peer_.answer({says_.ok(status())});
  }

  std::uint16_t status() const {
    return static_cast<std::uint16_t>(wire::status::autocommit | (in_transaction_ ? wire::status::in_transaction : 0));
  }

  Peer peer_;
  ServerSays says_;
  const proxy::Gate* gate_;
  State state_ = State::login;
  bool due_ = false;
  bool wild_ = false;
  bool in_transaction_ = false;
  std::string query_;
};

// A listening server, by a name that no file needs.
class Server {
 public:
  explicit Server(const std::string& name) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto unique = "reseal-fuzz-" + std::to_string(::getpid()) + name;
    std::memcpy(address.sun_path + 1, unique.data(), unique.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + unique.size());
    RESEAL_CHECK(::bind(socket_.number(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
    RESEAL_CHECK(::listen(socket_.number(), 64) == 0);
    place_ = {name, true, {{}}};
    std::memcpy(&place_.addresses[0].bytes, &address, size);
    place_.addresses[0].size = size;
  }
  proxy::Upstream upstream() const {
    static const auto tls = std::make_shared<const proxy::TlsContext>(proxy::TlsContext::connecting(mysql::Endpoint()));
    return {std::make_shared<const proxy::ServerPlace>(place_), tls};
  }
  FileDescriptor accept() const {
    return FileDescriptor(::accept4(socket_.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  }

 private:
  FileDescriptor socket_;
  proxy::ServerPlace place_;
};

const proxy::PasswordKey& own_key() {
  static const auto key = proxy::PasswordKey::make();
  return key;
}

struct Client {
  explicit Client(FileDescriptor socket) : peer(std::move(socket)) {}
  Peer peer;
  std::string last;  ///< the last packet that came
};

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

 private:
  void tick() {
    if (settling_-- > 0) return;
    settling_ = turns_to_settle;
    take_in();
    if (!input_->empty() && steps_++ < most_steps) return step();
    if (std::exchange(ending_, true)) return loop_.stop();
    for (auto& [number, session] : sessions_) session->end();
  }

  void take_in() {
    for (const auto* server : {&source_, &target_})
      for (auto socket = server->accept(); socket.open(); socket = server->accept())
        ends_.emplace_back(std::move(socket), capabilities_, terms_.gate);
    for (auto& end : ends_) end.hear();
    for (auto& client : clients_)
      while (auto payload = client.peer.hear()) client.last = *std::move(payload);
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
        return client.peer.answer({wire::handshake_response(response())});
      case 3:
        return client.peer.answer({std::string("open\0", 5)});
      case 4:
        wire::append_packets(bytes, "\x03" + std::string(statement), number);
        return client.peer.say(std::string_view(bytes).substr(0, bytes.size() - input_->below(4)));
      case 5:
        wire::append_packets(bytes, input_->text(), number);
        return client.peer.say(bytes);
      case 6:
        return client.peer.say(input_->text());
      case 7:
        return client.peer.answer({"a line of the file\n", ""});
      case 8: {
        const auto scramble = wire::caching_sha2_scramble("open", nonce);
        wire::append_packets(bytes,
                             "\x11"
                             "bert" +
                                 std::string(1, '\0') + '\x20' + scramble +
                                 std::string("shop\0\x2D\0caching_sha2_password\0", 29),
                             number);
        return client.peer.say(bytes);
      }
      default:
        return client.peer.close();
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
        if (!terms_.gate.holding()) return;
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

  static proxy::VariableNames names() { return {{"timestamp"}, {"timestamp"}}; }

  std::shared_ptr<const proxy::MoveOrder> order_to(Where to) {
    auto order = std::make_shared<proxy::MoveOrder>();
    order->to = to;
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
  std::list<Client> clients_;
  std::list<ServerEnd> ends_;
  std::map<std::uint64_t, std::unique_ptr<proxy::Session>> sessions_;
  std::uint64_t last_number_ = 0;
  unsigned steps_ = 0;
  int settling_ = 0;
  bool ending_ = false;
};

int lowest_free_descriptor() { return FileDescriptor(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)).number(); }

}  // namespace

void run_target(std::string_view bytes) {
  static_cast<void>(own_key());
  const auto free = lowest_free_descriptor();
  {
    Input input(bytes);
    Stage stage(input);
    stage.play();
  }
  RESEAL_CHECK(lowest_free_descriptor() == free);
}

std::vector<std::string> seeds() {
  using namespace std::string_view_literals;
  // Connects and logs in: the server is content, the client is asked for its password, which is then known.
  const std::string login("\0\2\0\x0A\0\0\3\0", 8);
  const auto in = [](char capabilities) { return std::string(1, capabilities); };
  // A statement of client 0, answered in one of six ways.
  const auto work = [](char how) { return std::string("\4\0\0\x0A\0", 5) + how; };
  std::vector<std::string> made;
  for (const char capabilities : {'\0', '\3', '\7'}) {
    made.push_back(in(capabilities) + login);
    for (const char how : {'\0', '\1', '\2', '\3', '\5'})
      made.push_back(in(capabilities) + login + work(how) + work('\0'));
    made.push_back(in(capabilities) + login + work('\4') + std::string("\7\0\x0A\0\0", 5));
    // Held, moved to the target and let go; the new connection's login, its three questions, and those of the old one.
    const std::string all_answer("\x0D\0\0", 3);
    std::string answers;
    for (int i = 0; i < 10; ++i) answers += all_answer;
    const auto move = work('\0') + std::string("\x0E\0\x11\1\0\0", 6) + answers;
    // Restored ahead; then let go where it is, or moved.
    const auto ahead = std::string("\x0E\0\x11\1\1\2", 6) + answers;
    made.push_back(in(capabilities) + login + ahead + std::string("\x0F\0", 2) + work('\0') + move);
    made.push_back(in(capabilities) + login + ahead + std::string("\x11\1\0\0", 4) + std::string("\x0F\0", 2) +
                   work('\0'));
    made.push_back(in(capabilities) + login + move + std::string("\x0F\0", 2) + work('\0'));
    made.push_back(in(capabilities) + login + std::string("\x10\1", 2) + all_answer + all_answer + all_answer + move);
    made.push_back(in(capabilities) + login + std::string("\x08\0\x0D\0\0", 5) + work('\5') + "\x13\1" + work('\5'));
    made.push_back(in(capabilities) + login + work('\0') + std::string("\x09\0", 2));
  }
  made.emplace_back("\0\0\6\0\x05hello\x0C\0\x05HELLO\x12\0\x0F"sv);
  return made;
}

}  // namespace reseal::fuzz

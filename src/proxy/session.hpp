// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "proxy/census.hpp"
#include "proxy/login_machine.hpp"
#include "proxy/session_terms.hpp"
#include "proxy/side.hpp"
#include "proxy/transfer.hpp"
#include "wire/command_scanner.hpp"
#include "wire/handshake.hpp"
#include "wire/reply_scanner.hpp"
#include "wire/reply_tracker.hpp"

namespace reseal::proxy {

/// Where a client comes from.
struct ClientOrigin {
  bool on_socket = false;
  std::string text;  ///< "10.0.0.7:50123" or "socket"
};

/// A session as `reseal proxy sessions` shows it.
struct SessionReport {
  std::uint64_t number = 0;
  std::string client;
  std::string user;
  std::string phase;
  std::uint32_t server_id = 0;  ///< the server's connection id, which is also the client's
  bool encrypted = false;
  bool in_transaction = false;
  bool movable = false;
  std::string unmovable_because;
};

/// One client and the server connection that serves it. Lives on one thread, moved on by events.
///
///     connecting -> greeting -> hello -> [tls] -> response -> login -> relay -> closing -> over
///                                                   ^                    | COM_CHANGE_USER
///                                                   +--- login <---------+
///
/// TLS is mirrored: the server sees a TLS client exactly when the client uses TLS, so that it can judge every account's
/// demands itself. Between the SSL request and the end of the TLS handshake nothing else is read from the client.
class Session final : private SideOwner {
 public:
  using Clock = std::chrono::steady_clock;

  /// What a session lives in. All outlive it.
  struct Home {
    SessionTerms& terms;
    EventLoop& loop;
    BufferPool& pool;
    std::function<void(Session&)> over;  ///< called once, at the end; the session is destroyed later, not within
    std::function<void(Session&)> logged_in;
    std::function<void(Session&)> again;  ///< the session has more to do and lets others go first
  };

  Session(const Home& home, std::uint64_t number, mysql::FileDescriptor client, ClientOrigin origin);

  void start();
  void advance() override;
  /// Ends what takes too long.
  void tick(Clock::time_point now);
  /// Ends the session at its next boundary between transactions.
  void drain();
  /// Ends it now.
  void end();

  /// The gate was closed or opened.
  void gate_changed();
  /// Opens and logs in the connection on the other server, while the client works on.
  void prepare_move(Where to);
  /// Puts the session onto that connection, or, if something stands against it, ends it with an error that drivers take
  /// for a lost connection. The gate holds.
  void begin_move(const std::shared_ptr<const MoveOrder>& order);
  void count_into(HoldCounts& counts) const;

  bool over() const noexcept { return phase_ == Phase::over; }
  /// True while it is the client's turn to go on with its login.
  bool waits_for_client() const noexcept;
  SessionReport report() const;
  std::uint64_t number() const noexcept { return number_; }
  std::uint32_t server_id() const noexcept { return greeting_.connection_id; }

 private:
  enum class Phase { connecting, greeting, hello, tls, response, login, relay, moving, closing, over };

  // session.cpp
  bool step();
  void begin_closing();
  void close_after(std::string_view error_payload);
  void broken(std::string_view why);
  void say_abandoned();
  bool step_closing();

  // session_login.cpp
  bool step_connecting();
  void connect_next(int error);
  bool step_greeting();
  bool step_hello();
  void begin_tls();
  bool step_tls();
  bool step_response();
  void on_response();
  void on_change_user();
  void server_too_slow();
  void begin_login(std::string user, std::string plugin, std::string auth_data);
  bool step_login();
  void act_on(LoginMachine::Step step);
  void login_over();
  void refuse_login(std::string_view why);
  std::string explained(std::string_view error) const;
  LoginTerms login_terms() const;

  // session_relay.cpp
  bool step_relay();
  bool relay_up();
  bool relay_down();
  bool judge_up();
  bool judge_down();
  bool begin_command(const wire::CommandScanner::Scanned& found);
  void refuse_command();
  bool begin_change_user();
  bool ended_sides();
  void reply_ended();

  // session_move.cpp
  bool step_moving();
  bool ask_state();
  void switch_over();
  void refuse_move(const std::string& why);
  void drop_transfer();
  bool between_replies() const;
  bool quiet() const;
  bool must_be_quiet() const { return draining_ || home_.terms.gate.holding(); }
  void ask_transaction();
  void say_and_close(std::string_view text);

  const Upstream& upstream() const { return home_.terms.upstream(where_); }

  Home home_;
  std::uint64_t number_;
  ClientOrigin origin_;
  Where where_;
  Phase phase_ = Phase::connecting;
  Clock::time_point since_ = Clock::now();  ///< when the login, or the closing, began
  Side client_;
  std::unique_ptr<Side> server_;
  std::size_t next_address_ = 0;

  wire::Greeting greeting_;
  std::uint32_t offered_ = 0;  ///< to this client
  std::uint32_t capabilities_ = 0;
  bool client_tls_done_ = false;
  bool server_tls_begun_ = false;
  bool server_tls_done_ = false;
  bool server_tls_failed_ = false;
  bool response_sent_ = false;
  bool client_turn_ = false;  ///< the client owes an answer in the login; else it is not listened to
  std::unique_ptr<LoginMachine> login_;
  bool ever_logged_in_ = false;
  LoginProof proof_;
  std::uint8_t collation_ = 0;

  std::string user_;
  bool movable_ = false;
  std::string unmovable_because_;

  wire::CommandScanner commands_;
  wire::ReplyTracker replies_{0};
  wire::ReplyScanner reply_packets_{replies_};
  wire::Command command_ = wire::Command::sleep;  ///< the last that began
  std::set<std::uint32_t> statements_;            ///< ids of prepared statements that are open
  bool option_set_ = false;                       ///< COM_SET_OPTION came by
  bool dropping_ = false;                         ///< the command at hand is refused and goes nowhere
  bool own_command_ = false;                      ///< the command under way is the proxy's own: its reply goes nowhere
  bool draining_ = false;
  struct Move {
    std::shared_ptr<const MoveOrder> order;
    std::optional<OwnCommand> question;
    bool variables_read = false;
    SessionState wanted;
  };
  std::unique_ptr<Transfer> transfer_;
  std::unique_ptr<Move> move_;
  bool lingering_ = false;  ///< closing: all is sent, what the client still sends is thrown away
};

}  // namespace reseal::proxy

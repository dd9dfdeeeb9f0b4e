// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/census.hpp"
#include "proxy/login_machine.hpp"
#include "proxy/open_statements.hpp"
#include "proxy/restore_steps.hpp"
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
  std::string text;         ///< "10.0.0.7:50123" or "socket"
  bool header_due = false;  ///< a PROXY header comes first, which says whom it connects for
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
  bool logged_in = false;
  bool asked_about = false;  ///< what a move has to know of it is known, or is being read
  bool movable = false;
  std::string unmovable_because;
};

/// One client and the server connection that serves it. Lives on one thread, moved on by events.
///
///     [header] -> [waiting] -> connecting -> greeting -> hello -> [tls] -> response -> login -> relay -> closing ->
///     over
///                                                              ^                    | COM_CHANGE_USER
///                                                              +--- login <---------+
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
    std::function<void(Session&)> greeted;  ///< the server's greeting is there, or never will be
    std::function<void(Session&)> again;    ///< the session has more to do and lets others go first
    /// Takes a connection that a session has left, and closes it when there is time.
    std::function<void(std::unique_ptr<Side>)> retire;
  };

  Session(const Home& home, std::uint64_t number, mysql::FileDescriptor client, ClientOrigin origin);

  void start();
  void advance() override;
  /// Ends what takes too long.
  void tick(Clock::time_point now);
  /// Ends the session at its next boundary between transactions; within a login, once the server has greeted.
  void drain();
  /// Ends it now.
  void end();

  /// The gate was closed or opened.
  void gate_changed();
  /// Opens and logs in the connection on the other server, while the client works on. `names` are the variables of the
  /// server that it leaves.
  void prepare_move(Where to, const VariableNames& names);
  /// True until that connection is there, or cannot be had.
  bool preparing() const noexcept;
  /// While the gate is open: notes that the session does nothing from this look on, until it does something. False when
  /// it does, or has no other connection that is ready, or was read already.
  bool mark_idle(Where to, std::uint64_t look);
  /// Reads the state of a session that still does nothing since it was marked; `order` was made after that. What is
  /// read is true until its next command begins, which throws it away.
  void look_ahead(const std::shared_ptr<const MoveOrder>& order);
  bool looking_ahead() const noexcept { return phase_ == Phase::restoring && move_->ahead; }
  /// Brings that connection into the session's state, which does not change while the gate holds. The session stays
  /// where it is; if something stands against a move, that is noted. Sessions that are not held yet are left alone.
  void begin_restore(const std::shared_ptr<const MoveOrder>& order);
  /// Puts the session onto that connection, at once if it has been restored, or, if something stands against it, ends
  /// the session with an error that drivers take for a lost connection. The gate holds.
  void begin_move(const std::shared_ptr<const MoveOrder>& order);
  void count_into(HoldCounts& counts) const;

  bool over() const noexcept { return phase_ == Phase::over; }
  /// Of a session that has not logged in: whether it may be ended now without the server counting that as an error of
  /// this host. False while it is the server's turn.
  bool may_give_way() const;
  SessionReport report() const;
  std::uint64_t number() const noexcept { return number_; }
  std::uint32_t server_id() const noexcept { return greeting_.connection_id; }

 private:
  enum class Phase {
    header,
    waiting,
    connecting,
    greeting,
    hello,
    tls,
    response,
    login,
    relay,
    restoring,
    closing,
    over
  };

  // session.cpp
  bool step();
  void begin_closing();
  void close_after(std::string_view error_payload);
  void broken(std::string_view why);
  bool greeting_due() const;
  void say_abandoned();
  bool step_closing();

  // session_login.cpp
  bool step_header();
  bool step_waiting();
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

  // session_statements.cpp
  std::string_view payload_in_view(const wire::CommandScanner::Scanned& found) const;
  bool more_comes_into_view(const wire::CommandScanner::Scanned& found) const;
  bool begin_prepare(const wire::CommandScanner::Scanned& found);
  bool begin_init_db(const wire::CommandScanner::Scanned& found);
  bool begin_set_option(const wire::CommandScanner::Scanned& found);
  bool begin_statement_command(const wire::CommandScanner::Scanned& found);
  enum class Look { pass, wait, answered };
  Look look_at_close(const OpenStatement* statement);
  Look look_at_execute(OpenStatement& statement, const wire::CommandScanner::Scanned& found);
  Look send_types(OpenStatement& statement, const wire::ExecuteHead& head, const wire::CommandScanner::Scanned& found);
  bool renumber_prepared();
  void statement_reply_ended();
  void schema_changes_ended();
  void forget_statements(std::optional<std::string> schema);

  // session_move.cpp
  bool step_restoring();
  void ask_own_state();
  bool read_own_state();
  std::string take_own_state(const wire::TextResultMachine& answer);
  void plan_own_state();
  void switch_over();
  void not_movable(std::string why);
  void refuse_move(std::string why);
  void restore_too_slow();
  void drop_transfer();
  void forget_move();
  std::string obstacle(const MoveOrder& order) const;
  bool between_replies() const;
  bool quiet() const;
  bool must_be_quiet() const { return draining_ || home_.terms.gate.holding(); }
  void ask_transaction();
  void say_and_close(std::string_view text);

  Home home_;
  std::uint64_t number_;
  ClientOrigin origin_;
  Where where_;
  Upstream upstream_;  ///< the server that it is on
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
  std::uint8_t zstd_level_ = 0;

  std::string user_;
  std::string login_schema_;
  bool movable_ = false;
  std::string unmovable_because_;

  wire::CommandScanner commands_;
  wire::ReplyTracker replies_{0};
  wire::ReplyScanner reply_packets_{replies_};
  wire::Command command_ = wire::Command::sleep;  ///< the last that began
  OpenStatements statements_;
  OpenStatement preparing_;  ///< whose COM_STMT_PREPARE is under way
  bool prepare_reply_seen_ = false;
  std::uint32_t statement_at_hand_ = 0;    ///< the client's id in the command that began last
  bool multi_statements_asked_ = false;    ///< by the COM_SET_OPTION under way
  std::optional<std::string> schema_;      ///< what the proxy knows of it; nothing: what it was at the last reset
  std::string schema_asked_;               ///< by the COM_INIT_DB under way
  std::uint64_t schema_changes_seen_ = 0;  ///< since the login or the last reset
  bool dropping_ = false;                  ///< the command at hand is refused and goes nowhere
  std::size_t replaced_ = 0;               ///< so many first bytes of the command at hand were sent in another form
  bool own_command_ = false;               ///< the command under way is the proxy's own: its reply goes nowhere
  bool draining_ = false;
  /// Of a session whose other connection is being made the same, or that is on its way there.
  struct Move {
    std::shared_ptr<const MoveOrder> order;
    std::uint64_t look = 0;  ///< that has marked it; it is asked about after that, or not at all
    bool ordered = false;    ///< it goes over as soon as it can, or ends
    bool ahead = false;      ///< its state is read before the hold, or was, and nothing is set yet
    bool read = false;       ///< all of its state
    double read_at = 0;      ///< seconds since 1970
    std::string impossible_because;
    std::optional<OwnQuery> question;  ///< under way on the server that it leaves
    enum class About { variables, user_variables, schema_changes, nothing } about = About::variables;
    WholeState wanted;
    RestoreSteps plan;
  };
  std::unique_ptr<Transfer> transfer_;
  std::unique_ptr<Move> move_;
  bool lingering_ = false;  ///< closing: all is sent, what the client still sends is thrown away
};

}  // namespace reseal::proxy

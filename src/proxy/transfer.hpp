// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "proxy/own_command.hpp"
#include "proxy/restore_steps.hpp"
#include "proxy/session_state.hpp"
#include "proxy/session_terms.hpp"
#include "proxy/side.hpp"
#include "wire/client_handshake_machine.hpp"

namespace reseal::proxy {

/// The connection on the other server that a session is to go on with. It is opened, logged in as the client, and its
/// fresh state is read, all while the client works on; then it is brought into the client's state, and handed over.
///
///     connecting -> login -> [tls] -> login -> reading -> ready -> restoring -> restored         (or failed)
///
/// `reading` asks for the session's own values of the other server's variables, and for the global ones. Only when its
/// server does not know them all are its names asked for, which costs it several times as much, and those of both used.
/// After the last of the steps of `restoring`, user variables are read back: they must be the same.
class Transfer final : private SideOwner {
 public:
  enum class State { connecting, login, tls, reading, ready, restoring, restored, failed };

  /// `loop` and `pool` outlive this; `names` are those of the server that the session leaves; `changed` is called
  /// whenever something has moved.
  Transfer(Upstream to, EventLoop& loop, BufferPool& pool, wire::ClientHandshakeOptions login, VariableNames names,
           std::function<void()> changed);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  State state() const noexcept { return state_; }
  /// Why it failed.
  const std::string& why() const noexcept { return why_; }
  const SessionState& fresh() const noexcept { return fresh_; }
  /// The variables that both servers have.
  const VariableNames& names() const noexcept { return names_; }
  std::uint32_t capabilities() const noexcept { return login_.capabilities(); }
  const Upstream& upstream() const noexcept { return to_; }
  const wire::Greeting& greeting() const noexcept { return login_.greeting(); }

  /// Only when it is ready.
  void restore(std::vector<RestoreStep> steps, std::vector<UserVariable> user_variables);
  /// Only when it is restored: the ids that prepared statements have there, by the client's ids.
  const std::map<std::uint32_t, std::uint32_t>& statement_ids() const noexcept { return statement_ids_; }
  /// Only when it is restored: the connection, now told to `owner`.
  std::unique_ptr<Side> hand_over(SideOwner& owner);

 private:
  void advance() override;
  bool step();
  bool step_connecting();
  bool step_login();
  bool take(const wire::ClientHandshakeMachine::Step& step);
  bool step_tls();
  bool step_reading();
  bool step_restoring();
  bool step_restored(OwnQuery& query);
  bool step_restored(OwnPrepare& prepare);
  void next_step();
  void ask(std::string_view statement);
  bool fail(std::string why);

  Upstream to_;
  EventLoop* loop_;
  BufferPool* pool_;
  std::uint8_t zstd_level_;
  wire::ClientHandshakeMachine login_;
  VariableNames names_;
  std::function<void()> changed_;
  std::unique_ptr<Side> side_;
  State state_ = State::connecting;
  std::size_t next_address_ = 0;
  std::string why_;
  enum class Reading { own_values, global_values, names } reading_ = Reading::own_values;
  bool names_are_common_ = false;
  SessionState fresh_;
  std::vector<RestoreStep> steps_;
  std::size_t next_ = 0;  ///< of `steps_`; behind the last, user variables are read back
  std::vector<UserVariable> user_variables_;
  std::vector<std::string> user_names_;
  std::map<std::uint32_t, std::uint32_t> statement_ids_;
  std::variant<std::monostate, OwnQuery, OwnPrepare> command_;
};

}  // namespace reseal::proxy

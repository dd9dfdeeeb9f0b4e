// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "proxy/own_command.hpp"
#include "proxy/session_state.hpp"
#include "proxy/session_terms.hpp"
#include "proxy/side.hpp"
#include "wire/client_handshake_machine.hpp"

namespace reseal::proxy {

/// The connection on the other server that a session is to go on with. It is opened, logged in as the client, and its
/// fresh state is read, all while the client works on; then it is brought into the client's state, and handed over.
///
///     connecting -> login -> [tls] -> login -> reading -> ready -> restoring -> restored         (or failed)
class Transfer final : private SideOwner {
 public:
  enum class State { connecting, login, tls, reading, ready, restoring, restored, failed };

  /// `to`, `loop` and `pool` outlive this; `changed` is called whenever something has moved.
  Transfer(const Upstream& to, EventLoop& loop, BufferPool& pool, wire::ClientHandshakeOptions login,
           std::function<void()> changed);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  State state() const noexcept { return state_; }
  /// Why it failed.
  const std::string& why() const noexcept { return why_; }
  const SessionState& fresh() const noexcept { return fresh_; }
  std::uint32_t capabilities() const noexcept { return login_.capabilities(); }
  const wire::Greeting& greeting() const noexcept { return login_.greeting(); }

  /// Only when it is ready.
  void restore(std::vector<std::string> statements);
  /// Only when it is restored: the connection, now told to `owner`.
  std::unique_ptr<Side> hand_over(SideOwner& owner);

 private:
  void advance() override;
  bool step();
  bool step_connecting();
  bool step_login();
  bool take(const wire::ClientHandshakeMachine::Step& step);
  bool step_tls();
  bool step_command();
  void next_command();
  bool fail(std::string why);

  const Upstream* to_;
  EventLoop* loop_;
  BufferPool* pool_;
  wire::ClientHandshakeMachine login_;
  std::function<void()> changed_;
  std::unique_ptr<Side> side_;
  State state_ = State::connecting;
  std::size_t next_address_ = 0;
  std::string why_;
  SessionState fresh_;
  std::deque<std::string> statements_;
  std::optional<OwnCommand> command_;
};

}  // namespace reseal::proxy

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "mysql/endpoint.hpp"
#include "mysql/file_descriptor.hpp"
#include "mysql/tls.hpp"

namespace reseal::mysql {

/// Bytes to and from one server over TCP or a Unix socket, plain first and over TLS after `start_tls`. One thread at
/// a time; a stop may be requested from any. TCP connections are probed by the kernel (keepalive), so that a server
/// that vanished without a word is noticed within about ten seconds. All failures are thrown as `transient`, except
/// those of TlsLayer.
class Channel {
 public:
  using Timeout = std::chrono::milliseconds;

  /// Connects, trying every address of the host name. `timeout` bounds each address, not the name's resolution.
  Channel(const Endpoint& endpoint, Timeout timeout);

  /// Throws `refused` when the server has sent bytes ahead of TLS: someone may have slipped them in.
  void start_tls(const Endpoint& endpoint, Timeout timeout);
  bool encrypted() const noexcept { return tls_.has_value(); }

  /// Waits for at least one byte and returns how many came; 0 only when `stop` was requested. Large pieces go
  /// straight into `into`. Throws when nothing comes for `timeout`.
  std::size_t read(std::span<char> into, Timeout timeout, std::stop_token stop = {});
  /// Hands all bytes to the kernel; `timeout` bounds each wait for room.
  void write(std::string_view bytes, Timeout timeout);

 private:
  /// What one try came to; a kind of wait when nothing moved.
  using Outcome = TlsLayer::Outcome;
  void connect_tcp(const Endpoint& endpoint, Timeout timeout);
  void connect_unix(const Endpoint& endpoint, Timeout timeout);
  void finish_connect(Timeout timeout);
  Outcome try_read(std::span<char> into);
  Outcome try_write(std::string_view bytes);
  std::size_t read_some(std::span<char> into, Timeout timeout, const std::stop_token& stop);
  /// False when `stop` was requested.
  bool wait(const Outcome& needs, Timeout timeout, const std::stop_token& stop);

  std::string endpoint_text_;
  FileDescriptor socket_;
  FileDescriptor wakeup_;  ///< an eventfd: a stop request must end a wait in poll()
  std::optional<TlsLayer> tls_;
  std::vector<char> buffer_;  ///< small reads are served from here, one system call for many events
  std::size_t buffer_start_ = 0;
  std::size_t buffer_end_ = 0;
};

}  // namespace reseal::mysql

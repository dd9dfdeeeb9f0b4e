// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "mysql/file_descriptor.hpp"

namespace reseal::proxy {

/// Who waits for a socket.
class Watched {
 public:
  virtual ~Watched() = default;
  struct Change {
    bool readable = false;
    bool writable = false;
    bool ended = false;  ///< the peer sends no more, which is seen by reading to the end
  };
  /// The socket may have become readable or writable; told once per change (edge triggered).
  virtual void ready(Change change) = 0;
};

/// One thread's waiting place for its sockets, over epoll. `post` may be called from any thread, all else only from
/// the thread that runs the loop (or before it runs).
class EventLoop {
 public:
  EventLoop();

  /// Tells `watched` of every change of `socket`.
  void watch(int socket, Watched& watched);
  /// To be called before the socket is closed: a child process between fork and exec keeps it open a little longer.
  void forget(int socket);
  /// Runs `task` in the loop's thread, soon and after the events at hand.
  void post(std::function<void()> task);
  /// Serves events until `stop` was called; `tick` is run about every `tick_ms`.
  void run(int tick_ms, const std::function<void()>& tick);
  void stop() { stopping_ = true; }

 private:
  void run_posted();
  mysql::FileDescriptor epoll_;
  mysql::FileDescriptor wakeup_;
  bool stopping_ = false;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
};

}  // namespace reseal::proxy

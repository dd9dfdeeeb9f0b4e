// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include "base/log.hpp"
#include "proxy/listener.hpp"

namespace reseal::proxy {

/// Answers requests on a Unix socket that only this user may open: one JSON object per line, an answer per line, one
/// peer at a time. A thread of its own.
class ControlServer {
 public:
  /// Gets a line, returns the answer without its line end. Called in the control thread.
  using Answer = std::function<std::string(std::string_view line)>;

  ControlServer(const std::string& path, Answer answer, base::Log& log);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

 private:
  void serve(const std::stop_token& stop);
  void serve_peer(const mysql::FileDescriptor& peer, const std::stop_token& stop);
  Listener listener_;
  Answer answer_;
  base::Log* log_;
  std::jthread thread_;
};

/// Sends one line and returns the answer to it. Failure(refused) when no proxy is there, Failure(transient) when it
/// does not answer.
std::string ask_control(const std::string& path, std::string_view line);

}  // namespace reseal::proxy

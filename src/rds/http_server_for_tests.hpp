// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "rds/environment.hpp"

namespace reseal::rds {

struct ReceivedRequest {
  std::string method;
  std::string path;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
  /// The value of one form field, decoded.
  std::string field(const std::string& name) const {
    for (std::size_t begin = 0; begin < body.size();) {
      const auto end = std::min(body.find('&', begin), body.size());
      const auto pair = body.substr(begin, end - begin);
      if (pair.starts_with(name + "=")) return decoded(pair.substr(name.size() + 1));
      begin = end + 1;
    }
    return "";
  }
  static std::string decoded(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '%') {
        out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
        i += 2;
      } else {
        out += text[i] == '+' ? ' ' : text[i];
      }
    }
    return out;
  }
};

struct Reply {
  int status = 200;
  std::string body;
  bool cut = false;  ///< the request is taken and the connection closed without an answer
  std::vector<std::string> headers;
  bool keep = false;  ///< the connection stays open for the next request
};

/// A small HTTP/1.1 server on a free loopback port, a thread per connection. It keeps what it got. Clients that hold a
/// kept connection have to go before it does.
class HttpServerForTests {
 public:
  using Answer = std::function<Reply(const ReceivedRequest&)>;
  explicit HttpServerForTests(Answer answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      std::abort();
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~HttpServerForTests() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  HttpServerForTests(const HttpServerForTests&) = delete;
  HttpServerForTests& operator=(const HttpServerForTests&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }
  std::vector<ReceivedRequest> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  std::vector<std::string> actions() {
    std::vector<std::string> found;
    for (const auto& request : requests()) found.push_back(request.field("Action"));
    return found;
  }

 private:
  void serve() {
    while (true) {
      const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) return;
      connections_.emplace_back([this, connection] {
        while (answer_one(connection)) {
        }
        ::close(connection);
      });
    }
  }

  /// Whether another request may follow on the connection.
  bool answer_one(int connection) {
    std::string text;
    const auto read_some = [&] {
      char buffer[4096];
      const auto got = ::recv(connection, buffer, sizeof buffer, 0);
      if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
      return got > 0;
    };
    while (text.find("\r\n\r\n") == std::string::npos)
      if (!read_some()) return false;
    auto request = parsed(text);
    const auto head = text.find("\r\n\r\n") + 4;
    const auto length = request.header("content-length");
    const auto wanted = head + (length.empty() ? 0 : std::stoul(length));
    while (text.size() < wanted)
      if (!read_some()) return false;
    request.body = text.substr(head);
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const auto reply = answer_(request);
    if (reply.cut) return false;
    auto out = "HTTP/1.1 " + std::to_string(reply.status) +
               " x\r\nConnection: " + (reply.keep ? "keep-alive" : "close") +
               "\r\nContent-Length: " + std::to_string(reply.body.size()) + "\r\n";
    for (const auto& header : reply.headers) out += header + "\r\n";
    out += "\r\n" + reply.body;
    for (std::size_t sent = 0; sent < out.size();) {
      const auto done = ::send(connection, out.data() + sent, out.size() - sent, MSG_NOSIGNAL);
      if (done <= 0) return false;
      sent += static_cast<std::size_t>(done);
    }
    return reply.keep;
  }

  static ReceivedRequest parsed(const std::string& text) {
    ReceivedRequest request;
    const auto first_end = text.find("\r\n");
    const auto line = text.substr(0, first_end);
    const auto space = line.find(' ');
    request.method = line.substr(0, space);
    request.path = line.substr(space + 1, line.rfind(' ') - space - 1);
    for (auto begin = first_end + 2; begin < text.find("\r\n\r\n") + 2;) {
      const auto end = text.find("\r\n", begin);
      const auto colon = text.find(": ", begin);
      auto name = text.substr(begin, colon - begin);
      for (auto& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      request.headers[name] = text.substr(colon + 2, end - colon - 2);
      begin = end + 2;
    }
    return request;
  }

  Answer answer_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::vector<ReceivedRequest> requests_;
  std::vector<std::jthread> connections_;
  std::thread thread_;
};

/// An environment of its own; lives as long as the variables.
class EnvironmentForTests {
 public:
  EnvironmentForTests(std::map<std::string, std::string> variables) : variables_(std::move(variables)) {}
  std::map<std::string, std::string>& variables() { return variables_; }
  Environment environment() const {
    return Environment([this](const char* name) -> const char* {
      const auto found = variables_.find(name);
      return found == variables_.end() ? nullptr : found->second.c_str();
    });
  }

 private:
  std::map<std::string, std::string> variables_;
};

}  // namespace reseal::rds

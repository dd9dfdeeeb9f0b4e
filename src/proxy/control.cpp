// SPDX-License-Identifier: Apache-2.0
#include "proxy/control.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "base/failure.hpp"

namespace reseal::proxy {
namespace {

using base::Failure;
using base::FailureKind;

constexpr int look_at_stop_ms = 200;
constexpr int patience_ms = 60'000;
constexpr std::size_t longest_line = 64 * 1024;
constexpr unsigned owner_only = 0600;

bool readable(int socket, int timeout_ms) {
  pollfd watched{socket, POLLIN, 0};
  return ::poll(&watched, 1, timeout_ms) > 0;
}

bool send_line(int socket, std::string line) {
  line += '\n';
  std::string_view rest = line;
  while (!rest.empty()) {
    const auto count = ::send(socket, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EAGAIN) {
      pollfd watched{socket, POLLOUT, 0};
      if (::poll(&watched, 1, patience_ms) <= 0) return false;
      continue;
    }
    if (count <= 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// Takes the first line out of what was received.
std::optional<std::string> take_line(std::string& received) {
  const auto end = received.find('\n');
  if (end == std::string::npos) return std::nullopt;
  auto line = received.substr(0, end);
  received.erase(0, end + 1);
  return line;
}

// False at the end of the peer's words.
bool receive(int socket, std::string& received) {
  std::array<char, 4096> piece{};
  const auto count = ::recv(socket, piece.data(), piece.size(), 0);
  if (count <= 0) return count < 0 && (errno == EAGAIN || errno == EINTR);
  received.append(piece.data(), static_cast<std::size_t>(count));
  return true;
}

}  // namespace

ControlServer::ControlServer(const std::string& path, Answer answer, base::Log& log)
    : listener_(Listener::unix_socket(path, owner_only)),
      answer_(std::move(answer)),
      log_(&log),
      thread_([this](const std::stop_token& stop) { serve(stop); }) {}

ControlServer::~ControlServer() {
  thread_.request_stop();
  thread_.join();
}

void ControlServer::serve(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (!readable(listener_.number(), look_at_stop_ms)) continue;
    const auto accepted = listener_.accept();
    if (accepted.client.open()) serve_peer(accepted.client, stop);
  }
}

void ControlServer::serve_peer(const mysql::FileDescriptor& peer, const std::stop_token& stop) {
  std::string received;
  while (!stop.stop_requested()) {
    while (const auto line = take_line(received))
      if (!send_line(peer.number(), answer_(*line))) return;
    if (received.size() > longest_line) return log_->warn("a line on the control socket is too long");
    if (readable(peer.number(), look_at_stop_ms) && !receive(peer.number(), received)) return;
  }
}

std::string ask_control(const std::string& path, std::string_view line) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    throw Failure(FailureKind::usage, "the socket path is too long for this system: " + path);
  std::memcpy(address.sun_path, path.data(), path.size());
  const mysql::FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw Failure(FailureKind::refused, "no proxy answers on " + path + ": " + std::strerror(errno));
  std::string received;
  if (send_line(socket.number(), std::string(line))) {
    while (readable(socket.number(), patience_ms) && receive(socket.number(), received))
      if (auto answer = take_line(received)) return *std::move(answer);
  }
  throw Failure(FailureKind::transient, "the proxy on " + path + " did not answer");
}

}  // namespace reseal::proxy

// SPDX-License-Identifier: Apache-2.0
#include "cli/server_uri.hpp"

#include <charconv>

#include "base/failure.hpp"
#include "mysql/option_file.hpp"

namespace reseal::cli {
namespace {

using base::Failure;
using base::FailureKind;

[[noreturn]] void bad(const std::string& what) {
  throw Failure(FailureKind::usage,
                "the server's address: " + what + "; it reads mysql://user@host:port/?ssl-mode=VERIFY_CA&ssl-ca=FILE");
}

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned value = 0;
    const auto* first = text.data() + i + 1;
    if (i + 2 >= text.size() || std::from_chars(first, first + 2, value, 16).ptr != first + 2) bad("a bad % escape");
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

void read_host(std::string_view authority, mysql::Endpoint& server) {
  auto port = std::string_view();
  if (!authority.empty() && authority.front() == '[') {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) bad("an IPv6 host without its ]");
    server.host = std::string(authority.substr(1, end - 1));
    if (end + 1 < authority.size() && authority[end + 1] == ':') port = authority.substr(end + 2);
  } else {
    const auto colon = authority.find(':');
    server.host = decoded(authority.substr(0, colon));
    if (colon != std::string_view::npos) port = authority.substr(colon + 1);
  }
  if (server.host.empty()) bad("no host");
  server.socket.clear();
  if (port.empty()) return;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), server.port);
  if (error != std::errc() || end != port.data() + port.size() || server.port == 0) bad("the port is no TCP port");
}

void read_option(std::string_view name, const std::string& value, mysql::Endpoint& server) {
  if (name == "ssl-mode")
    server.tls = mysql::parse_tls_mode(value);
  else if (name == "ssl-ca")
    server.tls_ca = value;
  else if (name == "ssl-cert")
    server.tls_cert = value;
  else if (name == "ssl-key")
    server.tls_key = value;
  else if (name == "socket")
    server.socket = value;
  else
    bad("the option " + std::string(name) + " is not known");
}

}  // namespace

mysql::Endpoint parse_server_uri(std::string_view uri, mysql::Endpoint server) {
  constexpr std::string_view scheme = "mysql://";
  if (uri.substr(0, scheme.size()) != scheme) bad("it does not begin with mysql://");
  uri.remove_prefix(scheme.size());
  const auto end = uri.find_first_of("/?");
  auto authority = uri.substr(0, end);
  auto rest = end == std::string_view::npos ? std::string_view{} : uri.substr(end);
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    const auto user = authority.substr(0, at);
    if (user.find(':') != std::string_view::npos)
      throw Failure(FailureKind::usage,
                    "a password in the server's address is refused: others can read it in the process"
                    " list. Put it in a MySQL option file (--source-defaults-file,"
                    " --target-defaults-file) or the environment (RESEAL_SOURCE_PASSWORD,"
                    " RESEAL_TARGET_PASSWORD)");
    server.user = decoded(user);
    authority.remove_prefix(at + 1);
  }
  read_host(authority, server);
  if (!rest.empty() && rest.front() == '/') rest.remove_prefix(1);
  if (!rest.empty() && rest.front() != '?') bad("a path is not understood");
  if (!rest.empty()) rest.remove_prefix(1);
  while (!rest.empty()) {
    const auto stop = rest.find('&');
    const auto pair = rest.substr(0, stop);
    rest = stop == std::string_view::npos ? std::string_view{} : rest.substr(stop + 1);
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) bad("an option without its value");
    read_option(pair.substr(0, equals), decoded(pair.substr(equals + 1)), server);
  }
  return server;
}

}  // namespace reseal::cli
